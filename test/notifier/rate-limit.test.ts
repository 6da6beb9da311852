import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RateLimit } from '../../services/notifier/rate-limit.ts'

test('a burst is let in, then as many as the rate gives', () => {
  const limit = new RateLimit(3, 1, 100)
  const takes = (now: number) => limit.take('peer', now)
  assert.deepEqual([takes(0), takes(0), takes(0), takes(0)], [true, true, true, false])
  assert.deepEqual([takes(1_000), takes(1_000)], [true, false])
  assert.equal(limit.take('other', 1_000), true)
})

test('no more peers are remembered than the bound says', () => {
  const limit = new RateLimit(1, 0, 2)
  for (const peer of ['a', 'b', 'c']) assert.equal(limit.take(peer, 0), true)
  assert.equal(limit.take('c', 0), false)
  assert.equal(limit.take('a', 0), true, 'forgotten, and let in')
})
