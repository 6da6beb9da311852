// Everything a publisher can get wrong, over the real broker and registry. Each bad record has its own reason, keeps its bytes,
// and the next record of its partition is delivered. The table is printed.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sampleChanges } from '../../services/cli/publish/sample-changes.ts'
import { systemClock } from '../../services/shared/clock.ts'
import type { SourceKind } from '../../services/shared/change.ts'
import type { TopicRecord } from '../../services/shared/kafka/reader.ts'
import { openLog } from '../../services/shared/log.ts'
import { schemaText } from '../../services/shared/registry/change-schemas.ts'
import { frameChange } from '../../services/shared/registry/encode-change.ts'
import { openSchemaRegistry } from '../../services/shared/registry/schema-registry.ts'
import { renderWireDocument } from '../../services/shared/wire/render-document.ts'
import { openGround, type Ground } from '../support/ground.ts'
import { targetServer } from '../support/target-server.ts'
import { until } from '../support/until.ts'

type Bad = {
  readonly input: string
  readonly source: 'forms' | 'cases'
  readonly value: Buffer | null
  readonly key?: Buffer | null
  readonly headers?: Readonly<Record<string, Buffer>>
  /**
   * Reason and a piece of the error of the one dead letter; or that nothing is one: `delivered` as the contract says, or
   * `counted` (a tombstone).
   */
  readonly expect: readonly [reason: 'unreadable' | 'payload', piece: string] | 'delivered' | 'counted'
}

const [form, aCase] = sampleChanges()
const LONG_ENOUGH_MS = 60_000

const text = (document: object): Buffer => Buffer.from(JSON.stringify(document))
const caseWith = (changes: object): Buffer => text({ ...renderWireDocument(aCase), ...changes })
const formWith = (xml: string): Buffer => text({ ...renderWireDocument(form), case_ids: [], xml })
const inside = (body: string): string => `<data xmlns="http://openrosa.org/formdesigner/x">${body}</data>`
const nested = (levels: number): string => inside('<a>'.repeat(levels) + '</a>'.repeat(levels))

