import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decideNext, type Finding, type Situation, type Verdict } from '../../services/forwarder/decide-next.ts'

import type { Connection } from '../../services/shared/forwarding/connection.ts'
import { SCHEDULES } from '../../services/shared/forwarding/schedule.ts'
import { aConnection } from '../support/changes.ts'
import { holdsFor } from '../support/property.ts'

const HOUR = 3_600_000
const NOW = Date.UTC(2026, 0, 2, 3, 4, 5)

const situation = (overrides: Partial<Situation> = {}): Situation => ({
  connection: aConnection({ schedule: [1_000, 10_000] }),
  tries: 0,
  sparesTry: false,
  firstFailedAt: NOW,
  now: NOW,
  random: 0,
  ...overrides,
})
const answered = (status: number, retryAfter: string | null = null): Finding => ({
  kind: 'answered',
  status,
  retryAfter,
  excerpt: 'their words',
})
const judge = (status: number, connection: Partial<Connection> = {}): Verdict =>
  decideNext(answered(status), situation({ connection: aConnection(connection) }))

const shown = (verdict: Verdict): string => {
  if (verdict.kind === 'retry') return verdict.spendsTry ? 'retry' : 'retry, no try spent'
  return verdict.kind === 'dead-letter' ? verdict.reason : verdict.kind
}

const RETRIED = [408, 409, 423, 425, 429, 500, 502, 503, 504, 400, 403, 404, 412, 424, 426, 428]

test('every status has the verdict of the table', () => {
  for (let status = 200; status < 600; status++) {
    const expected =
      status < 300
        ? 'delivered'
        : status === 401 || status === 407
          ? 'retry, no try spent'
          : RETRIED.includes(status)
            ? 'retry'
            : status < 400
              ? 'redirected'
              : 'rejected'
    assert.equal(shown(judge(status)), expected, `status ${status}`)
  }
})

const OUTCOMES: readonly (readonly [Finding, string])[] = [
  [{ kind: 'broken', error: 'reset' }, 'retry'],
  [{ kind: 'unreachable', error: 'refused' }, 'retry, no try spent'],
  [{ kind: 'address-not-allowed', error: 'loopback' }, 'retry, no try spent'],
  [{ kind: 'unsendable', error: 'no secret' }, 'retry, no try spent'],
]
for (const [outcome, expected] of OUTCOMES) {
  test(`an attempt that was ${outcome.kind} ends in: ${expected}`, () => {
    assert.equal(shown(decideNext(outcome, situation())), expected)
  })
}

test('retryOn retries what the table gives up, a redirect too, but never a success', () => {
  assert.equal(shown(judge(410, { retryOn: [410] })), 'retry')
  assert.equal(shown(judge(302, { retryOn: [302] })), 'retry')
  assert.equal(shown(judge(200, { retryOn: [200] })), 'delivered')
})

test('rejectOn gives up what the table retries, credentials too, and wins over retryOn', () => {
  assert.equal(shown(judge(503, { rejectOn: [503] })), 'rejected')
  assert.equal(shown(judge(401, { rejectOn: [401] })), 'rejected')
  assert.equal(shown(judge(410, { rejectOn: [410], retryOn: [410] })), 'rejected')
  assert.equal(shown(judge(204, { rejectOn: [204] })), 'delivered')
})

test("a failure keeps the remote's own words", () => {
  const verdict = judge(422)
  assert(verdict.kind === 'dead-letter')
  assert.equal(verdict.error, '422: their words')
  const wordless = decideNext({ kind: 'answered', status: 422, retryAfter: null, excerpt: '' }, situation())
  assert(wordless.kind === 'dead-letter')
  assert.equal(wordless.error, '422')
})

for (const [name, schedule] of Object.entries(SCHEDULES)) {
  test(`the ${name} schedule gives each of its waits once, then the delivery is exhausted`, () => {
    const connection = aConnection({ schedule })
    const waits = schedule.map((_, tries) => {
      const verdict = decideNext(answered(503), situation({ connection, tries }))
      assert(verdict.kind === 'retry')
      return verdict.wait
    })
    assert.deepEqual(waits, schedule)
    assert.equal(shown(decideNext(answered(503), situation({ connection, tries: schedule.length }))), 'exhausted')
  })
}

