import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Breaker, tierWhileOpen, weigh, type Weight } from '../../services/forwarder/breaker.ts'
import type { Outcome } from '../../services/forwarder/outcome.ts'
import { caseId, laneKey, repeaterId } from '../../services/shared/ids.ts'
import { demo } from '../support/changes.ts'
import { holdsFor } from '../support/property.ts'

const laneOf = (number: number) => laneKey(repeaterId(demo, 'all'), caseId(`c${number}`))
const MINUTE = 60_000

/** Outcomes of attempts that ran while it was closed, each of another lane unless `lanes` says of how many. */
function shown(breaker: Breaker, weights: readonly Weight[], lanes = 100): number | undefined {
  for (const [index, weight] of weights.entries()) {
    breaker.begin(index, laneOf(index % lanes))
    if (breaker.end(index, laneOf(index % lanes), weight)?.kind === 'opened') return index + 1
  }
  return undefined
}
const times = (count: number, ...weights: readonly Weight[]): readonly Weight[] =>
  Array.from({ length: count }, () => weights).flat()

const opened = (weights: readonly Weight[] = times(10, 'failure')): Breaker => {
  const breaker = new Breaker()
  assert.notEqual(shown(breaker, weights), undefined)
  return breaker
}

/** @returns what came of it */
function probe(breaker: Breaker, now: number, lane: number, weight: Weight) {
  assert.equal(breaker.ask(now, laneOf(lane)), 'pass', `at ${now}`)
  breaker.begin(now, laneOf(lane))
  return breaker.end(now, laneOf(lane), weight)
}

test('each outcome weighs what the table says', () => {
  const answered = (status: number) => weigh({ kind: 'answered', status, retryAfter: null, excerpt: '' })
  for (let status = 200; status < 600; status++) {
    const expected =
      status < 300
        ? 'accepted'
        : status === 401 || status === 407
          ? 'credentials'
          : status === 403
            ? 'refusal'
            : status === 429 || status >= 500
              ? 'failure'
              : 'alive'
    assert.equal(answered(status), expected, `status ${status}`)
  }
  const kinds: readonly (readonly [Exclude<Outcome['kind'], 'answered' | 'aborted'>, Weight])[] = [
    ['unreachable', 'failure'],
    ['broken', 'failure'],
    ['address-not-allowed', 'address-not-allowed'],
    ['unsendable', 'credentials'],
  ]
  for (const [kind, expected] of kinds) assert.equal(weigh({ kind, error: '' }), expected)
  assert.equal(weigh({ kind: 'aborted' }), 'nothing')
})

test('it opens when the table says, and not before', () => {
  const rows: readonly (readonly [string, readonly Weight[], number, number | undefined])[] = [
    ['ten failures in a row over two lanes', times(10, 'failure'), 2, 10],
    ['nine', times(9, 'failure'), 2, undefined],
    ['any number of one lane alone', times(200, 'failure'), 1, undefined],
    ['a success between', [...times(9, 'failure'), 'accepted', ...times(9, 'failure')], 2, undefined],
    [
      'another answer is a success: the remote is alive',
      [...times(9, 'failure'), 'alive', ...times(9, 'failure')],
      2,
      undefined,
    ],
    ['an abort is nothing', [...times(9, 'failure'), 'nothing', 'failure'], 2, 11],
    ['every other of the last fifty', times(25, 'accepted', 'failure'), 100, 50],
    ['the first fifty are looked at when they are there', times(24, 'failure', 'accepted'), 100, undefined],
    ['two of five', times(60, 'failure', 'accepted', 'failure', 'accepted', 'accepted'), 100, undefined],
    [
      'half of the last fifty after a long good time',
      [...times(300, 'accepted'), ...times(25, 'failure', 'accepted')],
      100,
      349,
    ],
    ['half, of one lane alone', times(100, 'failure', 'accepted'), 1, undefined],
    ['refused credentials', ['accepted', 'credentials'], 1, 2],
    ['a refused address', ['address-not-allowed'], 1, 1],
    ['403 for three lanes', times(3, 'refusal'), 100, 3],
    ['403 for two lanes', times(10, 'refusal'), 2, undefined],
    ['403 for three lanes with other answers between', ['refusal', 'alive', 'refusal', 'failure', 'refusal'], 100, 5],
    [
      '403 for three lanes with a 2xx between',
      ['refusal', 'refusal', 'accepted', 'refusal', 'refusal'],
      100,
      undefined,
    ],
  ]
  for (const [what, weights, lanes, expected] of rows)
    assert.equal(shown(new Breaker(), weights, lanes), expected, what)
})

