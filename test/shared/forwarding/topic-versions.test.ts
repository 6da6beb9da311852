import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { readConfigRecord, renderConfigRecord } from '../../../services/shared/forwarding/config-record.ts'
import { Directory } from '../../../services/shared/forwarding/directory.ts'
import {
  acceptAdded,
  judgeTopic,
  mergeVersions,
  raiseBase,
  type TopicVersions,
} from '../../../services/shared/forwarding/topic-versions.ts'
import { baseAbove } from '../../../services/shared/kafka/version-base.ts'
import { holdsFor } from '../../support/property.ts'

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
  const before = { ...known, bases: [0, 5 * STEP] }
  const anew = (bases: readonly number[]) => ({
    kind: 'made-anew',
    versions: { topic: 'cases', id: 'second', bases, past: ['first'] },
  })
  const judged = (partitions: number) => judgeTopic('cases', before, { id: 'second', partitions })
  assert.deepEqual(judged(1), anew([6 * STEP]))
  assert.deepEqual(judged(2), anew([6 * STEP, 6 * STEP]))
  assert.deepEqual(judged(3), anew([6 * STEP, 6 * STEP]), 'what it has more waits, as if the one before had got it')
})

test('a broker that still names a topic that is no more is not believed', () => {
  const second: TopicVersions = { topic: 'cases', id: 'second', bases: [STEP], past: ['first'] }
  assert.deepEqual(judgeTopic('cases', second, { id: 'first', partitions: 2 }), { kind: 'outdated' })
  const lasting = judgeTopic('cases', second, { id: 'first', partitions: 2 }, true)
  const versions = { topic: 'cases', id: 'first', bases: [2 * STEP], past: ['second'] }
  assert.deepEqual(lasting, { kind: 'made-anew', versions }, 'unless it does not cease to')
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
    assert.ok(directory.isSourceUnsaid('a.b-c_d'))
  }
})

test('records in whatever order: no base falls, what was accepted stays, and whoever hears last says all of it again', (t) => {
  const ids = fc.constantFrom('a', 'b', 'c', null)
  const record = fc.record({
    id: ids,
    bases: fc.array(
      fc.integer({ min: 0, max: 5 }).map((steps) => steps * STEP),
      { minLength: 1, maxLength: 4 },
    ),
    past: fc.subarray(['a', 'b', 'c']),
  })
  holdsFor(
    t,
    fc.property(fc.array(record, { minLength: 1, maxLength: 8 }), (records) => {
      const directory = new Directory()
      let before: TopicVersions | undefined
      for (const { id, bases, past } of records) {
        const said = { topic: 'cases', id, bases, past: past.filter((each) => each !== id) }
        const { key, value } = renderConfigRecord({ kind: 'source', versions: said })
        directory.apply({ key: Buffer.from(key), value: Buffer.from(value ?? '') })
        const now = directory.source('cases')
        assert(now)
        if (before && (now.id === before.id || now.id === null || before.id === null))
          for (const [partition, base] of before.bases.entries()) assert.ok((now.bases[partition] ?? -1) >= base)
        else if (before)
          assert.ok(Math.min(...now.bases) > Math.max(...before.bases), JSON.stringify([before, said, now]))
        const isSaid = JSON.stringify([now.id, now.bases]) === JSON.stringify([said.id, said.bases])
        if (!isSaid) assert.ok(directory.isSourceUnsaid('cases'))
        before = now
      }
    }),
  )
})

test('one that was written late, of a topic that is no more, changes nothing', () => {
  const second: TopicVersions = { topic: 'cases', id: 'second', bases: [STEP, STEP], past: ['first'] }
  assert.deepEqual(mergeVersions(second, { ...known, bases: [0, 0] }), second)
  const late = { ...second, bases: [STEP, STEP, STEP, STEP] }
  const accepted: TopicVersions = { ...known, bases: [0, 0, STEP, STEP] }
  assert.deepEqual(
    mergeVersions(accepted, late).bases,
    [2 * STEP, 2 * STEP, 2 * STEP, 2 * STEP],
    'its writer had not heard of two partitions',
  )
})

test('the base of a partition whose log was cut rises, and those that cases moved to from there stay above it', () => {
  assert.deepEqual(raiseBase(known, 1, STEP).bases, [0, STEP])
  const grown = { ...known, bases: [0, 0, STEP, 2 * STEP] }
  assert.deepEqual(raiseBase(grown, 1, STEP).bases, [0, STEP, 2 * STEP, 3 * STEP])
  assert.deepEqual(raiseBase(grown, 3, 3 * STEP).bases, [0, 0, STEP, 3 * STEP])
  assert.deepEqual(raiseBase(grown, 2, STEP), grown, 'once')
})

test('a topic that a broker did not cease to name is the one that is there, whoever thought it was no more', () => {
  const now: TopicVersions = { topic: 'cases', id: 'second', bases: [STEP], past: ['first'] }
  const judged = judgeTopic('cases', now, { id: 'first', partitions: 1 }, true)
  assert(judged.kind === 'made-anew')
  assert.deepEqual(mergeVersions(now, judged.versions), judged.versions)
  assert.equal(judgeTopic('cases', judged.versions, { id: 'first', partitions: 1 }).kind, 'as-known')
})

test('of a record that was written late a version may have been given: ours go above it', () => {
  const now: TopicVersions = { topic: 'cases', id: 'second', bases: [STEP, STEP], past: ['first'] }
  assert.deepEqual(mergeVersions(now, { ...known, bases: [STEP, 0] }).bases, [2 * STEP, 2 * STEP])
  assert.deepEqual(mergeVersions(now, known), now)
})
