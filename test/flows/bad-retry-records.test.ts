// Everything that may lie in a retry topic or in `onward.requeue` and is not as we write it, over the real broker. Each has its
// own end, and none stops its partition, not even through a restart. The table is printed.
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { retryTopic, ownTopic } from '../../services/shared/kafka/plan-topics.ts'
import type { TopicRecord } from '../../services/shared/kafka/reader.ts'
import { caseValue } from '../support/changes.ts'
import { openGround, type Ground } from '../support/ground.ts'
import { targetServer, type TargetServer } from '../support/target-server.ts'
import { until } from '../support/until.ts'

type HeaderValue = Buffer | readonly Buffer[]
type Odd = {
  readonly input: string
  /** What its header says otherwise than a good one. */
  readonly says?: Readonly<Record<string, unknown>>
  /** Its headers, instead of those. */
  readonly headers?: Readonly<Record<string, HeaderValue>>
  readonly key?: null
  readonly value?: Buffer | null
  /** Reason and a piece of the error of its one dead letter; or that its change is delivered as if nothing were odd. */
  readonly end: readonly [reason: 'unreadable' | 'cancelled', piece: string] | 'delivered'
}

const LONG_ENOUGH_MS = 60_000
const TIER_MS = 1_000
const raw = (text: string) => ({ onward: Buffer.from(text) })
const malformed = (field: string) => ['unreadable', `its field ${field} `] as const

const TABLE: readonly Odd[] = [
  { input: 'nothing odd', end: 'delivered' },
  { input: 'no header', headers: {}, end: ['unreadable', 'no `onward` header'] },
  { input: 'the header twice', headers: { onward: [Buffer.from('{}'), Buffer.from('{}')] }, end: ['unreadable', '2'] },
  { input: 'empty header', headers: raw(''), end: ['unreadable', 'no JSON'] },
  { input: 'header that is no JSON', headers: raw('retry=1'), end: ['unreadable', 'no JSON'] },
  { input: 'header that is a number', headers: raw('7'), end: ['unreadable', 'no JSON object'] },
  { input: 'header that is null', headers: raw('null'), end: ['unreadable', 'no JSON object'] },
  { input: 'header of bytes', headers: { onward: Buffer.from([0xff, 0xfe, 0]) }, end: ['unreadable', 'no JSON'] },
  { input: 'another version', says: { v: 2 }, end: ['unreadable', 'another version'] },
  { input: 'a field we do not know', says: { later: 'x'.repeat(10_000) }, end: 'delivered' },
  { input: 'repeater that is none', says: { repeater: 'cases' }, end: malformed('repeater') },
  { input: 'repeater with a line break', says: { repeater: 'demo/a\nb' }, end: malformed('repeater') },
  { input: 'repeater that is gone', says: { repeater: 'demo/gone' }, end: ['cancelled', 'demo/gone was removed'] },
  { input: 'repeater that forwards something else', says: { repeater: 'demo/forms' }, end: ['cancelled', 'forms now'] },
  { input: 'topic that Kafka cannot have', says: { topic: 'a "b"\r\nc' }, end: malformed('topic') },
  { input: 'topic that is not read', says: { topic: 'gone' }, end: 'delivered' },
  { input: 'another partition', says: { partition: 99 }, end: ['unreadable', 'another partition'] },
  { input: 'partition below zero', says: { partition: -1 }, end: malformed('partition') },
  { input: 'offset that is text', says: { offset: '12' }, end: malformed('offset') },
  {
    input: 'offset beyond the end of the log',
    says: { offset: 1_000_000_000 },
    end: ['cancelled', 'was it made anew'],
  },
  { input: "publisher's instant beyond all years", says: { timestamp: 1e300 }, end: 'delivered' },
  { input: 'first failure beyond all years', says: { firstFailedAt: 1e300 }, end: malformed('firstFailedAt') },
  { input: 'due beyond all years', says: { dueAt: 1e300 }, end: malformed('dueAt') },
  { input: 'due before all years', says: { dueAt: -1e300 }, end: malformed('dueAt') },
  { input: 'more attempts than there are', says: { attempts: 1e300 }, end: malformed('attempts') },
  { input: 'more tries than the schedule', says: { tries: 1_000 }, end: 'delivered' },
  { input: 'reason we do not know', says: { reason: 'mood' }, end: malformed('reason') },
  { input: 'run with a line break', says: { run: 'a"\r\nX-Evil: 1' }, end: malformed('run') },
  { input: 'key of the source that is no base64', says: { key: '%%%' }, end: 'delivered' },
  { input: 'no key of its own', key: null, end: 'delivered' },
  { input: 'no value', value: null, end: ['unreadable', 'retry-value: none'] },
  { input: 'empty value', value: Buffer.alloc(0), end: ['unreadable', 'empty-value'] },
  { input: 'value that is no change', value: Buffer.from('hello'), end: ['unreadable', 'wrong-magic-byte'] },
]

