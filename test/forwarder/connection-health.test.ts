import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { shareOf } from '../../services/forwarder/connection-desk.ts'
import { ConnectionHealth } from '../../services/forwarder/connection-health.ts'
import type { Outcome } from '../../services/forwarder/outcome.ts'
import { caseId, laneKey, repeaterId, type LaneKey } from '../../services/shared/ids.ts'
import { demo } from '../support/changes.ts'
import { holdsFor } from '../support/property.ts'

const lane = laneKey(repeaterId(demo, 'all'), caseId('c1'))
const laneOf = (number: number) => laneKey(repeaterId(demo, 'all'), caseId(`c${number}`))
const answered = (status: number): Outcome => ({ kind: 'answered', status, retryAfter: null, excerpt: '' })
const accepted = answered(200)
const limits = (concurrency: number, rate: number | null = null) => ({ concurrency, rate, timeout: 30_000 })

test('no more start than there are slots, and one that ends frees its own', () => {
  const health = new ConnectionHealth(limits(2), 0)
  health.begin(0, lane)
  assert.equal(health.turn(0, lane).kind, 'go')
  health.begin(0, lane)
  assert.equal(health.turn(0, lane).kind, 'full')
  health.end(0, lane, accepted, 1)
  assert.equal(health.turn(0, lane).kind, 'go')
  assert.equal(health.inFlight, 1)
})

test('nothing starts before the remote said, and a shorter wish does not take back a longer one', () => {
  const health = new ConnectionHealth(limits(2), 0)
  health.silence(5_000)
  health.silence(3_000)
  assert.deepEqual(health.turn(4_999, lane), { kind: 'wait', until: 5_000 })
  assert.equal(health.turn(5_000, lane).kind, 'go')
})

test('fewer slots hold from the next turn on: what runs goes on', () => {
  const health = new ConnectionHealth(limits(3), 0)
  for (let i = 0; i < 3; i++) health.begin(0, lane)
  health.limit(limits(1))
  health.end(0, lane, accepted, 1)
  assert.equal(health.turn(0, lane).kind, 'full')
  health.end(0, lane, accepted, 1)
  assert.equal(health.turn(0, lane).kind, 'full')
  health.end(0, lane, accepted, 1)
  assert.equal(health.turn(0, lane).kind, 'go')
})

test('a rate below one a second still lets one go when its time has come', () => {
  const health = new ConnectionHealth(limits(5, 0.1), 0)
  assert.equal(health.turn(0, lane).kind, 'go')
  health.begin(0, lane)
  assert.deepEqual(health.turn(0, lane), { kind: 'wait', until: 10_000 })
  assert.equal(health.turn(10_000, lane).kind, 'go')
})

test('a rate that is set while requests run holds from then on', () => {
  const health = new ConnectionHealth(limits(100), 0)
  health.begin(0, lane)
  health.limit(limits(100, 10))
  let started = 0
  for (let now = 0; now <= 5_000; now++) {
    while (health.turn(now, lane).kind === 'go') {
      health.begin(0, lane)
      health.end(0, lane, accepted, 1)
      started++
    }
  }
  assert(started <= 10 + 50 && started >= 45, `${started}`)
})

test('a rate is kept over any span, with one second of burst at most, and is used up when there is enough to do', (t) => {
  holdsFor(
    t,
    fc.property(
      fc.integer({ min: 1, max: 200 }),
      fc.array(fc.integer({ min: 1, max: 3_000 }), { maxLength: 40 }),
      (rate, pauses) => {
        const health = new ConnectionHealth(limits(1_000_000, rate), 0)
        const starts: number[] = []
        let now = 0
        for (const pause of pauses) {
          const until = now + pause
          for (;;) {
            const turn = health.turn(now, lane)
            if (turn.kind === 'go') {
              health.begin(now, lane)
              health.end(now, lane, accepted, 1)
              starts.push(now)
            } else {
              assert(turn.kind === 'wait' && turn.until > now)
              if (turn.until > until) break
              now = turn.until
            }
          }
          now = until
        }
        for (const [first, from] of starts.entries()) {
          const count = starts.filter((at, index) => index >= first && at < from + 1_000).length
          assert(count <= 2 * rate + 1, `${count} within a second at a rate of ${rate}`)
        }
        // Each wait is rounded up to a whole millisecond, so a little of the rate is left unused.
        assert(starts.length >= Math.floor((now / 1_000) * rate * 0.8), `${starts.length} in ${now} ms at ${rate}`)
      },
    ),
    60,
  )
})

