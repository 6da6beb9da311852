import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRefusalBook } from './refusal-book.ts'

test('of what a connection is sent, only what comes after its first moment speaks against the sender', () => {
  const book = createRefusalBook()
  for (const now of [1_000, 1_010, 1_500, 6_000, 16_000]) book.enter('/p03', now)
  assert.deepEqual(book.figures(20_000), { refused: 5, mostAfterFirst: 2, since: 19_000 })
})

test('the connection that was sent the most later is the one that is told of', () => {
  const book = createRefusalBook()
  book.enter('/p03', 0)
  book.enter('/p13', 500)
  for (const now of [5_000, 6_000, 7_000]) book.enter('/p13', now)
  book.enter('/p03', 9_000)
  assert.deepEqual(book.figures(10_000), { refused: 6, mostAfterFirst: 3, since: 9_500 })
})

test('a cleared book has refused nobody', () => {
  const book = createRefusalBook()
  book.enter('/p03', 0)
  book.clear()
  assert.deepEqual(book.figures(10_000), { refused: 0, mostAfterFirst: 0, since: 0 })
})
