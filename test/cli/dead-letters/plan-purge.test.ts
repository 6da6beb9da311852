import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UsageError } from '../../../services/cli/arguments.ts'
import { planPurge, readThrough } from '../../../services/cli/dead-letters/plan-purge.ts'

const begins = new Map([
  [0, 10],
  [1, 0],
  [2, 5],
])
const ends = new Map([
  [0, 20],
  [1, 7],
  [2, 5],
])

test('a partition loses what lies before the point, never more than it has, and nothing where nothing lies there', () => {
  const wanted = new Map([
    [2, 99],
    [1, 99],
    [0, 12],
  ])
  assert.deepEqual(planPurge(begins, ends, wanted), [
    { partition: 0, from: 10, before: 12, letters: 2 },
    { partition: 1, from: 0, before: 7, letters: 7 },
  ])
  assert.deepEqual(planPurge(begins, ends, new Map([[0, 3]])), [])
})

test('a point includes the letter that it names, once for each partition that there is', () => {
  assert.deepEqual(
    readThrough(['0:11', '1:0'], ends),
    new Map([
      [0, 12],
      [1, 1],
    ]),
  )
  for (const texts of [['0'], ['9:1'], ['0:1', '0:2']]) assert.throws(() => readThrough(texts, ends), UsageError)
})