test('the shares of a group never add up to more than the limit, except for the one slot that everybody has', (t) => {
  holdsFor(
    t,
    fc.property(
      fc.integer({ min: 1, max: 200 }),
      fc.array(fc.integer({ min: 1, max: 24 }), { minLength: 1, maxLength: 8 }),
      (slots, owned) => {
        const numbers = owned.reduce((sum, count) => sum + count, 0)
        const shares = owned.map((count) => shareOf(limits(slots, 60), count / numbers))
        const above = shares
          .filter(({ concurrency }) => concurrency > 1)
          .reduce((sum, { concurrency }) => sum + concurrency, 0)
        assert(above <= slots, `${shares.map(({ concurrency }) => concurrency).join(' + ')} of ${slots}`)
        assert(shares.every(({ concurrency }) => concurrency >= 1))
        const rate = shares.reduce((sum, share) => sum + (share.rate ?? 0), 0)
        assert(Math.abs(rate - 60) < 1e-6)
      },
    ),
  )
})

test('who owns everything has every slot', () => {
  for (let slots = 1; slots <= 100; slots++) assert.equal(shareOf(limits(slots), 1).concurrency, slots)
  for (let of = 1; of <= 60; of++) assert.equal(shareOf(limits(of), 1 / of).concurrency, 1)
  for (let of = 1; of <= 60; of++) assert.equal(shareOf(limits(7 * of), 1 / of).concurrency, 7, `a share of 1/${of}`)
})

/** Ten lanes fail in a row, each within a millisecond. */
function broken(health: ConnectionHealth, now: number): void {
  for (let failing = 0; failing < 10; failing++) {
    health.begin(now, laneOf(failing))
    health.end(now, laneOf(failing), answered(503), 1)
  }
}

test('a broken connection parks what comes until its probe is due, and spends no try of what failed by it', () => {
  const health = new ConnectionHealth(limits(4), 0)
  for (let failing = 0; failing < 9; failing++) {
    health.begin(10, laneOf(failing))
    assert.deepEqual(health.end(10, laneOf(failing), answered(503), 1), { sparesTry: false, transition: null })
  }
  health.begin(10, laneOf(9))
  const { sparesTry, transition } = health.end(10, laneOf(9), answered(503), 1)
  assert.equal(sparesTry, true)
  assert.equal(transition?.kind, 'opened')
  assert.deepEqual([health.state, health.slots, health.openFor(3_010)], ['open', 1, 3_000])
  assert.deepEqual(health.turn(10, lane), { kind: 'park', reason: 'open', until: 5_010 })
  assert.equal(health.turn(5_010, lane).kind, 'go')
})

test('what was on the wire when the connection broke keeps no probe back, spares its try, and changes nothing', () => {
  const health = new ConnectionHealth(limits(4), 0)
  for (let hanging = 20; hanging < 23; hanging++) health.begin(0, laneOf(hanging))
  broken(health, 10)
  assert.equal(health.turn(5_010, laneOf(30)).kind, 'go')
  health.begin(5_010, laneOf(30))
  assert.deepEqual(health.end(5_020, laneOf(20), answered(503), 5_020), { sparesTry: true, transition: null })
  assert.deepEqual(health.end(5_020, laneOf(21), accepted, 5_020), { sparesTry: false, transition: null })
  assert.deepEqual(health.end(5_020, laneOf(30), answered(400), 10), { sparesTry: false, transition: null })
  health.begin(5_020, laneOf(31))
  assert.equal(health.end(5_030, laneOf(31), accepted, 10).transition?.kind, 'closed')
  // It was sent to the remote as it was before.
  assert.deepEqual(health.end(30_000, laneOf(22), { kind: 'broken', error: '' }, 30_000), {
    sparesTry: false,
    transition: null,
  })
})

test('who comes back after a break begins with one slot, also when all failed in one burst', () => {
  const health = new ConnectionHealth(limits(100), 0)
  for (let failing = 0; failing < 10; failing++) health.begin(0, laneOf(failing))
  for (let failing = 0; failing < 9; failing++) health.end(10, laneOf(failing), answered(503), 10)
  assert.equal(health.slots, 50)
  health.end(10, laneOf(9), answered(503), 10)
  assert.equal(health.slots, 1)
})

test('a probe needs a slot of the configured ones, a token, and no silence', () => {
  const full = new ConnectionHealth(limits(2), 0)
  for (const hanging of [20, 21]) full.begin(0, laneOf(hanging))
  broken(full, 10)
  assert.equal(full.turn(5_010, lane).kind, 'full')

  const slow = new ConnectionHealth(limits(4, 0.1), 0)
  broken(slow, 10)
  assert.equal(slow.turn(5_010, lane).kind, 'wait')

  const silent = new ConnectionHealth(limits(4), 0)
  broken(silent, 10)
  silent.silence(60_000)
  assert.deepEqual(silent.turn(10, lane), { kind: 'park', reason: 'open', until: 60_000 })
  assert.deepEqual(silent.turn(5_010, lane), { kind: 'park', reason: 'open', until: 60_000 })
  assert.equal(silent.turn(60_000, lane).kind, 'go')
})

