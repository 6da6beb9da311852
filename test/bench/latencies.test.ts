import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLatencies } from './latencies.ts'

test('half of what was counted is not above the median, and all but a hundredth not above the 99th percentile', () => {
  const latencies = createLatencies()
  for (let millis = 1; millis <= 1_000; millis += 1) latencies.enter(millis - 0.05)
  const { count, p50, p99 } = latencies.figures()
  assert.equal(count, 1_000)
  assert.ok(Math.abs(p50 - 500) < 0.11, String(p50))
  assert.ok(Math.abs(p99 - 990) < 0.11, String(p99))
})

test('nothing counted has no percentile, and what was cleared was never counted', () => {
  const latencies = createLatencies()
  assert.deepEqual(latencies.figures(), { count: 0, p50: Number.NaN, p99: Number.NaN })
  latencies.enter(7)
  latencies.clear()
  assert.deepEqual(latencies.figures(), { count: 0, p50: Number.NaN, p99: Number.NaN })
})

test('clocks that disagree by a little, and hours, are counted at the ends', () => {
  const latencies = createLatencies()
  latencies.enter(-0.3)
  assert.ok(latencies.figures().p99 <= 0.1)
  latencies.clear()
  latencies.enter(3_600_000)
  assert.ok(latencies.figures().p50 >= 60_000)
})
