// Order and completeness under load, over the real broker and real sockets: 100,000 changes of 10,000 cases, 12 partitions,
// three repeaters, a receiver that answers after 0 to 50 ms; once in peace, once with a kill -9 half-way.
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { generateLoad, type LoadPlan } from '../../services/cli/publish/generate-load.ts'
import { encodeJson } from '../../services/cli/publish/open-encoder.ts'
import { sendChanges } from '../../services/cli/publish/send-changes.ts'
import type { Change } from '../../services/shared/change.ts'
import { systemClock } from '../../services/shared/clock.ts'
import type { ProducerRecord } from '../../services/shared/kafka/producer.ts'
import { readTopic } from '../../services/shared/kafka/reader.ts'
import type { ForwarderProcess } from '../support/forwarder-process.ts'
import { openGround, type Ground } from '../support/ground.ts'
import { firstOccurrences, openOrderBook, risesStrictly, type OrderBook } from '../support/order-book.ts'

const CHANGES = 100_000
const CASES = 10_000
const PARTITIONS = 12
/** Requests of one connection on the wire at once. */
const SLOTS = 200
const NEVER = ['/every-one', '/every-two'] as const
const WAITING = '/latest'
/** Commits are 250 ms apart; one that is under way while the machine is busy takes its time. */
const UNCOMMITTED_MS = 1_500
const WITHIN_MS = 240_000

test('100,000 changes of 10,000 cases arrive complete and in order at three repeaters', async (t) => {
  const { book, ground, published } = await openLoad(t, 1)
  const forwarder = await ground.startForwarder()
  await allArrived(book, published)
  await settled(forwarder)
  judge(book, published)
  for (const path of NEVER) assert.equal(book.duplicates(path), 0, `duplicates at ${path}`)
  assert.equal(await forwarder.stop('SIGTERM'), 0)
})

test('a kill -9 half-way loses nothing, keeps the order, and repeats only what was in flight or settled since the last commit', async (t) => {
  const { book, ground, published } = await openLoad(t, 2)
  const first = await ground.startForwarder()
  await book.until(() => book.count() > 1.5 * CHANGES, WITHIN_MS)
  await first.stop('SIGKILL')
  const killedAt = performance.now()
  const second = await ground.startForwarder()
  await allArrived(book, published)
  await settled(second)
  judge(book, published)

  const { repeated, unexplained } = judgeRepeats(book, published, killedAt)
  t.diagnostic(`${book.count()} requests, ${repeated} repeated, ${unexplained.length} without a reason`)
  assert.deepEqual(unexplained.slice(0, 10), [])
})

/**
 * A request may come twice when it was in flight or had settled since the last commit, or when another delivery of its
 * record was open: that is, when somebody else of the record had not heard it by then.
 */
function judgeRepeats(
  book: OrderBook,
  published: Published,
  killedAt: number,
): { repeated: number; unexplained: string[] } {
  const unexplained: string[] = []
  let repeated = 0
  const heard = (path: string, caseId: string, version: number) =>
    arrivalsOf(book, path, caseId).some(
      (arrival) => arrival.version === version && arrival.at < killedAt - UNCOMMITTED_MS,
    )
  for (const caseId of published.keys()) {
    for (const path of [...NEVER, WAITING]) {
      const seen = new Set<number>()
      for (const { version } of arrivalsOf(book, path, caseId)) {
        if (!seen.has(version)) seen.add(version)
        else {
          repeated++
          const everybody = [...NEVER, path].every((each) => heard(each, caseId, version))
          if (everybody) unexplained.push(`${path} ${caseId} ${version}`)
        }
      }
    }
  }
  return { repeated, unexplained }
}

/** Versions of each case, by case id: the truth. */
type Published = ReadonlyMap<string, readonly number[]>

