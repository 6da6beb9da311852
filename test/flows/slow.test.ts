// A connection that is slow and well, over the real broker: what is more than it can do with waits in retry topics, so that
// nobody else waits for it: not the sources, not the memory, not what comes back for others from the same retry topics.
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { caseValue } from '../support/changes.ts'
import type { ForwarderProcess } from '../support/forwarder-process.ts'
import { openGround, type Ground } from '../support/ground.ts'
import { headerOf, targetServer, type Arrived } from '../support/target-server.ts'
import { until } from '../support/until.ts'

const LONG_ENOUGH_MS = 180_000
const SLOW = 20_000
const QUICK = 1_500
const FEW = 200
const CASES = 200
const ANSWER_MS = 2_000
const LOOK_EVERY_MS = 200
/** The bound of what is held, unless it is set. */
const HELD_BYTES_LIMIT = 64 * 1024 * 1024

const rules = (slow: string, quick: string): string => `
project: demo
connections:
  - { id: slow, url: "${slow}", limits: { concurrency: 1 } }
  - { id: quick, url: "${quick}" }
repeaters:
  - { id: slow, connection: slow, forward: cases, format: json, supersede: never, filters: { caseTypes: [slow] } }
  - { id: quick, connection: quick, forward: cases, format: json, supersede: never, filters: { caseTypes: [quick] } }
`

const caseOf = ({ body }: Arrived) => /"case_id":"([\w-]+)"/.exec(body.toString())?.[1] ?? ''
/** Where it lies: versions are of one partition. */
const placeOf = (request: Arrived) => /:(\d+:\d+)"/.exec(headerOf(request, 'Idempotency-Key') ?? '')?.[1] ?? ''

async function publish(ground: Ground, caseType: string, count: number): Promise<void> {
  const records = Array.from({ length: count }, (_, index) => {
    const caseId = `${caseType}-${index % CASES}`
    return { key: caseId, value: caseValue({ caseId, caseType, version: index }) }
  })
  for (let from = 0; from < count; from += 2_000)
    await ground.producer.send(ground.topics.cases, records.slice(from, from + 2_000))
}

/** First occurrences, in the order of each case. */
function judge(requests: readonly Arrived[], expected: number): void {
  const seen = new Set<string>()
  const newest = new Map<string, number>()
  for (const request of requests) {
    if (seen.has(placeOf(request))) continue
    seen.add(placeOf(request))
    const version = Number(headerOf(request, 'Onward-Version'))
    assert.ok(version > (newest.get(caseOf(request)) ?? -1), `${caseOf(request)}: ${version} after a newer one`)
    newest.set(caseOf(request), version)
  }
  assert.equal(seen.size, expected)
}

const placesOf = (requests: readonly Arrived[]) => new Set(requests.map(placeOf)).size

async function openSlow(t: TestContext, tiers: readonly string[]) {
  const remote = { isSlow: true }
  const slow = await targetServer(t, {
    reply: () => (remote.isSlow ? { held: pause(ANSWER_MS).then(() => 200) } : 200),
  })
  const quick = await targetServer(t)
  const ground = await openGround(t, 2, {}, tiers)
  await ground.configure(rules(slow.url, quick.url))
  return { remote, slow, quick, ground }
}

const lag = (forwarder: ForwarderProcess) => forwarder.metric('onward_consumer_lag_records')

test('20,000 changes for a connection that answers in two seconds, one at a time, keep nobody else waiting', async (t) => {
  const { slow, quick, ground } = await openSlow(t, ['1m', '5m'])
  await publish(ground, 'slow', SLOW)
  await publish(ground, 'quick', QUICK)
  const forwarder = await ground.startForwarder()
  let mostHeld = 0
  const watched = async (what: string, holds: () => boolean | Promise<boolean>) =>
    until(
      what,
      async () => {
        // A scrape costs the forwarder time that it needs for the changes.
        await pause(LOOK_EVERY_MS)
        mostHeld = Math.max(mostHeld, await forwarder.metric('onward_held_bytes'))
        return holds()
      },
      LONG_ENOUGH_MS,
    )
  await watched('all that is quick', () => placesOf(quick.requests) === QUICK)
  await watched('the sources are read', async () => (await lag(forwarder)) === 0)
  assert.ok(slow.requests.length < SLOW / 10, `${slow.requests.length} of the slow ones arrived`)

  // What is published later does not wait either.
  await publish(ground, 'quick', QUICK)
  await watched('what came later', () => placesOf(quick.requests) === 2 * QUICK)
  judge(quick.requests, 2 * QUICK)
  assert.equal(await forwarder.metric('onward_sources_paused'), 0)
  assert.ok(mostHeld < HELD_BYTES_LIMIT, `${mostHeld} bytes were held`)
  // For want of a turn, or of memory: what is read before its first answer has told how slow it is fills at most the bound.
  const parked = await forwarder.metric('onward_deliveries_parked_total', 'connection="demo/slow"')
  assert.ok(parked > SLOW / 5, `${parked} were parked`)
  t.diagnostic(
    `at most ${Math.round(mostHeld / 1024)} KiB held, ${parked} parked, ${slow.requests.length} slow ones by then`,
  )
  assert.equal(await forwarder.stop('SIGTERM'), 0)
})

test('what waited for its turn at a slow connection arrives complete and in order once it is quick, and has spent nothing', async (t) => {
  const { remote, slow, ground } = await openSlow(t, ['1s', '3s', '10s'])
  const forwarder = await ground.startForwarder()
  // Its first answer tells how slow it is.
  await publish(ground, 'slow', FEW / 2)
  await slow.received(2)
  await publish(ground, 'slow', FEW / 2)
  await until(
    'most are parked',
    async () => (await forwarder.metric('onward_deliveries_parked_total', 'reason="queue"')) > FEW / 4,
    LONG_ENOUGH_MS,
  )
  assert.equal(slow.mostAtOnce, 1)
  remote.isSlow = false
  await until('all that was slow', () => placesOf(slow.requests) === FEW, LONG_ENOUGH_MS)
  judge(slow.requests, FEW)
  assert.deepEqual([...new Set(slow.requests.map((request) => headerOf(request, 'Onward-Attempt')))], ['1'])
  await until('nothing waits', async () => (await forwarder.metric('onward_deliveries_waiting')) === 0, LONG_ENOUGH_MS)
  assert.equal(await forwarder.stop('SIGTERM'), 0)
})