test('it says why, since when, after how many failures, and when it will ask', () => {
  const breaker = new Breaker()
  breaker.begin(100, laneOf(1))
  assert.deepEqual(breaker.end(100, laneOf(1), 'credentials'), {
    kind: 'opened',
    at: 100,
    reason: 'credentials',
    failures: 1,
    openFor: 0,
    probeAt: 5_100,
  })
  assert.deepEqual(breaker.begin(5_100, laneOf(1)), {
    kind: 'half-opened',
    at: 5_100,
    reason: 'credentials',
    failures: 1,
    openFor: 5_000,
    probeAt: null,
  })
  assert.deepEqual(breaker.end(5_200, laneOf(1), 'failure'), {
    kind: 'reopened',
    at: 5_200,
    reason: 'failures',
    failures: 2,
    openFor: 5_100,
    probeAt: 15_200,
  })
  assert.equal(probe(breaker, 15_200, 2, 'accepted'), null)
  assert.deepEqual(probe(breaker, 15_300, 2, 'alive'), {
    kind: 'closed',
    at: 15_300,
    reason: 'failures',
    failures: 2,
    openFor: 15_200,
    probeAt: null,
  })
  assert.equal(breaker.openFor(99_999), 0)
})

test('one probe goes after 5, 10, 20, 40, then every 60 seconds', () => {
  const breaker = opened()
  let now = 9
  for (const seconds of [5, 10, 20, 40, 60, 60, 60]) {
    assert.equal(breaker.ask(now + seconds * 1_000 - 1, laneOf(seconds)), 'open')
    now += seconds * 1_000
    probe(breaker, now, now, 'failure')
  }
})

test('a probe in flight is the only one, however long it takes, and others are told a later instant', () => {
  const breaker = opened()
  breaker.begin(5_009, laneOf(1))
  assert.equal(breaker.state, 'half-open')
  assert.equal(breaker.ask(500_000, laneOf(2)), 'open')
  assert.equal(breaker.nextProbeAt(500_000), 505_000)
})

test('what ends beside the probe changes nothing', () => {
  const breaker = opened()
  assert.equal(breaker.end(4_000, laneOf(50), 'accepted'), null)
  breaker.begin(5_009, laneOf(1))
  for (const weight of ['accepted', 'failure', 'credentials', 'refusal'] as const) {
    assert.equal(breaker.end(6_000, laneOf(50), weight), null)
  }
  assert.deepEqual([breaker.state, breaker.ask(6_000, laneOf(2))], ['half-open', 'open'])
})

test('the next probe is another lane, and the same one when there is no other', () => {
  const breaker = opened()
  probe(breaker, 5_009, 1, 'failure')
  assert.equal(breaker.ask(15_009, laneOf(1)), 'spared')
  assert.equal(breaker.ask(15_009, laneOf(2)), 'pass')
  breaker.spare()
  assert.equal(probe(breaker, 15_009, 1, 'failure')?.kind, 'reopened')
  assert.equal(breaker.ask(35_009, laneOf(1)), 'spared')
})

test('an aborted probe counts as nothing and frees its place at once', () => {
  const breaker = opened()
  assert.equal(probe(breaker, 5_009, 1, 'nothing'), null)
  assert.equal(breaker.state, 'half-open')
  assert.equal(probe(breaker, 5_010, 2, 'accepted'), null)
  assert.equal(probe(breaker, 5_010, 3, 'nothing'), null)
  assert.equal(probe(breaker, 5_010, 2, 'accepted')?.kind, 'closed')
})

test('one success does not close it: a failure after it waits longer than before', () => {
  const breaker = opened()
  probe(breaker, 5_009, 1, 'accepted')
  assert.equal(probe(breaker, 5_010, 2, 'failure')?.probeAt, 15_010)
  probe(breaker, 15_010, 1, 'accepted')
  assert.equal(breaker.state, 'half-open')
})

test('credentials that were refused are not mended by a 403, and other troubles are', () => {
  const refused = opened(['credentials'])
  assert.equal(probe(refused, 5_000, 1, 'refusal')?.reason, 'credentials')
  const failing = opened()
  assert.equal(probe(failing, 5_009, 1, 'refusal'), null)
  assert.equal(probe(failing, 5_009, 2, 'refusal')?.kind, 'closed')
})

test('a closed breaker has forgotten: as many failures as ever open it again, and the probes begin anew', () => {
  const breaker = opened()
  probe(breaker, 5_009, 1, 'failure')
  probe(breaker, 15_009, 2, 'accepted')
  probe(breaker, 15_009, 2, 'accepted')
  for (let failing = 1; failing < 10; failing++) {
    breaker.begin(20_000, laneOf(failing))
    assert.equal(breaker.end(20_000, laneOf(failing), 'failure'), null)
  }
  breaker.begin(20_000, laneOf(10))
  assert.equal(breaker.end(20_000, laneOf(10), 'failure')?.probeAt, 25_000)
})