test("the failed probe's lane is spared once when the next is due, and not while nobody could go", () => {
  const health = new ConnectionHealth(limits(1, 1), 0)
  broken(health, 10)
  assert.equal(health.turn(20_010, lane).kind, 'go')
  health.begin(20_010, lane)
  assert.equal(health.end(20_020, lane, answered(503), 10).transition?.probeAt, 30_020)
  health.silence(40_000)
  assert.deepEqual(health.turn(30_020, lane), { kind: 'park', reason: 'open', until: 40_000 })
  assert.deepEqual(health.turn(40_000, lane), { kind: 'park', reason: 'spared', until: 40_000 })
  assert.equal(health.turn(40_000, lane).kind, 'go')
})

test('a connection that leads elsewhere starts afresh, and hears nothing of the old remote', () => {
  const health = new ConnectionHealth(limits(4), 0)
  broken(health, 10)
  health.begin(5_010, lane)
  health.silence(3_600_000)
  health.forget()
  assert.deepEqual([health.state, health.slots, health.inFlight, health.openFor(7_000)], ['closed', 4, 1, 0])
  assert.equal(health.turn(6_000, laneOf(2)).kind, 'go')
  assert.deepEqual(health.end(7_000, lane, { kind: 'aborted' }, 1_990), { sparesTry: false, transition: null })
  assert.deepEqual([health.state, health.slots], ['closed', 4])
})

test('in any life of a connection its bounds hold, and once the remote is well everything goes again', (t) => {
  const step = fc.record({
    pause: fc.integer({ min: 0, max: 20_000 }),
    lane: fc.nat(6),
    duration: fc.integer({ min: 0, max: 40_000 }),
    status: fc.constantFrom(200, 200, 400, 401, 403, 429, 500, 503, 0, -1, -2, -3),
    silence: fc.constantFrom(0, 0, 0, 0, 30_000),
    cap: fc.option(fc.integer({ min: 1, max: 12 }), { nil: null, freq: 8 }),
    forget: fc.constantFrom(false, false, false, false, false, false, false, false, true),
  })
  const outcomeOf = (status: number): Outcome => {
    if (status > 0) return answered(status)
    if (status === 0) return { kind: 'aborted' }
    return { kind: status === -1 ? 'unreachable' : status === -2 ? 'broken' : 'address-not-allowed', error: '' }
  }
  holdsFor(
    t,
    fc.property(fc.integer({ min: 1, max: 12 }), fc.array(step, { maxLength: 200 }), (firstCap, steps) => {
      const health = new ConnectionHealth(limits(firstCap), 0)
      let cap = firstCap
      let now = 0
      const wire = new Map<LaneKey, { startedAt: number; endsAt: number; status: number; probe: boolean }>()
      const endUntil = (until: number) => {
        const ending = [...wire].filter(([, { endsAt }]) => endsAt <= until)
        for (const [key, { startedAt, endsAt, status }] of ending.toSorted((a, b) => a[1].endsAt - b[1].endsAt)) {
          wire.delete(key)
          const before = health.state
          const { sparesTry, transition } = health.end(endsAt, key, outcomeOf(status), endsAt - startedAt)
          assert(!sparesTry || health.state !== 'closed')
          assert.equal(health.inFlight, wire.size)
          if (transition) assert.notEqual(health.state, before)
        }
      }
      for (const { pause, lane: number, duration, status, silence, cap: newCap, forget } of steps) {
        now += pause
        endUntil(now)
        if (newCap !== null) health.limit(limits((cap = newCap)))
        if (silence > 0) health.silence(now + silence)
        if (forget) {
          health.forget()
          for (const request of wire.values()) request.probe = false
        }
        assert(health.slots >= 1 && health.slots <= cap, `${health.slots} slots of ${cap}`)
        assert.equal(health.openFor(now) > 0 && health.state === 'closed', false)
        const key = laneOf(number)
        if (wire.has(key)) continue
        const turn = health.turn(now, key)
        if (turn.kind === 'wait' || (turn.kind === 'park' && turn.reason === 'open')) assert(turn.until > now)
        if (turn.kind === 'park') assert.notEqual(health.state, 'closed')
        if (turn.kind !== 'go') continue
        assert(wire.size < cap)
        const probe = health.state !== 'closed'
        assert(!probe || ![...wire.values()].some((other) => other.probe), 'two probes at once')
        health.begin(now, key)
        wire.set(key, { startedAt: now, endsAt: now + duration, status, probe })
      }
      // Calm: the remote accepts everything, and somebody always asks.
      endUntil(Infinity)
      now += 100_000
      for (let asked = 0; health.state !== 'closed' || health.slots < cap; asked++) {
        assert(asked < 2_000, `${health.state}, ${health.slots} of ${cap} slots`)
        const started: LaneKey[] = []
        for (let number = 0; number <= cap; number++) {
          if (health.turn(now, laneOf(number)).kind !== 'go') continue
          health.begin(now, laneOf(number))
          started.push(laneOf(number))
        }
        now += 10
        for (const key of started) health.end(now, key, accepted, 10)
      }
    }),
  )
})
