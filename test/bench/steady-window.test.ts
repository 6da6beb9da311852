import assert from 'node:assert/strict'
import { test } from 'node:test'
import { steadyFigures, type Sample } from './steady-window.ts'

/** A sample a second; requests are twice the count, the receiver takes half the system's time. */
const samplesOf = (counts: readonly number[], cpuMicrosEach: number): Sample[] =>
  counts.map((count, second) => ({
    at: second * 1_000,
    count,
    requests: count * 2,
    cpuMicros: count * cpuMicrosEach,
    waitedMicros: second * 100_000,
    receiverCpuMicros: (count * cpuMicrosEach) / 2,
  }))

test('the steady window leaves out a slow start and a slow end', () => {
  const counts = [0, 5, 100, 300, 500, 700, 900, 990, 1_000]
  const figures = steadyFigures(samplesOf(counts, 50), 'steady')
  assert.equal(figures.perSecond, 200)
  assert.equal(figures.requestsPerSecond, 400)
  assert.equal(figures.cpuMicrosEach, 50)
  assert.equal(figures.receiverCores, 0.005)
  assert.equal(figures.waited, 0.1)
  assert.equal(figures.seconds, 4)
})

test('the whole window begins with the last sample without a count and ends with the first that has all', () => {
  const figures = steadyFigures(samplesOf([0, 0, 0, 600, 900, 1_200, 1_200, 1_200], 10), 'whole')
  assert.equal(figures.seconds, 3)
  assert.equal(figures.perSecond, 400)
})

test('a run without a steady window is an error that says what to give it', () => {
  assert.throws(() => steadyFigures(samplesOf([0, 1_000], 1), 'steady'), /--seconds/)
  assert.throws(() => steadyFigures([], 'whole'), /--seconds/)
})
