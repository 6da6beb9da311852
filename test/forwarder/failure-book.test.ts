import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FailureBook } from '../../services/forwarder/failure-book.ts'
import { connectionId } from '../../services/shared/ids.ts'
import { sampleOf, type FailureRecord } from '../../services/shared/notices/failure-record.ts'
import { demo } from '../support/changes.ts'
import { holdsFor } from '../support/property.ts'

const REMOTE = connectionId(demo, 'remote')
const START = 1_700_000_000_000

/** A book, a clock, and what was told so far. */
function openBook(failingAfter = 35_000) {
  const book = new FailureBook('host:1', START, failingAfter)
  const told: FailureRecord[] = []
  let now = START
  let waiting = 1
  return {
    book,
    told,
    kinds: () => told.map(({ kind }) => kind),
    get now() {
      return now
    },
    waits: (count: number): void => {
      waiting = count
    },
    fail: (delivery: object, wait: number | null = 1_000, id = 'case-1', firstFailedAt = now): void => {
      book.failed({
        connection: REMOTE,
        project: demo,
        words: { outcome: 'answered', status: 503, text: '503: no', at: now },
        wait,
        sample: () => sampleOf('case', id, 'demo/all'),
        delivery,
        firstFailedAt,
      })
    },
    succeed: (): void => book.succeeded(REMOTE, demo),
    letter: (id: string): void =>
      book.deadLettered(REMOTE, demo, { ...sampleOf('case', id, 'demo/all'), reason: 'rejected', text: '422' }),
    pass: (by: number): void => {
      now += by
      told.push(...book.take(now, () => new Map([[REMOTE, waiting]])))
    },
  }
}

/** A process whose first success was told. */
function wellBook(failingAfter?: number) {
  const opened = openBook(failingAfter)
  opened.succeed()
  opened.pass(1_000)
  opened.told.length = 0
  return opened
}

test('a delivery that comes back from a retry topic is affected once in a streak, and again in the next', () => {
  const opened = wellBook()
  const { fail, succeed, pass, told } = opened
  const first = opened.now
  fail({}, 60_000)
  pass(60_000)
  fail({}, 60_000, 'case-1', first)
  fail({}, 60_000, 'case-2')
  pass(60_000)
  assert.deepEqual([told.at(-1)?.failed, told.at(-1)?.affected, told.at(-1)?.samples.length], [3, 2, 2])
  succeed()
  succeed()
  pass(60_000)
  assert.equal(told.at(-1)?.kind, 'recovered')
  fail({}, 60_000, 'case-1', first)
  pass(60_000)
  assert.deepEqual([told.at(-1)?.failed, told.at(-1)?.affected], [1, 1])
})

test('the first success of a process is told once: an earlier one may have told of trouble', () => {
  const { succeed, pass, kinds } = openBook()
  pass(1_000)
  for (let count = 0; count < 5; count++) {
    succeed()
    pass(5_000)
  }
  assert.deepEqual(kinds(), ['recovered'])
})

test('a streak that ends by itself within the time is not told', () => {
  const { fail, succeed, pass, kinds } = wellBook()
  const delivery = {}
  fail(delivery)
  pass(30_000)
  fail(delivery)
  pass(1_000)
  succeed()
  pass(60_000)
  assert.deepEqual(kinds(), [])
})

test('a streak of a process that has told nothing yet ends with the word that it is over', () => {
  const { fail, succeed, pass, kinds } = openBook()
  fail({})
  pass(1_000)
  succeed()
  pass(1_000)
  assert.deepEqual(kinds(), ['recovered'])
})

test('a streak that lasts is told, then its counts now and then, then its end with the counts of the whole', () => {
  const { fail, succeed, pass, told, kinds } = wellBook()
  const deliveries = [{}, {}]
  for (let second = 0; second <= 95; second++) {
    fail(deliveries[second % 2] ?? {})
    pass(1_000)
  }
  assert.deepEqual(kinds(), ['failing', 'streak'])
  succeed()
  pass(1_000)
  succeed()
  pass(1_000)
  assert.deepEqual(kinds(), ['failing', 'streak', 'recovering', 'recovered'])
  const [failing] = told
  const end = told.at(-1)
  assert.deepEqual(
    [failing?.since, failing?.failed, failing?.affected, failing?.state],
    [START + 1_000, 36, 2, 'failing'],
  )
  assert.deepEqual(
    [end?.since, end?.failed, end?.affected, end?.delivered, end?.state],
    [START + 1_000, 96, 2, 2, 'well'],
  )
  assert.deepEqual(
    told.map(({ sequence }) => sequence),
    [2, 3, 4, 5],
  )
})

test('a delivery that must wait longer than that is told at once, with its next try', () => {
  const { fail, pass, told } = wellBook()
  fail({}, 120_000, 'c9')
  pass(1_000)
  assert.deepEqual(
    told.map(({ kind, nextTryAt, samples }) => ({ kind, nextTryAt, id: samples[0]?.id })),
    [{ kind: 'failing', nextTryAt: START + 1_000 + 120_000, id: 'c9' }],
  )
})

