// What a rebalance costs: two forwarders share the work, a third joins, one of the first leaves, and changes are published all the
// while. A pause is the time in which a change lay there for a partition and a connection and none arrived. What is promised of it
// is asserted, far above what was measured: 5 s where endpoints answer within a second, 8 s beside one that hangs.
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { sampleChanges } from '../../services/cli/publish/sample-changes.ts'
import { readTopic } from '../../services/shared/kafka/reader.ts'
import { renderWireDocument } from '../../services/shared/wire/render-document.ts'
import { caseValue } from '../support/changes.ts'
import type { ForwarderProcess } from '../support/forwarder-process.ts'
import { openGround, type Ground } from '../support/ground.ts'
import { firstOccurrences, openOrderBook, type OrderBook } from '../support/order-book.ts'
import { targetServer } from '../support/target-server.ts'
import { until } from '../support/until.ts'

const PARTITIONS = 12
const CASES_OF_PARTITION = 8
/** One change of each partition. */
const PUBLISH_EVERY_MS = 250
/** Every request is answered within a second. */
const LATENCY_MS = { least: 50, most: 900 }
const PARKED = 10
/** In which everything goes its usual way, before and between. */
const QUIET_MS = 4_000
const LONG_ENOUGH_MS = 120_000
const PATHS = ['/one', '/two'] as const
const [sampleForm] = sampleChanges()

test('two forwarders share the work, a third joins, one leaves: no pause over 5 s, nothing twice, nothing lost, in order', async (t) => {
  const { ground, book, odd } = await openRoom(t)
  const published = await shareTheWork(t, ground, async () => {
    await until('some are parked', async () => odd.requests.length >= PARKED, LONG_ENOUGH_MS)
  })
  await allArrived(book, published)
  judgeOrder(book, published)
  assert.deepEqual(
    PATHS.map((path) => book.duplicates(path)),
    [0, 0],
    'came twice',
  )
  assert.equal(odd.requests.length, PARKED, 'what is parked is not attempted by a rebalance')
  assertPauses(t, book, published, 5_000)
})

test('beside an endpoint that hangs, no pause of the others over 8 s when forwarders join and leave', async (t) => {
  const { ground, book } = await openRoom(t, 'silence')
  const published = await shareTheWork(t, ground, async () => undefined)
  await allArrived(book, published)
  judgeOrder(book, published)
  assertPauses(t, book, published, 8_000)
})

/** When each change was acknowledged to its publisher, by partition and offset. */
type Published = readonly (readonly number[])[]

async function openRoom(t: TestContext, oddly: 'silence' | 423 = 423) {
  const { least, most } = LATENCY_MS
  const book = await openOrderBook(
    t,
    () => least + Math.random() * (most - least),
    (body) => /"case_id":"([^"]+)"/.exec(body)?.[1] ?? '',
  )
  const odd = await targetServer(t, { reply: () => oddly })
  const ground = await openGround(t, PARTITIONS)
  await ground.configure(`
project: demo
connections:
${PATHS.map((path) => `  - { id: ${path.slice(1)}, url: "${book.origin}${path}", limits: { concurrency: 200 } }`).join('\n')}
  - { id: odd, url: "${odd.url}", schedule: [10m, 10m] }
repeaters:
${PATHS.map((path) => `  - { id: ${path.slice(1)}, connection: ${path.slice(1)}, forward: cases, format: json, supersede: never }`).join('\n')}
  - { id: odd, connection: odd, forward: forms, format: json }
`)
  return { ground, book, odd }
}

/** @param prepared awaited before anybody joins or leaves */
async function shareTheWork(t: TestContext, ground: Ground, prepared: () => Promise<void>): Promise<Published> {
  const first = await ground.startForwarder()
  const second = await ground.startForwarder()
  await owns(second, PARTITIONS / 2)
  await ground.producer.send(
    ground.topics.forms,
    Array.from({ length: PARKED }, (_, number) => aForm(number)),
  )
  await prepared()
  const stop = new AbortController()
  const publishing = publish(ground, stop.signal)
  const at = (what: string) => t.diagnostic(`${what} at ${Math.round(performance.now())} ms`)
  await pause(QUIET_MS)
  at('a third is started')
  const third = await ground.startForwarder()
  await owns(third, PARTITIONS / 3)
  at('it owns its share')
  await pause(QUIET_MS)
  at('one is asked to leave')
  assert.equal(await first.stop('SIGTERM'), 0)
  at('it has left')
  await owns(third, PARTITIONS / 2)
  at('the others own all')
  await pause(QUIET_MS)
  stop.abort()
  return await publishing
}

