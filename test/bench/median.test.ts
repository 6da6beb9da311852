import assert from 'node:assert/strict'
import { test } from 'node:test'
import { median } from './median.ts'

test('the median is the middle value, or the mean of the middle two', () => {
  assert.equal(median([3, 1, 2]), 2)
  assert.equal(median([4, 1, 3, 2]), 2.5)
})

test('what was not measured does not move the median', () => {
  assert.equal(median([Number.NaN, 3, 1, 2, Infinity]), 2)
  assert.ok(Number.isNaN(median([])))
  assert.ok(Number.isNaN(median([Number.NaN])))
})
