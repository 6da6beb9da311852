import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RunFigures } from './watch.ts'
import { loadsOf } from './measurements.ts'
import { renderTable, renderWorkload } from './render-report.ts'
import { WORKLOADS, type Measured } from './workloads.ts'

const figures = (perSecond: number, cpuMicrosEach: number): RunFigures => ({
  perSecond,
  requestsPerSecond: perSecond,
  cpuMicrosEach,
  waited: 0.05,
  peakMegabytes: 250,
  receiverCores: 0.3,
  outOfOrder: 0,
  repeated: 0,
  skipped: 0,
  mostSockets: 400,
  counted: 1_000,
  secondsToFirst: 1,
  p50: Number.NaN,
  p99: Number.NaN,
  assignments: 1,
  sentToRefusing: Number.NaN,
  probesDue: Number.NaN,
})

const measured = (entries: Readonly<Record<string, RunFigures>>): Measured => ({
  figures: new Map(Object.entries(entries)),
  hottestShare: 0.15,
})
const workload = (name: string) => {
  const found = WORKLOADS.find((one) => one.name === name)
  assert.ok(found)
  return found
}

test('a ratio stands beside its goals, and says of each whether it is met', () => {
  const text = renderWorkload(workload('W1'), [
    measured({
      'bare undici, request': figures(20_000, 40),
      'bare undici, dispatch': figures(22_000, 36),
      'plain kafkajs': figures(1_500, 140),
      Onward: figures(12_000, 60),
    }),
  ])
  assert.match(text, /÷ bare undici +0\.60 +≥ 0\.5 +met +≥ 0\.8 +not met\n/)
  assert.match(text, /÷ plain kafkajs +8\.00 +≥ 4 +met +-\n/)
  assert.match(text, /CPU a delivery ÷ bare undici +1\.50 +- +≤ 1\.25 +not met\n/)
})

test('a system that failed leaves the others their rows, and its ratios open', () => {
  const text = renderWorkload(workload('W1'), [measured({ 'bare undici, request': figures(20_000, 40) })])
  assert.match(text, /Onward \(not measured\) /)
  assert.match(text, /÷ bare undici +- +≥ 0\.5 +\? /)
  assert.doesNotMatch(text, /NaN|undefined/)
})

test('the bound of one request at a time per case comes from the measured time of a request', () => {
  const text = renderWorkload(workload('W1z'), [
    measured({ 'bare undici, one request at a time': figures(180, 100), 'Onward, Zipf, never': figures(1_140, 70) }),
  ])
  assert.match(text, /One request at a time per case allows 1200 settled\/s: the hottest case has 15\.0 %/)
  assert.match(text, /per case +0\.95 +- +≥ 0\.9 +met\n/)
})

test('ratios are taken within a run, and their median is printed, not the ratio of medians', () => {
  // Onward is half of bare in each run, though the machine was slow in the second and fast in the third.
  const run = (bare: number) => measured({ 'bare undici, request': figures(bare, 40), Onward: figures(bare / 2, 80) })
  const text = renderWorkload(workload('W1'), [run(10_000), run(3_000), run(30_000)])
  assert.match(text, /deliveries\/s ÷ bare undici +0\.50 /)
  assert.match(text, /CPU a delivery ÷ bare undici +2\.00 /)
  assert.match(text, /Medians over 3 runs/)
})

test('a run in which a system failed counts for the others', () => {
  const whole = measured({ 'bare undici, request': figures(20_000, 40), Onward: figures(10_000, 80) })
  const broken = measured({ 'bare undici, request': figures(20_000, 40) })
  assert.match(renderWorkload(workload('W1'), [broken, whole]), /deliveries\/s ÷ bare undici +0\.50 /)
})

test('columns of a table are as wide as their widest cell, and no line ends in blanks', () => {
  assert.equal(
    renderTable([
      ['name', 'n'],
      ['a', '100'],
      ['longer', ''],
    ]),
    'name      n\n------  ---\na       100\nlonger\n',
  )
})

test('the load that one hot case paces is cut so that a run of it lasts about as long as the others', () => {
  assert.equal(loadsOf(10, null).zipf.changes, 100_000)
  assert.equal(loadsOf(10, null)['zipf-short'].changes, 12_000)
  assert.equal(loadsOf(10, 5_000)['zipf-short'].changes, 5_000)
})
