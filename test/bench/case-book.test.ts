import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createCaseBook } from './case-book.ts'
import { holdsFor } from '../support/property.ts'

const body = (caseId: string, version: number) =>
  JSON.stringify({ case_id: caseId, properties: { case_name: 'n', version: String(version) }, version: '2.0' })

test('a change counts as settled when it arrives, and when a newer state of its case does', () => {
  const book = createCaseBook()
  book.enter(body('one', 1))
  book.enter(body('one', 4))
  book.enter(body('two', 1))
  assert.deepEqual(book.figures(), { settled: 5, outOfOrder: 0, repeated: 0, skipped: 2, unnamed: 0 })
})

test('an older version than the last is out of order, the same one a repetition, and neither settles anything', () => {
  const book = createCaseBook()
  for (const version of [1, 2, 2, 1]) book.enter(body('one', version))
  assert.deepEqual(book.figures(), { settled: 2, outOfOrder: 1, repeated: 1, skipped: 0, unnamed: 0 })
})

test('a body that names no case or no version of it is counted apart', () => {
  const book = createCaseBook()
  for (const text of ['', '{"case_id":"one"}', body('one', 0), body('one', 1.5), '{"case_id":"one']) book.enter(text)
  assert.deepEqual(book.figures(), { settled: 0, outOfOrder: 0, repeated: 0, skipped: 0, unnamed: 5 })
})

test('a cleared book has seen nothing', () => {
  const book = createCaseBook()
  book.enter(body('one', 3))
  book.clear()
  book.enter(body('one', 1))
  assert.deepEqual(book.figures(), { settled: 1, outOfOrder: 0, repeated: 0, skipped: 0, unnamed: 0 })
})

test('whatever arrives in whatever order, what is settled is the sum of the newest versions', (t) => {
  const arrivals = fc.array(
    fc.record({ caseId: fc.constantFrom('a', 'b', 'c'), version: fc.integer({ min: 1, max: 9 }) }),
  )
  holdsFor(
    t,
    fc.property(arrivals, (all) => {
      const book = createCaseBook()
      const newest = new Map<string, number>()
      for (const { caseId, version } of all) {
        book.enter(body(caseId, version))
        newest.set(caseId, Math.max(newest.get(caseId) ?? 0, version))
      }
      const { settled, outOfOrder, repeated, skipped } = book.figures()
      assert.equal(
        settled,
        [...newest.values()].reduce((sum, version) => sum + version, 0),
      )
      assert.equal(all.length, settled - skipped + outOfOrder + repeated)
    }),
  )
})