test('one success ends a streak when nothing is left that waits', () => {
  const { fail, succeed, pass, waits, kinds } = wellBook()
  fail({}, 120_000)
  pass(1_000)
  waits(0)
  succeed()
  pass(1_000)
  assert.deepEqual(kinds(), ['failing', 'recovered'])
})

test('after a recovery it is told how many still wait, until none do', () => {
  const { fail, succeed, waits, pass, told } = wellBook()
  waits(5_000)
  fail({}, 120_000)
  pass(1_000)
  succeed()
  succeed()
  pass(1_000)
  assert.deepEqual([told.at(-1)?.kind, told.at(-1)?.waiting], ['recovered', 5_000])
  const before = told.length
  for (let second = 0; second < 300; second++) {
    waits(Math.max(0, 5_000 - second * 25))
    pass(1_000)
  }
  assert.deepEqual(
    told.slice(before).map(({ kind, state, since }) => `${kind} ${state} ${since}`),
    Array.from({ length: told.length - before }, () => 'streak well null'),
  )
  assert.ok(told.length - before <= 10, `${told.length - before} records`)
  assert.equal(told.at(-1)?.waiting, 0)
})

test('a connection that is never idle is not told of for ever', () => {
  const { fail, succeed, pass, told } = wellBook()
  fail({}, 120_000)
  pass(1_000)
  succeed()
  succeed()
  for (let minute = 0; minute < 24 * 60; minute++) pass(60_000)
  assert.ok(told.length <= 70, `${told.length} records`)
})

test('a recovery that failed again before it was told is told as failing', () => {
  const { fail, succeed, pass, told, kinds } = wellBook()
  fail({}, 120_000)
  pass(1_000)
  succeed()
  succeed()
  fail({}, 120_000)
  pass(1_000)
  assert.deepEqual(kinds(), ['failing', 'failing'])
  assert.deepEqual(told.at(-1)?.failed, 2)
})

test('dead letters are told while the connection is well, and ride with what else is told', () => {
  const { letter, fail, pass, told } = wellBook()
  letter('a')
  letter('b')
  pass(1_000)
  letter('c')
  fail({}, 120_000)
  pass(1_000)
  assert.deepEqual(
    told.map(({ kind, deadLettered, letters, state }) => [kind, deadLettered, letters.map(({ id }) => id), state]),
    [
      ['dead-letters', 2, ['b', 'a'], 'well'],
      ['failing', 3, ['c', 'b', 'a'], 'failing'],
    ],
  )
})

test('the transitions of a breaker are told with their reason and the next probe', () => {
  const opened = wellBook()
  const { book, pass, told } = opened
  book.breaker(REMOTE, demo, 'open', opened.now, { reason: 'credentials', nextTryAt: opened.now + 5_000 })
  pass(1_000)
  book.breaker(REMOTE, demo, 'recovering', opened.now)
  pass(1_000)
  book.breaker(REMOTE, demo, 'recovered', opened.now)
  pass(1_000)
  assert.deepEqual(
    told.map(({ kind, state, reason }) => [kind, state, reason]),
    [
      ['open', 'open', 'credentials'],
      ['recovering', 'recovering', null],
      ['recovered', 'well', null],
    ],
  )
})

test('50,000 failures of ten minutes cost as many records as minutes, and the counts are the truth', () => {
  const { fail, pass, told } = wellBook()
  for (let count = 0; count < 50_000; count++) {
    fail({}, 1_000, `case-${count}`)
    pass(12)
  }
  assert.ok(told.length <= 11, `${told.length} records`)
  pass(60_000)
  const last = told.at(-1)
  assert.deepEqual([last?.failed, last?.affected, last?.samples.length], [50_000, 50_000, 5])
})

test('whatever happens, a connection costs at most a record a second, and no failure is missing from the counts', (t) => {
  const step = fc.record({ what: fc.constantFrom('fail', 'long', 'succeed', 'letter'), after: fc.nat(3_000) })
  holdsFor(
    t,
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const opened = openBook(2_000)
      let letters = 0
      for (const { what, after } of steps) {
        if (what === 'succeed') opened.succeed()
        else if (what === 'letter') opened.letter(`letter-${letters++}`)
        else opened.fail({}, what === 'long' ? 5_000 : 1_000)
        opened.pass(after)
      }
      opened.pass(60_000)
      const { told } = opened
      for (const [index, record] of told.entries()) {
        const next = told[index + 1]
        if (next) assert.ok(next.at - record.at >= 1_000 && next.sequence === record.sequence + 1)
      }
      if (letters > 0) assert.equal(told.at(-1)?.deadLettered, letters)
    }),
  )
})

test('a connection that is gone from the configuration is forgotten', () => {
  const { book, fail, pass, kinds } = wellBook()
  fail({}, 120_000)
  book.keepOnly(() => false)
  pass(1_000)
  assert.deepEqual(kinds(), [])
})
