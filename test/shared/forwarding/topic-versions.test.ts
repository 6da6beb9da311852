import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { readConfigRecord, renderConfigRecord } from '../../../services/shared/forwarding/config-record.ts'
import { Directory } from '../../../services/shared/forwarding/directory.ts'
import { acceptAdded, judgeTopic, type TopicVersions } from '../../../services/shared/forwarding/topic-versions.ts'
import { baseAbove } from '../../../services/shared/kafka/version-base.ts'

const known: TopicVersions = { topic: 'cases', id: 'first', bases: [0, 0], past: [] }
const STEP = baseAbove([0])

test('a topic that nobody has seen is read whole, and its versions are its offsets', () => {
  assert.deepEqual(judgeTopic('cases', undefined, { id: 'first', partitions: 2 }), {
    kind: 'first-seen',
    versions: known,
  })
})

test('the same topic is as it was known, also where brokers that lag name fewer of its partitions', () => {
  for (const partitions of [1, 2])
    assert.equal(judgeTopic('cases', known, { id: 'first', partitions }).kind, 'as-known')
})

test('a topic that was made anew begins above all before it, whatever its partitions', () => {
  const judged = judgeTopic('cases', { ...known, bases: [0, 5 * STEP] }, { id: 'second', partitions: 3 })
  const bases = [6 * STEP, 6 * STEP, 6 * STEP]
  assert.deepEqual(judged, { kind: 'made-anew', versions: { topic: 'cases', id: 'second', bases, past: ['first'] } })
})

test('a broker that still names a topic that is no more is not believed', () => {
  const second: TopicVersions = { topic: 'cases', id: 'second', bases: [STEP], past: ['first'] }
  assert.deepEqual(judgeTopic('cases', second, { id: 'first', partitions: 2 }), { kind: 'outdated' })
})

test('partitions that were added wait, and have a base above the others once they are accepted', () => {
  assert.deepEqual(judgeTopic('cases', known, { id: 'first', partitions: 5 }), { kind: 'grown', added: 3 })
  assert.deepEqual(acceptAdded(known, 4), { ...known, bases: [0, 0, STEP, STEP] })
})

test('brokers without ids: what is added waits, and an id that comes later is taken down', () => {
  const nameless: TopicVersions = { ...known, id: null }
  assert.equal(judgeTopic('cases', nameless, { id: null, partitions: 2 }).kind, 'as-known')
  assert.equal(judgeTopic('cases', nameless, { id: null, partitions: 3 }).kind, 'grown')
  assert.deepEqual(judgeTopic('cases', nameless, { id: 'first', partitions: 2 }), {
    kind: 'first-seen',
    versions: known,
  })
  assert.equal(
    judgeTopic('cases', known, { id: null, partitions: 2 }).kind,
    'as-known',
    'a broker of before, in an upgrade',
  )
})

test('a record says what it said, and one that is damaged or removed leaves the last good one in force', () => {
  const versions: TopicVersions = { topic: 'a.b-c_d', id: 'x', bases: [STEP, 0], past: ['w'] }
  const { key, value } = renderConfigRecord({ kind: 'source', versions })
  assert.equal(key, 'source/a.b-c_d')
  const good = { key: Buffer.from(key), value: Buffer.from(value ?? '') }
  assert.deepEqual(readConfigRecord(good), { kind: 'source', key, versions })
  const validate = new Ajv2020({ allErrors: true, allowUnionTypes: true }).compile(
    JSON.parse(readFileSync(new URL('../../../schemas/config-source.schema.json', import.meta.url), 'utf8')) as object,
  )
  assert.ok(validate(JSON.parse(value ?? '')), JSON.stringify(validate.errors))

  const directory = new Directory()
  directory.apply(good)
  const damaged = [
    '',
    '{}',
    '[]',
    '{"id":1,"bases":[0],"past":[]}',
    '{"id":null,"bases":[],"past":[]}',
    '{"id":null,"bases":[-1],"past":[]}',
  ]
  for (const text of [...damaged, null]) {
    const applied = directory.apply({ ...good, value: text === null ? null : Buffer.from(text) })
    assert.equal(applied.kind, 'kept', String(text))
    assert.deepEqual(directory.source('a.b-c_d'), versions)
    assert.ok(directory.refusesSource('a.b-c_d'))
  }
})
