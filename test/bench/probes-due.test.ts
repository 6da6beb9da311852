import assert from 'node:assert/strict'
import { test } from 'node:test'
import { probesDue } from './probes-due.ts'

test('a connection that refuses is due probes after 5, 15, 35 and 75 seconds, and then one a minute', () => {
  const due = [0, 4_999, 5_000, 15_000, 35_000, 75_000, 135_000, 195_000].map(probesDue)
  assert.deepEqual(due, [0, 0, 1, 2, 3, 4, 5, 6])
})
