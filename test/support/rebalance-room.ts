// A room in which forwarders come and go: a publisher that sends a change of each partition all the while, remotes that answer
// within a second and write down what they get, and the judgement: order, what came twice, and the longest pause.
// A pause is the time in which a change lay there for a partition and a connection and none arrived.
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { readTopic } from '../../services/shared/kafka/reader.ts'
import { caseValue } from './changes.ts'
import type { ForwarderProcess } from './forwarder-process.ts'
import type { Ground } from './ground.ts'
import { firstOccurrences, openOrderBook, type OrderBook } from './order-book.ts'
import { until } from './until.ts'

export const PARTITIONS = 12
const CASES_OF_PARTITION = 8
/** One change of each partition. */
const PUBLISH_EVERY_MS = 250
/** Every request is answered within a second. */
const LATENCY_MS = { least: 50, most: 900 }
const LONG_ENOUGH_MS = 120_000
/** Of the two remotes; each is a connection and a repeater of its own. */
const PATHS = ['/one', '/two'] as const

export const openBook = (t: TestContext): Promise<OrderBook> => {
  const { least, most } = LATENCY_MS
  return openOrderBook(
    t,
    () => least + Math.random() * (most - least),
    (body) => /"case_id":"([^"]+)"/.exec(body)?.[1] ?? '',
  )
}

/** @param connections more of them @param repeaters more of them: lines of a forwarding file */
export const rulesFor = (book: OrderBook, connections = '', repeaters = ''): string => `
project: demo
connections:
${PATHS.map((path) => `  - { id: ${path.slice(1)}, url: "${book.origin}${path}", limits: { concurrency: 200 } }`).join('\n')}
${connections}
repeaters:
${PATHS.map((path) => `  - { id: ${path.slice(1)}, connection: ${path.slice(1)}, forward: cases, format: json, supersede: never }`).join('\n')}
${repeaters}
`

export const owns = ({ lines }: ForwarderProcess, numbers: number): Promise<unknown> =>
  until(
    `it owns ${numbers} partition numbers`,
    async () => {
      await pause(50)
      const assigned = lines.findLast(({ event }) => event === 'partitions-assigned')
      return assigned !== undefined && String(assigned['numbers']).split(',').filter(Boolean).length === numbers
    },
    LONG_ENOUGH_MS,
  )

/** When each change was acknowledged to its publisher, by partition and offset. */
export type Published = readonly (readonly number[])[]

/** Until the signal aborts, whatever is going on with the forwarders. */
export async function publishTo(ground: Ground, signal: AbortSignal): Promise<Published> {
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

export const allArrived = (book: OrderBook, published: Published): Promise<void> => {
  const expected = PATHS.length * published.flat().length
  const seen = () => [...book.lanes.values()].reduce((sum, arrivals) => sum + firstOccurrences(arrivals).length, 0)
  return book.until(() => book.count() >= expected && seen() === expected, LONG_ENOUGH_MS)
}

export function judgeOrder(book: OrderBook, published: Published): void {
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

export function assertPauses(t: TestContext, book: OrderBook, published: Published, most: number): void {
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

export const judgeNothingTwice = (book: OrderBook): void =>
  assert.deepEqual(
    PATHS.map((path) => book.duplicates(path)),
    [0, 0],
    'came twice',
  )