const owns = ({ lines }: ForwarderProcess, numbers: number): Promise<unknown> =>
  until(
    `it owns ${numbers} partition numbers`,
    async () => {
      await pause(50)
      const assigned = lines.findLast(({ event }) => event === 'partitions-assigned')
      return assigned !== undefined && String(assigned['numbers']).split(',').filter(Boolean).length === numbers
    },
    LONG_ENOUGH_MS,
  )

const aForm = (number: number) => ({
  key: `form-case-${number}`,
  value: JSON.stringify({
    ...renderWireDocument(sampleForm),
    form_id: `form-${number}`,
    case_ids: [`form-case-${number}`],
  }),
})

/** Until the signal aborts, whatever is going on with the forwarders. */
async function publish(ground: Ground, signal: AbortSignal): Promise<Published> {
  const published: number[][] = Array.from({ length: PARTITIONS }, () => [])
  for (let round = 0; !signal.aborted; round++) {
    const records = published.map((_, partition) => {
      const caseId = `p${partition}-c${round % CASES_OF_PARTITION}`
      return { partition, key: caseId, value: caseValue({ caseId, version: round }) }
    })
    await ground.producer.send(ground.topics.cases, records)
    for (const acknowledged of published) acknowledged.push(performance.now())
    await pause(PUBLISH_EVERY_MS, undefined, { signal }).catch(() => undefined)
  }
  let lying = 0
  await readTopic(ground.kafka, { topic: ground.topics.cases, signal: AbortSignal.timeout(LONG_ENOUGH_MS) }, () => {
    lying++
  })
  assert.equal(
    lying,
    published.flat().length,
    'the client repeated a send: the offsets are not what they are taken for',
  )
  return published
}

const allArrived = (book: OrderBook, published: Published): Promise<void> => {
  const expected = PATHS.length * published.flat().length
  const seen = () => [...book.lanes.values()].reduce((sum, arrivals) => sum + firstOccurrences(arrivals).length, 0)
  return book.until(() => book.count() >= expected && seen() === expected, LONG_ENOUGH_MS)
}

function judgeOrder(book: OrderBook, published: Published): void {
  for (const [partition, acknowledged] of published.entries())
    for (let number = 0; number < CASES_OF_PARTITION; number++)
      for (const path of PATHS) {
        const lane = `${path} p${partition}-c${number}`
        const versions = acknowledged
          .map((_, offset) => offset)
          .filter((offset) => offset % CASES_OF_PARTITION === number)
        const arrived = firstOccurrences(book.lanes.get(lane) ?? [])
        assert.deepEqual(arrived, versions, lane)
        assert.equal(book.lanes.get(lane)?.at(-1)?.version, versions.at(-1), `the last request of ${lane}`)
      }
}

function assertPauses(t: TestContext, book: OrderBook, published: Published, most: number): void {
  for (const path of PATHS) {
    const pauses = published.map((acknowledged, partition) => longestPause(book, path, partition, acknowledged))
    const shown = pauses.map(({ length, at }, partition) => `${partition}: ${Math.round(length)} at ${Math.round(at)}`)
    t.diagnostic(`longest pauses of ${path}, ms by partition: ${shown.join(', ')}`)
    const longest = Math.max(...pauses.map(({ length }) => length))
    assert(longest <= most, `${path} paused for ${Math.round(longest)} ms`)
  }
}

/** A change that is not there yet is nobody's pause: it begins when the change was acknowledged, or the one before arrived. */
function longestPause(book: OrderBook, path: string, partition: number, acknowledged: readonly number[]) {
  const arrivals = [...book.lanes]
    .filter(([lane]) => lane.startsWith(`${path} p${partition}-`))
    .flatMap(([, ofLane]) => ofLane)
    .toSorted((one, other) => one.at - other.at)
  let longest = { length: 0, at: 0 }
  let before = 0
  for (const { version, at } of arrivals) {
    const length = at - Math.max(before, acknowledged[version] ?? at)
    if (length > longest.length) longest = { length, at }
    before = at
  }
  return longest
}