test('a closed breaker has forgotten its window, too', () => {
  const breaker = opened(times(25, 'accepted', 'failure'))
  probe(breaker, 6_000, 1, 'accepted')
  probe(breaker, 6_000, 1, 'accepted')
  assert.equal(shown(breaker, times(25, 'accepted', 'failure')), 50)
})

test('after a probe that succeeded nobody is spared any more', () => {
  const breaker = opened()
  probe(breaker, 5_009, 1, 'failure')
  probe(breaker, 15_009, 2, 'accepted')
  assert.equal(breaker.ask(15_009, laneOf(1)), 'pass')
})

test('what waits behind an open breaker waits longer the longer it lasts', () => {
  const rows = [
    [0, 1],
    [5 * MINUTE - 1, 1],
    [5 * MINUTE, 5],
    [30 * MINUTE - 1, 5],
    [30 * MINUTE, 30],
    [3 * 24 * 60 * MINUTE, 30],
  ] as const
  for (const [openFor, minutes] of rows) assert.equal(tierWhileOpen(openFor), minutes * MINUTE, `${openFor}`)
})

test('in any life: one probe at most, none too early, and a remote that is well closes it', (t) => {
  const weight = fc.constantFrom<Weight>(
    'accepted',
    'alive',
    'refusal',
    'failure',
    'failure',
    'failure',
    'credentials',
    'address-not-allowed',
    'nothing',
  )
  const step = fc.record({ pause: fc.nat(30_000), lane: fc.nat(4), weight, duration: fc.nat(60_000) })
  holdsFor(
    t,
    fc.property(fc.array(step, { maxLength: 150 }), (steps) => {
      const breaker = new Breaker()
      const wire = new Map<number, { at: number; weight: Weight; isProbe: boolean }>()
      let now = 0
      let lastFailedAt: number | null = null
      for (const { pause, lane, weight: shownNow, duration } of steps) {
        now += pause
        for (const [number, { at, weight: shownThen, isProbe }] of [...wire].toSorted((a, b) => a[1].at - b[1].at)) {
          if (at > now) continue
          wire.delete(number)
          const before = breaker.state
          const transition = breaker.end(at, laneOf(number), shownThen)
          if (before !== 'closed' && !isProbe) assert.equal(transition, null)
          if (transition?.kind === 'opened' || transition?.kind === 'reopened') lastFailedAt = at
          if (transition) assert.equal(breaker.state, transition.kind === 'closed' ? 'closed' : 'open')
        }
        if (wire.has(lane)) continue
        const gate = breaker.ask(now, laneOf(lane))
        if (gate === 'spared') breaker.spare()
        if (gate !== 'pass') continue
        const isProbe = breaker.state !== 'closed'
        if (isProbe) {
          assert(
            [...wire.values()].every((other) => !other.isProbe),
            'two probes at once',
          )
          if (breaker.state === 'open') assert(now - (lastFailedAt ?? -Infinity) >= 5_000, 'too early')
        }
        const transition = breaker.begin(now, laneOf(lane))
        assert.equal(transition !== null, isProbe && transition?.kind === 'half-opened')
        wire.set(lane, { at: now + duration, weight: shownNow, isProbe })
      }
      for (const [number, { at }] of wire) breaker.end(Math.max(at, now), laneOf(number), 'nothing')
      now += 200_000
      for (let asked = 0; breaker.state !== 'closed'; asked++) {
        assert(asked < 4, `still ${breaker.state} after ${asked} questions`)
        if (breaker.ask(now, laneOf(1)) === 'spared') breaker.spare()
        else probe(breaker, now, 1, 'accepted')
      }
    }),
  )
})

test('a remote that is broken for long costs its probes, whatever wants to go and however long it takes to fail', (t) => {
  const probesWithin = (span: number) => 4 + Math.ceil(span / 60_000)
  holdsFor(
    t,
    fc.property(
      fc.integer({ min: 2, max: 500 }),
      fc.integer({ min: 1, max: 60_000 }),
      fc.integer({ min: 0, max: 3 * 24 * 60 * MINUTE }),
      (lanes, duration, span) => {
        const breaker = opened()
        let probes = 0
        let now = 9
        for (let asked = 0; now < span; asked++) {
          const lane = laneOf(asked % lanes)
          const gate = breaker.ask(now, lane)
          if (gate === 'spared') breaker.spare()
          else if (gate === 'open') now = breaker.nextProbeAt(now)
          else {
            breaker.begin(now, lane)
            probes++
            now += duration
            breaker.end(now, lane, 'failure')
          }
        }
        assert(probes <= probesWithin(span), `${probes} in ${span} ms`)
      },
    ),
    100,
  )
})
