import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { METADATA_LIMIT, OffsetMap, type OffsetEntry } from '../../services/forwarder/offset-map.ts'
import { readMap } from '../../services/shared/kafka/commit-map.ts'
import { holdsFor } from '../support/property.ts'

/** With nothing reserved. */
const commitOf = (map: OffsetMap) => {
  const { offset, metadata } = map.takeCommit(0) ?? {}
  return { offset, metadata }
}
const finishedIn = (watermark: number, metadata: string | null) => readMap(watermark, metadata).finished

test('the watermark stays below the lowest open record, whatever completes above it', () => {
  const map = new OffsetMap(10, null)
  const [first, second, third] = [10, 11, 12].map((offset) => map.open(offset))
  assert(first && second && third)
  map.complete(third)
  assert.equal(map.takeCommit(0)?.offset, 10)
  map.complete(first)
  assert.equal(map.takeCommit(0)?.offset, 11)
  map.complete(second)
  assert.deepEqual(commitOf(map), { offset: 13, metadata: '1:' })
})

test('nothing is committed when nothing was completed since the last commit', () => {
  const map = new OffsetMap(0, null)
  const entry = map.open(0)
  assert.equal(map.takeCommit(0), undefined)
  map.complete(entry)
  assert.deepEqual(commitOf(map), { offset: 1, metadata: '1:' })
  assert.equal(map.takeCommit(0), undefined)
  map.markChanged()
  assert.deepEqual(commitOf(map), { offset: 1, metadata: '1:' })
})

test('a record that was fetched twice is known by its offset', () => {
  const map = new OffsetMap(5, null)
  assert.equal(map.wasOpened(4), true)
  assert.equal(map.wasOpened(5), false)
  map.skip(7)
  assert.equal(map.wasOpened(6), true)
  assert.equal(map.wasOpened(7), true)
  assert.equal(map.wasOpened(8), false)
})

test('the watermark passes offsets that hold no record for us once every record below is complete', () => {
  const map = new OffsetMap(5, null)
  map.pass(5, 7)
  assert.deepEqual(commitOf(map), { offset: 7, metadata: '1:' })
  const entry = map.open(7)
  map.pass(8, 8)
  assert.equal(map.takeCommit(0), undefined, 'nothing but a record that is open was passed')
  map.pass(8, 10)
  assert.deepEqual(commitOf(map), { offset: 7, metadata: '1:' })
  map.complete(entry)
  assert.deepEqual(commitOf(map), { offset: 10, metadata: '1:' })
  map.pass(7, 9)
  assert.equal(map.takeCommit(0), undefined, 'it never goes back')
})

test('offsets behind ones that were not read yet are not passed', () => {
  const map = new OffsetMap(5, null)
  map.pass(6, 9)
  assert.equal(map.takeCommit(0), undefined)
  assert.equal(map.wasOpened(5), false)
  map.pass(4, 6)
  assert.deepEqual(commitOf(map), { offset: 6, metadata: '1:' })
})

test('finished records of an earlier owner stay in the map when offsets below them are passed', () => {
  const before = new OffsetMap(0, null)
  const open = [before.open(0), before.open(5)]
  before.skip(6)
  before.skip(7)
  assert.equal(open.length, 2)
  const { offset = -1, metadata = '' } = before.takeCommit(0) ?? {}
  const after = new OffsetMap(offset, { offset, metadata })
  after.pass(0, 3)
  const committed = after.takeCommit(0)
  assert.equal(committed?.offset, 3)
  assert.deepEqual(finishedIn(3, committed.metadata), [{ from: 6, to: 8 }])
  after.pass(3, 7)
  assert.deepEqual(finishedIn(7, after.takeCommit(0)?.metadata ?? null), [{ from: 7, to: 8 }])
})

test('the count of open records leaves out what is complete', () => {
  const map = new OffsetMap(0, null)
  map.open(0)
  map.skip(1)
  map.open(2)
  assert.equal(map.openCount, 2)
})

/** Sparse offsets, and which of them complete in which order. */
const history = fc.record({
  start: fc.integer({ min: 0, max: 2 ** 40 }),
  steps: fc.array(fc.tuple(fc.integer({ min: 1, max: 300 }), fc.boolean(), fc.nat()), { minLength: 1, maxLength: 400 }),
})

const offsetsOf = (start: number, steps: readonly (readonly [number, boolean, number])[]) => {
  let offset = start - 1
  return steps.map(([gap, completes, turn]) => ({ offset: (offset += gap), completes, turn }))
}

test('what is reserved is known after a restart, rises only, and makes a commit of its own', () => {
  const map = new OffsetMap(10, null)
  assert.equal(map.reserved, 10)
  map.open(10)
  const first = map.takeCommit(30)
  assert.equal(first?.reserved, 30)
  assert.equal(map.takeCommit(30), undefined)
  assert.equal(map.takeCommit(25), undefined, 'it never falls')
  const restarted = new OffsetMap(first.offset, first)
  assert.equal(restarted.reserved, 30)
  restarted.skip(10)
  assert.equal(new OffsetMap(11, restarted.takeCommit(0) ?? null).reserved, 30)
  // Retention took what was committed and more: what was reserved above still counts.
  assert.equal(new OffsetMap(20, first).reserved, 30)
  assert.equal(new OffsetMap(40, first).reserved, 40)
})