test('trouble of the connection always waits the first wait, however often it comes, and never exhausts the schedule', () => {
  for (const tries of [0, 1, 2, 40]) {
    const verdict = decideNext({ kind: 'unreachable', error: 'refused' }, situation({ tries }))
    assert(verdict.kind === 'retry')
    assert.deepEqual([verdict.wait, verdict.spendsTry], [1_000, false])
  }
})

test('a delivery that failed first longer ago than maxAge is exhausted, whatever fails', () => {
  const connection = aConnection({ maxAge: HOUR })
  for (const outcome of [answered(503), answered(401), { kind: 'unreachable', error: 'refused' } as const]) {
    const young = situation({ connection, firstFailedAt: NOW - HOUR + 1 })
    assert.match(shown(decideNext(outcome, young)), /^retry/)
    assert.equal(shown(decideNext(outcome, { ...young, firstFailedAt: NOW - HOUR })), 'exhausted')
  }
})

test('jitter only ever adds, a tenth at most', (t) => {
  holdsFor(
    t,
    fc.property(
      fc.integer({ min: 1, max: 100 * HOUR }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (wait, random) => {
        const verdict = decideNext(answered(503), situation({ connection: aConnection({ schedule: [wait] }), random }))
        assert(verdict.kind === 'retry')
        assert(verdict.wait >= wait && verdict.wait <= wait * 1.1 + 1, `${verdict.wait}`)
        assert(Number.isInteger(verdict.wait))
      },
    ),
  )
})

const RETRY_AFTER: readonly (readonly [string | null, number])[] = [
  [null, 0],
  ['120', 120_000],
  [' 120 ', 120_000],
  ['0', 0],
  ['86400', 24 * HOUR],
  ['86401', 24 * HOUR],
  ['9'.repeat(400), 24 * HOUR],
  ['Fri, 02 Jan 2026 03:06:05 GMT', 120_000],
  ['Friday, 02-Jan-26 03:06:05 GMT', 120_000],
  ['Fri Jan  2 03:06:05 2026', 120_000],
  ['Fri, 02 Jan 2026 03:04:04 GMT', 0],
  ['Fri, 02 Jan 2037 03:04:04 GMT', 24 * HOUR],
  ['', 0],
  ['-5', 0],
  ['1.5', 0],
  ['soon', 0],
  ['soon, in 2050', 0],
  ['2050', 2_050_000],
  ['120, 240', 0],
  ['Fri, 99 Jan 2026 03:06:05 GMT', 0],
]
for (const [header, silence] of RETRY_AFTER) {
  test(`Retry-After: ${header === null ? 'absent' : JSON.stringify(header.slice(0, 40))} keeps the connection silent for ${silence} ms`, () => {
    for (const status of [429, 503]) {
      const verdict = decideNext(answered(status, header), situation())
      assert(verdict.kind === 'retry')
      assert.deepEqual([verdict.silence, verdict.wait], [silence, Math.max(1_000, silence)])
    }
  })
}

test('Retry-After is heard with 429 and 503 only', () => {
  for (const status of RETRIED.filter((each) => each !== 429 && each !== 503)) {
    const verdict = decideNext(answered(status, '120'), situation())
    assert(verdict.kind === 'retry')
    assert.deepEqual([verdict.silence, verdict.wait], [0, 1_000], `status ${status}`)
  }
})

test('a failure of a broken connection spends nothing, whatever is left of the schedule, and waits for the remote alone', () => {
  for (const outcome of [answered(503), answered(401), { kind: 'broken', error: '' } as const]) {
    const verdict = decideNext(outcome, situation({ sparesTry: true, tries: 2 }))
    assert(verdict.kind === 'retry')
    assert.deepEqual([verdict.wait, verdict.spendsTry], [0, false])
  }
  const silenced = decideNext(answered(503, '60'), situation({ sparesTry: true }))
  assert(silenced.kind === 'retry')
  assert.deepEqual([silenced.wait, silenced.silence], [60_000, 60_000])
})

test('what a broken connection keeps waiting ends with its age, and what is refused for good is refused', () => {
  const old = situation({ sparesTry: true, firstFailedAt: NOW - 31 * 24 * HOUR })
  assert.equal(shown(decideNext(answered(503), old)), 'exhausted')
  assert.equal(shown(decideNext(answered(501), situation({ sparesTry: true }))), 'rejected')
})