const rules = (url: string): string => `
project: demo
connections:
  - { id: remote, url: "${url}" }
repeaters:
  - { id: cases, connection: remote, forward: cases, format: json, supersede: never }
  - { id: forms, connection: remote, forward: forms }
`

test('whatever lies in a retry topic at the start has its end, and its partition goes on, also after a restart', async (t) => {
  const { ground, remote } = await open(t)
  const topic = retryTopic(ground.prefix, TIER_MS)
  await publish(ground, topic)
  const first = await ground.startForwarder()
  await judge(t, ground, remote, topic)
  assert.equal(await first.stop('SIGTERM'), 0)
  await ground.startForwarder()
  await goesOn(ground, remote, 'after-restart')
})

test('whatever comes to onward.requeue while it runs has its end, and its partition goes on, also after a kill', async (t) => {
  const { ground, remote } = await open(t)
  const topic = ownTopic(ground.prefix, 'requeue')
  const first = await ground.startForwarder()
  await goesOn(ground, remote, 'before')
  await publish(ground, topic)
  await judge(t, ground, remote, topic)
  await first.stop('SIGKILL')
  await ground.startForwarder()
  await goesOn(ground, remote, 'after-kill')
})

test('a retry topic with fewer partitions than a source is refused at the start, with the line to run', async (t) => {
  const ground = await openGround(t, 3, {}, ['1s'])
  const admin = ground.kafka.admin()
  await admin.connect()
  t.after(() => admin.disconnect())
  await admin.createPartitions({ topicPartitions: [{ topic: ground.topics.cases, count: 5 }] })
  await assert.rejects(ground.startForwarder(), (error: Error) => {
    assert.match(error.message, /ended with 1/)
    assert.match(error.message, /kafka-topics\.sh .* --alter --topic \S+retry\.1s --partitions 5/)
    return true
  })
})

test('committed offsets beyond the ends of a log are said loudly, and reading resumes at its beginning', async (t) => {
  const ground = await openGround(t, 1, {}, ['1s'])
  const remote = await targetServer(t)
  await ground.configure(rules(remote.url))
  await goesOn(ground, remote, 'c1', false)
  const admin = ground.kafka.admin()
  await admin.connect()
  t.after(() => admin.disconnect())
  const groupId = `${ground.prefix.split('.')[0] ?? ''}-group`
  for (const topic of [ground.topics.cases, retryTopic(ground.prefix, TIER_MS)])
    await admin.setOffsets({ groupId, topic, partitions: [{ partition: 0, offset: '5000' }] })
  const forwarder = await ground.startForwarder()
  for (const topic of [ground.topics.cases, retryTopic(ground.prefix, TIER_MS)])
    await forwarder.line((line) => line.event === 'log-shorter-than-committed' && line['topic'] === topic)
  await until('its changes', () => bodies(remote).some((body) => body.includes('c1')), LONG_ENOUGH_MS)
})

async function open(t: TestContext) {
  const ground = await openGround(t, 1, {}, [`${TIER_MS / 1_000}s`])
  const remote = await targetServer(t)
  await ground.configure(rules(remote.url))
  // What the copies are said to be of; nobody forwards these.
  const others = TABLE.map((_, row) => ({ partition: 0, key: caseOf(row), value: OTHERS }))
  await ground.producer.send(ground.topics.cases, others)
  return { ground, remote }
}