test('a restart knows as finished exactly what was complete, and never what was open', (t) => {
  holdsFor(
    t,
    fc.property(history, ({ start, steps }) => {
      const records = offsetsOf(start, steps)
      const map = new OffsetMap(start, null)
      const entries = new Map<number, OffsetEntry>(records.map(({ offset }) => [offset, map.open(offset)]))
      for (const { offset } of records.filter(({ completes }) => completes).sort((a, b) => a.turn - b.turn)) {
        const entry = entries.get(offset)
        if (entry) map.complete(entry)
      }
      const commit = map.takeCommit(0) ?? { offset: start, metadata: '1:' }
      const lowestOpen = records.find(({ completes }) => !completes)?.offset ?? Infinity
      assert(commit.offset <= lowestOpen)
      assert(commit.metadata.length <= METADATA_LIMIT)

      const restarted = new OffsetMap(commit.offset, commit)
      for (const { offset, completes } of records) {
        if (offset < commit.offset) assert.equal(completes, true)
        else assert.equal(restarted.wasFinished(offset), completes, `offset ${offset}`)
      }
    }),
  )
})

test('a map that does not fit is cut at its top only, and stays within the limit', () => {
  const map = new OffsetMap(0, null)
  // Every second record open, far apart: each run costs several bytes.
  const offsets = Array.from({ length: 20_000 }, (_, at) => at * 100_000)
  for (const [at, offset] of offsets.entries())
    if (at % 2 === 0) map.open(offset)
    else map.skip(offset)
  const commit = map.takeCommit(0)
  assert(commit)
  assert(commit.metadata.length <= METADATA_LIMIT, `${commit.metadata.length} bytes`)
  assert(commit.metadata.length > METADATA_LIMIT * 0.9, `${commit.metadata.length} bytes`)
  const restarted = new OffsetMap(commit.offset, commit)
  const shown = offsets.filter((_, at) => at % 2 === 1).map((offset) => restarted.wasFinished(offset))
  const firstHidden = shown.indexOf(false)
  assert(firstHidden > 100)
  assert.equal(shown.slice(firstHidden).includes(true), false, 'shown above the cut')
})

test('what an earlier owner finished stays shown while its records have not been read again', () => {
  const map = new OffsetMap(0, null)
  map.open(0)
  for (let offset = 1; offset <= 100; offset++) map.skip(offset)
  const first = map.takeCommit(0)
  assert(first)

  // The next owner reads one record, commits, and crashes before it reads the others again.
  const second = new OffsetMap(first.offset, first)
  second.complete(second.open(0))
  const commit = second.takeCommit(0)
  assert(commit)
  const third = new OffsetMap(commit.offset, commit)
  for (let offset = 1; offset <= 100; offset++) assert.equal(third.wasFinished(offset), true, `offset ${offset}`)
  assert.equal(third.wasFinished(101), false)
})

test('any number of restarts, each after reading a part, forgets nothing that was finished', (t) => {
  holdsFor(
    t,
    fc.property(
      fc.array(fc.boolean(), { minLength: 1, maxLength: 60 }),
      fc.array(fc.tuple(fc.nat(60), fc.array(fc.nat(60), { maxLength: 20 })), { minLength: 1, maxLength: 6 }),
      (absent, owners) => {
        const offsets = absent.flatMap((gap, at) => (gap ? [] : [at]))
        const finished = new Set<number>()
        let commit: { offset: number; metadata: string } = { offset: 0, metadata: '1:' }
        for (const [readUpTo, completes] of owners) {
          const map = new OffsetMap(commit.offset, commit)
          for (const offset of offsets.filter((each) => each >= commit.offset && each <= readUpTo)) {
            const known = map.wasFinished(offset)
            assert.equal(known, finished.has(offset), `offset ${offset}`)
            const entry = map.open(offset)
            if (known || completes.includes(offset)) {
              map.complete(entry)
              finished.add(offset)
            }
          }
          commit = map.takeCommit(0) ?? commit
          for (const offset of offsets)
            if (offset < commit.offset) assert(finished.has(offset), `offset ${offset} passed`)
        }
      },
    ),
  )
})

test('metadata of another writer says nothing, and none of it is believed further than it goes', (t) => {
  assert.deepEqual(finishedIn(0, null), [])
  assert.deepEqual(finishedIn(0, ''), [])
  assert.deepEqual(finishedIn(0, 'consumer-1-of-3'), [])
  assert.deepEqual(finishedIn(0, '2:AAAA'), [])
  assert.equal(readMap(7, '2:AAAA').reserved, 7)
  holdsFor(
    t,
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      const { reserved, finished } = readMap(7, `1:${Buffer.from(bytes).toString('base64')}`)
      assert(Number.isSafeInteger(reserved) && reserved >= 7, `${reserved} reserved`)
      for (const { from, to } of finished) {
        assert(Number.isSafeInteger(from) && Number.isSafeInteger(to) && from >= 7 && to >= from, `${from} to ${to}`)
      }
    }),
  )
  const endless = `1:${Buffer.from([0, 0, ...Array<number>(200).fill(0xff), 1]).toString('base64')}`
  assert.equal(new OffsetMap(0, { offset: 0, metadata: endless }).wasFinished(12), false)
})