async function badInput(ground: Ground): Promise<readonly Bad[]> {
  assert.ok(ground.registryUrl, 'the table needs a registry')
  const log = openLog({ write: () => undefined }, 'error', 'test', systemClock)
  const registry = openSchemaRegistry({ url: ground.registryUrl, username: null, password: null }, log)
  const register = (source: SourceKind) => registry.register(`${ground.topics[source]}-value`, schemaText(source))
  const caseSchema = await register('cases')
  const formSchema = await register('forms')
  const avro = frameChange('cases', aCase, caseSchema)
  const unknownId = Buffer.concat([Buffer.from([0, 0x7f, 0xff, 0xff, 0xff]), avro.subarray(5)])
  const missing = (name: string) => {
    const document: Record<string, unknown> = { ...renderWireDocument(aCase) }
    Reflect.deleteProperty(document, name)
    return text(document)
  }
  return [
    {
      input: 'wrong magic byte',
      source: 'cases',
      value: Buffer.from([7, ...avro.subarray(1)]),
      expect: ['unreadable', 'magic'],
    },
    { input: 'unknown schema id', source: 'cases', value: unknownId, expect: ['unreadable', 'unknown-schema'] },
    {
      input: 'schema of another record',
      source: 'cases',
      value: frameChange('forms', form, formSchema),
      expect: ['unreadable', ''],
    },
    { input: 'truncated framing', source: 'cases', value: avro.subarray(0, 3), expect: ['unreadable', 'truncated'] },
    {
      input: 'truncated Avro',
      source: 'cases',
      value: avro.subarray(0, avro.length - 40),
      expect: ['unreadable', 'truncated'],
    },
    {
      input: 'bytes behind the Avro record',
      source: 'cases',
      value: Buffer.concat([avro, avro]),
      expect: ['unreadable', 'trailing'],
    },
    {
      input: 'malformed JSON',
      source: 'cases',
      value: Buffer.from('{"project": "demo", '),
      expect: ['unreadable', 'malformed-json'],
    },
    { input: 'plain text', source: 'cases', value: Buffer.from('hello'), expect: ['unreadable', 'magic'] },
    { input: 'wrong type', source: 'cases', value: caseWith({ closed: 'yes' }), expect: ['unreadable', 'closed'] },
    {
      input: 'number as property',
      source: 'cases',
      value: caseWith({ properties: { age: 5 } }),
      expect: ['unreadable', 'age'],
    },
    {
      input: 'missing required field',
      source: 'cases',
      value: missing('case_type'),
      expect: ['unreadable', 'case_type'],
    },
    {
      input: 'no instant',
      source: 'cases',
      value: caseWith({ date_modified: 'yesterday' }),
      expect: ['unreadable', 'date_modified'],
    },
    { input: 'null key', source: 'cases', key: null, value: caseWith({}), expect: 'delivered' },
    { input: 'null value', source: 'cases', value: null, expect: 'counted' },
    { input: 'empty value', source: 'cases', value: Buffer.alloc(0), expect: ['unreadable', 'empty'] },
    {
      input: 'invalid UTF-8',
      source: 'cases',
      value: Buffer.concat([Buffer.from('{"project":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]),
      expect: ['unreadable', 'utf'],
    },
    {
      input: '1,000 levels of JSON',
      source: 'cases',
      value: Buffer.from(`{"a":${'['.repeat(1_000)}${']'.repeat(1_000)}}`),
      expect: ['unreadable', ''],
    },
    { input: 'malformed XML', source: 'forms', value: formWith(inside('<a><b></a>')), expect: ['payload', 'line 1'] },
    {
      input: 'DOCTYPE',
      source: 'forms',
      value: formWith(`<!DOCTYPE data>${inside('')}`),
      expect: ['payload', 'line 1'],
    },
    {
      input: 'entity bomb',
      source: 'forms',
      value: formWith(`<!DOCTYPE d [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>${inside('&b;')}`),
      expect: ['payload', 'line 1'],
    },
    { input: 'unknown entity', source: 'forms', value: formWith(inside('&nbsp;')), expect: ['payload', 'nbsp'] },
    { input: '1,000 levels of XML', source: 'forms', value: formWith(nested(1_000)), expect: ['payload', 'level'] },
    {
      input: '5 MB form',
      source: 'forms',
      value: formWith(inside(`<a>${'x'.repeat(5_000_000)}</a>`)),
      expect: 'delivered',
    },
    {
      input: 'property that is no XML name',
      source: 'cases',
      value: caseWith({ properties: { 'a b': '1' } }),
      expect: ['payload', 'a b'],
    },
    {
      input: 'character XML cannot hold',
      source: 'cases',
      value: caseWith({ properties: { bell: '\u0007' } }),
      expect: ['payload', 'bell'],
    },
    {
      input: 'lone surrogate',
      source: 'cases',
      value: caseWith({ properties: { half: '\ud800' } }),
      expect: ['payload', 'half'],
    },
    {
      input: 'control characters in a header',
      source: 'cases',
      headers: { traceparent: Buffer.from('00-a\r\nX-Evil: 1') },
      value: caseWith({}),
      expect: 'delivered',
    },
  ]
}

test('every bad input has its own reason, keeps its bytes, and lets the next record of its partition through', async (t) => {
  const ground = await openGround(t, 1, { forms: { 'max.message.bytes': String(8 * 1024 * 1024) } })
  const remote = await targetServer(t)
  await ground.configure(rules(remote.url))
  const table = await badInput(ground)
  const good = await publish(ground, table)
  const forwarder = await ground.startForwarder({ ONWARD_SCHEMA_PATIENCE: '1s' })

  const bodies = () => remote.requests.map(({ body }) => body.toString('utf8'))
  await until(
    'a delivery of every good record',
    () => table.every((_, row) => bodies().some((body) => body.includes(`good-${row}-`))),
    LONG_ENOUGH_MS,
  )
  // Letters are written one after another, and what comes behind a bad record does not wait for its letter.
  const condemned = table.filter(({ expect }) => typeof expect !== 'string').length
  await until(
    'every dead letter is acknowledged',
    () => forwarder.lines.filter(({ event }) => event === 'dead-lettered').length >= condemned,
    LONG_ENOUGH_MS,
  )
  const letters = await ground.readOwn('dead-letters')
  const printed = table.map((bad, row) => judge(bad, good[row] ?? 0, letters, bodies(), row))
  t.diagnostic(`input | reason | next record delivered\n${printed.join('\n')}`)
  assert.ok(!remote.requests.some(({ rawHeaders }) => rawHeaders.includes('X-Evil')), 'a header was smuggled in')
  assert.equal(await forwarder.metric('onward_changes_consumed_total', 'result="tombstone"'), 1)
  assert.equal(await forwarder.metric('onward_deliveries_waiting'), 0)
})

const rules = (url: string): string => `
project: demo
connections:
  - { id: remote, url: "${url}" }
repeaters:
  - { id: cases, connection: remote, forward: cases, supersede: never }
  - { id: stubs, connection: remote, forward: form-stubs }
`

/** Each bad record is followed by a good one of the same topic. @returns the offset of each bad one */
async function publish(ground: Ground, table: readonly Bad[]): Promise<readonly number[]> {
  const next = { forms: 0, cases: 0 }
  const offsets: number[] = []
  for (const [row, { source, value, headers, ...given }] of table.entries()) {
    const id = `good-${row}-`
    const good = source === 'cases' ? caseWith({ case_id: id }) : text({ ...renderWireDocument(form), form_id: id })
    const key = given.key === undefined ? Buffer.from('bad') : given.key
    await ground.producer.send(ground.topics[source], [
      { partition: 0, key, value, ...(headers ? { headers } : {}) },
      { partition: 0, key: id, value: good },
    ])
    offsets.push(next[source])
    next[source] += 2
  }
  return offsets
}

function judge(
  bad: Bad,
  offset: number,
  letters: readonly TopicRecord[],
  bodies: readonly string[],
  row: number,
): string {
  const header = (letter: TopicRecord, name: string) => String(letter.headers[name] ?? '')
  const mine = letters.filter(
    (letter) =>
      header(letter, 'onward-source-topic').endsWith(bad.source) &&
      header(letter, 'onward-source-offset') === String(offset),
  )
  const delivered = bodies.some((body) => body.includes(`good-${row}-`))
  assert.ok(delivered, `${bad.input}: the next record`)
  if (typeof bad.expect === 'string') {
    assert.deepEqual(
      mine.map((letter) => header(letter, 'onward-error')),
      [],
      bad.input,
    )
    return `${bad.input} | ${bad.expect} | yes`
  }
  const [reason, piece] = bad.expect
  assert.equal(mine.length, 1, `${bad.input}: one dead letter`)
  const [letter] = mine
  assert.ok(letter)
  const error = header(letter, 'onward-error')
  assert.equal(header(letter, 'onward-reason'), reason, bad.input)
  assert.ok(error.toLowerCase().includes(piece), `${bad.input}: ${error}`)
  assert.ok(Buffer.byteLength(error) <= 1_024, `${bad.input}: the error is ${Buffer.byteLength(error)} bytes`)
  assert.deepEqual(letter.value, bad.value, `${bad.input}: its bytes`)
  return `${bad.input} | ${reason}: ${error} | yes`
}