/** A change of a project that has no repeaters: what arrives of a row came by its copy. */
const OTHERS = caseValue({ caseId: 'other' }).replace('"demo"', '"other"')
const bodies = ({ requests }: TargetServer) => requests.map(({ body }) => body.toString())
const caseOf = (row: number): string => `row-${row}-`

async function publish(ground: Ground, topic: string): Promise<void> {
  const producer = ground.kafka.producer()
  await producer.connect()
  const messages = TABLE.map(({ says, headers, key, value }, row) => ({
    key: key === null ? null : caseOf(row),
    value: value === undefined ? caseValue({ caseId: caseOf(row) }) : value,
    partition: 0,
    headers: (headers ?? raw(JSON.stringify(header(ground, row, says)))) as Record<string, Buffer>,
  }))
  await producer.send({ topic, messages })
  await producer.disconnect()
}

const header = (ground: Ground, row: number, says: Odd['says']) => ({
  v: 1,
  repeater: 'demo/cases',
  topic: ground.topics.cases,
  partition: 0,
  offset: row,
  timestamp: Date.now(),
  attempts: 1,
  tries: 1,
  firstFailedAt: Date.now(),
  dueAt: Date.now(),
  reason: 'retry',
  epoch: 0,
  full: true,
  ...says,
})

async function judge(t: TestContext, ground: Ground, remote: TargetServer, topic: string): Promise<void> {
  const delivered = (row: number) => bodies(remote).some((body) => body.includes(caseOf(row)))
  const due = TABLE.flatMap(({ end }, row) => (end === 'delivered' ? [row] : []))
  const condemned = TABLE.length - due.length
  await goesOn(ground, remote, 'beside')
  let letters: readonly TopicRecord[] = []
  const open = () => due.filter((row) => !delivered(row)).map((row) => TABLE[row]?.input)
  await until('the deliveries', () => open().length === 0, LONG_ENOUGH_MS).catch((error: unknown) => {
    throw new Error(`${String(error)}: ${open().join(', ')}`)
  })
  await until(
    'the dead letters',
    async () => (letters = await ground.readOwn('dead-letters')).length >= condemned,
    LONG_ENOUGH_MS,
  ).catch(() => undefined)
  const told = letters.map(({ headers }) => `${String(headers['onward-reason'])} ${String(headers['onward-error'])}`)
  const printed = TABLE.map(
    ({ input, end }, row) => `${input} | ${end === 'delivered' ? end : end.join(': ')} | ${row}`,
  )
  t.diagnostic(`${topic}: input | end\n${printed.join('\n')}\ntold:\n${told.join('\n')}`)
  for (const [row, { input, end, value }] of TABLE.entries()) {
    if (end === 'delivered') continue
    assert.ok(!delivered(row), `${input}: it was delivered`)
    const [reason, piece] = end
    const mine = letters.filter(
      (letter) =>
        letter.key?.toString() === caseOf(row) &&
        String(letter.headers['onward-reason']) === reason &&
        String(letter.headers['onward-error']).includes(piece),
    )
    assert.equal(mine.length, 1, `${input}: one dead letter, ${reason}: ${piece}`)
    if (value !== undefined) assert.deepEqual(mine[0]?.value, value, `${input}: its bytes`)
  }
  assert.equal(letters.length, condemned)
  assert.ok(!remote.requests.some(({ rawHeaders }) => rawHeaders.includes('X-Evil')), 'a header was smuggled in')
}

/** A change on the source topic is delivered. */
async function goesOn(ground: Ground, remote: TargetServer, caseId: string, wait = true): Promise<void> {
  await ground.producer.send(ground.topics.cases, [{ partition: 0, key: caseId, value: caseValue({ caseId }) }])
  if (wait) {
    const arrived = () => bodies(remote).some((body) => body.includes(`"${caseId}"`))
    await until(`the change of ${caseId}`, arrived, LONG_ENOUGH_MS)
  }
}
