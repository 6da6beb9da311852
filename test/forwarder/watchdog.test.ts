// Who counts as stuck, and what is a reason to stand still.
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { Watchdog, type Standing } from '../../services/forwarder/watchdog.ts'
import { whySourceWaits, whyTierWaits, type Around } from '../../services/forwarder/why-waits.ts'
import { aConnection, caseValue } from '../support/changes.ts'
import { openHub } from '../support/hub.ts'
import { targetServer, type Reply } from '../support/target-server.ts'
import { aRepeater } from './render-payload/changes.ts'

const standing = (overrides: Partial<Standing> = {}): Standing => ({
  topic: 'cases',
  partition: 0,
  end: 10,
  committed: 4,
  progress: 0,
  waitsFor: null,
  ...overrides,
})

test('a partition that stands still for as long as it may is stuck, and not before', () => {
  const watchdog = new Watchdog(180_000)
  assert.deepEqual(watchdog.look(0, [standing()]), [])
  assert.deepEqual(watchdog.look(179_999, [standing({ end: 20 })]), [])
  assert.deepEqual(watchdog.look(180_000, [standing({ end: 20 })]), [standing({ end: 20 })])
})

/** In the middle of standing still: what begins it anew. */
const BEGINS_ANEW: Readonly<Record<string, readonly Standing[]>> = {
  'a commit': [standing({ committed: 5 })],
  'progress of a restoration': [standing({ progress: 1 })],
  'no lag': [standing({ end: 4 })],
  'a reason to wait': [standing({ waitsFor: 'schedule' })],
  'a partition that is not ours': [],
}
for (const [what, standings] of Object.entries(BEGINS_ANEW)) {
  test(`${what} begins the count anew`, () => {
    const watchdog = new Watchdog(100)
    watchdog.look(0, [standing()])
    watchdog.look(60, standings)
    const after = standings[0]?.waitsFor === null && standings[0].end > 4 ? standings[0] : standing()
    assert.deepEqual(watchdog.look(120, [after]), [])
    assert.deepEqual(watchdog.look(220, [after]), [after])
  })
}

test('each partition of each topic counts for itself', () => {
  const watchdog = new Watchdog(100)
  const others = [standing({ partition: 1 }), standing({ topic: 'forms' })]
  watchdog.look(0, [standing(), ...others])
  assert.deepEqual(watchdog.look(100, [standing({ committed: 5 }), ...others]), others)
})

test('what was seen before an outage says nothing after it', () => {
  const watchdog = new Watchdog(100)
  watchdog.look(0, [standing()])
  watchdog.forget()
  assert.deepEqual(watchdog.look(100, [standing()]), [])
})

// ── reasons ───────────────────────────────────────────────────────────────────────────────────────────────────────────

async function openWaiting(t: TestContext, replies: readonly Reply[] = [], schedule: readonly number[] = [1_000]) {
  const remote = await targetServer(t, { replies })
  const connection = aConnection({ url: remote.url, schedule: [...schedule] })
  const hub = openHub(t, { configured: [connection, aRepeater({ supersede: 'never', closedCase: 'full' })] })
  hub.cases.reserved = 1_000
  const around = (overrides: Partial<Around> = {}): Around => ({
    now: hub.clock.monotonic(),
    steadyNow: hub.clock.steady(),
    holdsLease: true,
    memoryIsFull: false,
    unwritten: hub.park.waiting + hub.deadLetters.waiting,
    deskOf: () => hub.forwarder.desks.find(connection.id),
    ...overrides,
  })
  const why = (overrides: Partial<Around> = {}) => whySourceWaits(hub.task, hub.cases, around(overrides))
  return { hub, remote, around, why }
}

test('a source whose records are all settled waits for nothing', async (t) => {
  const { hub, why } = await openWaiting(t)
  assert.equal(why(), null)
  hub.receive(caseValue())
  await hub.tells('demo/all@0 delivered')
  assert.equal(why(), null)
})

test('brokers that are away, a shutdown, a schema and full memory are reasons', async (t) => {
  const { hub, why } = await openWaiting(t)
  assert.equal(why({ holdsLease: false }), 'brokers')
  assert.equal(why({ memoryIsFull: true }), 'memory')
  hub.cases.needsSchema = true
  assert.equal(why(), 'schema')
  hub.task.draining = true
  assert.equal(why(), 'stopping')
})

test('an attempt on the wire, then the wait of the schedule, are reasons; an instant that has passed is none', async (t) => {
  const answer = Promise.withResolvers<Reply>()
  const { hub, remote, why } = await openWaiting(t, [{ held: answer.promise }])
  hub.receive(caseValue())
  await remote.received(1)
  assert.equal(why(), 'attempt')
  answer.resolve(503)
  await hub.tells('demo/all@0 503')
  assert.equal(why(), 'schedule')
  assert.equal(why({ now: hub.clock.monotonic() + 10_000 }), null)
})

test('a dead letter that the brokers have not acknowledged is a reason', async (t) => {
  const { hub, why } = await openWaiting(t, [422])
  hub.deadLetters.hold()
  hub.receive(caseValue())
  await hub.tells('demo/all@0 422')
  assert.equal(why(), 'writing')
  hub.deadLetters.acknowledge()
  await hub.tells('demo/all@0 dead-letter')
  assert.equal(why(), null)
})

test('a lane whose turn has come and that nobody calls is no reason', async (t) => {
  const { hub, why } = await openWaiting(t)
  hub.lease.holds = false
  hub.receive(caseValue())
  assert.equal(why(), 'connection')
  assert.equal(why({ holdsLease: false }), 'brokers')
  assert.equal(why({ now: hub.clock.monotonic() + 60_000 }), null)
})

test('a record that is open and in no lane is no reason', async (t) => {
  const { hub, why } = await openWaiting(t)
  hub.cases.offsets.open(0)
  hub.cases.position = 1
  assert.equal(why(), null)
  assert.equal(why({ unwritten: 1 }), 'writing')
})

test('a retry topic waits for its next instant, and for the sources that are read again', async (t) => {
  const { hub, around } = await openWaiting(t)
  const [tier] = hub.task.tiers.values()
  assert.ok(tier)
  assert.equal(whyTierWaits(hub.task, tier, around()), null)
  tier.nextDueAt = hub.clock.steady() + 1
  assert.equal(whyTierWaits(hub.task, tier, around()), 'schedule')
  tier.nextDueAt = hub.clock.steady()
  assert.equal(whyTierWaits(hub.task, tier, around()), null)
  hub.cases.rereading = true
  assert.equal(whyTierWaits(hub.task, tier, around()), 'sources')
  tier.stopped = true
  assert.equal(whyTierWaits(hub.task, tier, around()), 'memory')
})

test('a copy that is open and in no lane is no reason, unless it is being written', async (t) => {
  const { hub, around } = await openWaiting(t)
  const [tier] = hub.task.tiers.values()
  assert.ok(tier)
  tier.offsets.open(0)
  assert.equal(whyTierWaits(hub.task, tier, around()), null)
  assert.equal(whyTierWaits(hub.task, tier, around({ unwritten: 1 })), 'writing')
})