async function openLoad(
  t: TestContext,
  seed: number,
): Promise<{ book: OrderBook; ground: Ground; published: Published }> {
  t.diagnostic(`seed ${seed}`)
  const ground = await openGround(t, PARTITIONS)
  const book = await openOrderBook(
    t,
    () => Math.random() * 50,
    (body) => /"case_id":"([^"]+)"/.exec(body)?.[1] ?? '',
  )
  await ground.configure(rules(book.origin))
  const published = await publish(ground, seed)
  return { book, ground, published }
}

const rules = (origin: string): string => `
project: demo
connections:
${[...NEVER, WAITING].map((path) => `  - { id: ${path.slice(1)}, url: "${origin}${path}", limits: { concurrency: ${SLOTS} } }`).join('\n')}
repeaters:
${NEVER.map((path) => `  - { id: ${path.slice(1)}, connection: ${path.slice(1)}, forward: cases, format: json, supersede: never }`).join('\n')}
  - { id: ${WAITING.slice(1)}, connection: ${WAITING.slice(1)}, forward: cases, format: json, supersede: waiting }
`

/** The truth is the topic: a send that the client repeats lies there twice, and each is a change of its own. */
async function publish(ground: Ground, seed: number): Promise<Published> {
  const plan = { kind: 'cases', count: CHANGES, cases: CASES, projects: ['demo'], zipf: null, size: 600, seed } as const
  const send = (records: readonly ProducerRecord[]) => ground.producer.send(ground.topics.cases, records)
  const signal = AbortSignal.timeout(WITHIN_MS)
  await sendChanges(
    changesOf(plan),
    { send, encode: encodeJson, perSecond: null, onSent: () => undefined },
    systemClock,
    signal,
  )
  const published = new Map<string, number[]>()
  await readTopic(ground.kafka, { topic: ground.topics.cases, signal }, ({ key, offset }) => {
    const caseId = key?.toString() ?? ''
    const versions = published.get(caseId)
    if (versions) versions.push(offset)
    else published.set(caseId, [offset])
  })
  return published
}

function* changesOf(plan: LoadPlan): Generator<Change, void, undefined> {
  for (const { change } of generateLoad(plan)) yield change
}

const arrivalsOf = (book: OrderBook, path: string, caseId: string) => book.lanes.get(`${path} ${caseId}`) ?? []

/** Complete where nothing is superseded; the newest of each case where it is. */
const allArrived = (book: OrderBook, published: Published): Promise<void> => {
  const newest = (caseId: string, versions: readonly number[]) =>
    arrivalsOf(book, WAITING, caseId).some(({ version }) => version === versions.at(-1))
  return book.until(() => {
    if (book.count() < NEVER.length * CHANGES) return false
    for (const [caseId, versions] of published) {
      if (!newest(caseId, versions)) return false
      for (const path of NEVER)
        if (firstOccurrences(arrivalsOf(book, path, caseId)).length < versions.length) return false
    }
    return true
  }, WITHIN_MS)
}

/** Repeats of the last cases may still be on their way when all has arrived once. */
async function settled(forwarder: ForwarderProcess): Promise<void> {
  const open = async () =>
    (await forwarder.metric('onward_deliveries_waiting')) + (await forwarder.metric('onward_consumer_lag_records'))
  while ((await open()) > 0) await new Promise((resolve) => setTimeout(resolve, 100))
}

function judge(book: OrderBook, published: Published): void {
  for (const [caseId, versions] of published) {
    for (const path of NEVER) {
      assert.deepEqual(firstOccurrences(arrivalsOf(book, path, caseId)), versions, `${path} ${caseId}`)
    }
    const latest = firstOccurrences(arrivalsOf(book, WAITING, caseId))
    assert.ok(risesStrictly(latest), `${WAITING} ${caseId}: ${latest.join(' ')}`)
    assert.equal(latest.at(-1), versions.at(-1), `${WAITING} ${caseId}`)
    for (const path of [...NEVER, WAITING]) {
      assert.equal(
        arrivalsOf(book, path, caseId).at(-1)?.version,
        versions.at(-1),
        `the last request of ${path} ${caseId}`,
      )
    }
  }
}
