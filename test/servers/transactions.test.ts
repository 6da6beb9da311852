// Transactions of Confluent's Python client: what was aborted never existed, what was committed is delivered, and the control
// records between, which no consumer is handed, hold nothing up, neither while reading on nor after a restart.
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { openGround } from '../support/ground.ts'
import { sharedStack } from '../support/stack.ts'
import { targetServer } from '../support/target-server.ts'
import { until } from '../support/until.ts'
import { caseDocument } from './guide-samples.ts'
import { kcatProduces, runPython } from './run-program.ts'

type Step =
  | readonly ['begin' | 'abort' | 'commit', producer: string]
  | readonly ['produce', producer: string, caseId: string, document: string]

const ARRIVES_WITHIN_MS = 30_000
/** A forwarder that waits for an offset no record has gives up after 10 s; none must come near it. */
const SOON_MS = 8_000

const change = (name: string): string => JSON.stringify({ ...caseDocument, case_id: name, case_name: name })
const produce = (producer: string, ...names: readonly string[]): readonly Step[] =>
  names.map((name) => ['produce', producer, name, change(name)] as const)

async function openScene(t: TestContext) {
  const { brokers } = await sharedStack()
  const remote = await targetServer(t)
  const ground = await openGround(t, 1)
  await ground.configure(`project: demo
connections:
  - { id: remote, name: Remote, url: "${remote.url}" }
repeaters:
  - { id: cases, connection: remote, forward: cases, format: json, supersede: never }
`)
  const topic = ground.topics.cases
  return {
    ground,
    transact: (steps: readonly Step[]) =>
      runPython('transactions.py', { brokers: brokers.join(','), topic, partition: 0, steps }),
    publish: (name: string) => kcatProduces({ brokers, topic }, [[name, change(name)]]),
    /** Case ids in the order of arrival, once the one that was published last is among them. */
    arrivedUpTo: async (last: string, within = ARRIVES_WITHIN_MS) => {
      const arrived = () => remote.requests.map(({ body }) => (JSON.parse(String(body)) as { case_id: string }).case_id)
      await until(`${last} arrives`, () => arrived().includes(last), within)
      return arrived()
    },
    /** The group's committed offset, and the log's end. */
    committed: async () => {
      const admin = ground.kafka.admin()
      await admin.connect()
      try {
        const groupId = `${topic.split('.')[0] ?? ''}-group`
        const [group] = await admin.fetchOffsets({ groupId, topics: [topic] })
        const [end] = await admin.fetchTopicOffsets(topic)
        return { committed: Number(group?.partitions[0]?.offset), end: Number(end?.offset) }
      } finally {
        await admin.disconnect()
      }
    },
  }
}

test('an aborted transaction is never forwarded, a committed one is, and the partition goes on past both', async (t) => {
  const { ground, transact, publish, arrivedUpTo } = await openScene(t)
  await ground.startForwarder()
  await transact([
    ['begin', 'one'],
    ...produce('one', 'aborted-1', 'aborted-2'),
    ['abort', 'one'],
    ['begin', 'one'],
    ...produce('one', 'committed-1', 'committed-2'),
    ['commit', 'one'],
    ['begin', 'one'],
    ...produce('one', 'aborted-3'),
    ['abort', 'one'],
  ])
  await publish('after')
  const arrived = await arrivedUpTo('after')
  assert.deepEqual(arrived.toSorted(), ['after', 'committed-1', 'committed-2'])
})

test('of transactions of two producers that overlap, only the committed one is forwarded, whichever ended first', async (t) => {
  const { ground, transact, publish, arrivedUpTo } = await openScene(t)
  // All of it in the log before anything is read: one fetch then holds every transaction.
  await transact([
    ['begin', 'early'],
    ...produce('early', 'early-aborted-1'),
    ['begin', 'late'],
    ...produce('late', 'late-aborted-1'),
    ...produce('early', 'early-aborted-2'),
    ['abort', 'late'],
    ...produce('early', 'early-aborted-3'),
    ['begin', 'late'],
    ...produce('late', 'late-committed-1'),
    ['abort', 'early'],
    ...produce('late', 'late-committed-2'),
    ['commit', 'late'],
  ])
  await publish('after')
  await ground.startForwarder()
  const arrived = await arrivedUpTo('after')
  assert.deepEqual(arrived.toSorted(), ['after', 'late-committed-1', 'late-committed-2'])
})

test('an open transaction is not forwarded before it is committed, and records behind it come after it', async (t) => {
  const { ground, transact, publish, arrivedUpTo } = await openScene(t)
  const forwarder = await ground.startForwarder()
  await transact([
    ['begin', 'one'],
    ...produce('one', 'aborted'),
    // The client's end leaves the transaction open; the next client of the same id fences and aborts it.
  ])
  await publish('behind')
  assert.equal(await forwarder.metric('onward_changes_consumed_total'), 0)
  await transact([['begin', 'one'], ...produce('one', 'committed'), ['commit', 'one']])
  await publish('after')
  assert.deepEqual(await arrivedUpTo('after'), ['behind', 'committed', 'after'])
})

for (const [how, signal] of [
  ['restarted', 'SIGTERM'],
  ['killed and started again', 'SIGKILL'],
] as const) {
  test(`a forwarder ${how} where the log ends in control records forwards the next change at once`, async (t) => {
    const { ground, transact, publish, arrivedUpTo } = await openScene(t)
    const first = await ground.startForwarder()
    await publish('before')
    await arrivedUpTo('before')
    await first.stop(signal)
    await transact([
      ['begin', 'one'],
      ...produce('one', 'committed'),
      ['commit', 'one'],
      ['begin', 'one'],
      ...produce('one', 'aborted'),
      ['abort', 'one'],
    ])
    const second = await ground.startForwarder()
    await arrivedUpTo('committed', SOON_MS)
    await publish('after')
    const arrived = await arrivedUpTo('after', SOON_MS)
    assert.deepEqual([...new Set(arrived)], ['before', 'committed', 'after'])
    assert.deepEqual(
      second.lines.filter(({ event }) => event === 'horizon-not-reached'),
      [],
    )
  })
}

test('the committed offset reaches the end of a log that ends in control records, so that nobody sees lag where none is', async (t) => {
  const { ground, transact, arrivedUpTo, committed } = await openScene(t)
  const forwarder = await ground.startForwarder()
  await transact([
    ['begin', 'one'],
    ...produce('one', 'committed'),
    ['commit', 'one'],
    ['begin', 'one'],
    ...produce('one', 'aborted'),
    ['abort', 'one'],
  ])
  await arrivedUpTo('committed')
  const behind = async () => {
    const { committed: offset, end } = await committed()
    return end - offset
  }
  for (const giveUpAt = performance.now() + SOON_MS; (await behind()) > 0;) {
    assert.ok(performance.now() < giveUpAt, `${await behind()} behind the end of the log`)
  }
  assert.equal(await forwarder.metric('onward_consumer_lag_records'), 0)
})
