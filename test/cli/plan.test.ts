// `onward plan`: what a load needs, and that more of a load never needs less.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decidePlan, type Load } from '../../services/cli/plan/decide-plan.ts'
import { holdsFor } from '../support/property.ts'
import { runOnward } from '../support/run-onward.ts'

const DAY = 86_400_000
const load: Load = {
  changesPerSecond: 1_000,
  changesPerSecondOnAverage: 250,
  deliveriesPerChange: 2,
  bytes: 1_024,
  connections: 20,
  latency: 200,
  outage: DAY,
  away: 0.1,
  retention: 7 * DAY,
  replication: 3,
}

test('a plan follows from the load: sockets by latency, parked by outage, processes by both', () => {
  const plan = decidePlan(load)
  assert.equal(plan.deliveriesPerSecond, 2_000)
  // 2,000/s × 0.2 s = 400 on the wire, twice that over 20 connections.
  assert.equal(plan.concurrency, 40)
  assert.equal(plan.socketsInAll, 800)
  assert.equal(plan.changesPerSecondOfOneCase, 5)
  // 250/s × 2 × 10 % × a day.
  assert.equal(plan.parked, 4_320_000)
  assert.equal(plan.processes, 5)
  assert.equal(plan.partitions, 24)
  // The connections that were away have 80 slots: 400/s, of which 50/s go to what is new.
  assert.equal(plan.drain, Math.round((4_320_000 / 350) * 1_000))
})

test('a small load has two forwarders, so that one may end', () => {
  const { processes, partitions, drain } = decidePlan({
    ...load,
    changesPerSecond: 1,
    changesPerSecondOnAverage: 1,
    away: 0,
  })
  assert.deepEqual([processes, partitions, drain], [2, 12, 0])
})

test('a load for more than one cluster is refused a number of partitions', async () => {
  assert.equal(decidePlan({ ...load, changesPerSecond: 10_000_000 }).partitions, null)
  const { code, stdout } = await runOnward(['plan', '--changes', '10000000/s'], {})
  assert.equal(code, 1)
  assert.match(stdout, /too many +more than one cluster should carry: docs\/scaling\.md/)
})

test('more of a load never needs less', (t) => {
  const anyLoad = fc.record({
    changesPerSecond: fc.integer({ min: 1, max: 100_000 }),
    changesPerSecondOnAverage: fc.integer({ min: 1, max: 10_000 }),
    deliveriesPerChange: fc.integer({ min: 1, max: 20 }),
    bytes: fc.integer({ min: 100, max: 1_000_000 }),
    connections: fc.integer({ min: 1, max: 10_000 }),
    latency: fc.integer({ min: 1, max: 30_000 }),
    outage: fc.integer({ min: 1_000, max: 30 * DAY }),
    away: fc.double({ min: 0, max: 1, noNaN: true }),
    retention: fc.integer({ min: 1_000, max: 30 * DAY }),
    replication: fc.integer({ min: 1, max: 5 }),
  })
  holdsFor(
    t,
    fc.property(anyLoad, (some) => {
      const less = decidePlan(some)
      for (const name of ['changesPerSecond', 'changesPerSecondOnAverage', 'deliveriesPerChange', 'outage'] as const) {
        const more = decidePlan({ ...some, [name]: some[name] * 2 })
        for (const figure of ['processes', 'parked', 'sourceDiskGb', 'retryDiskGb', 'socketsInAll'] as const) {
          assert.ok(more[figure] >= less[figure], `${figure} with twice the ${name}: ${less[figure]} → ${more[figure]}`)
        }
      }
    }),
  )
})

test('plan prints each figure with its reason, or JSON, and says what it does not understand', async () => {
  const args = [
    'plan',
    '--changes',
    '1000/s',
    '--average',
    '250/s',
    '--fan-out',
    '2',
    '--connections',
    '20',
    '--outage',
    '1d',
  ]
  const printed = await runOnward(args, {})
  assert.equal(printed.code, 0)
  assert.match(printed.stdout, /^forwarders +5 /m)
  assert.match(printed.stdout, /^limits\.concurrency +40 /m)
  const { plan } = JSON.parse((await runOnward([...args, '--json'], {})).stdout) as { plan: { parked: number } }
  assert.equal(plan.parked, 4_320_000)

  for (const [wrong, says] of [
    [[], /how many changes at the peak/],
    [['--changes', '5'], /--changes takes a rate/],
    [['--changes', '5/s', '--away', '101'], /--away takes a number from 0 to 100/],
    [['--changes', '5/s', '--latency', 'long'], /--latency takes a duration/],
    [['--changes', '5/s', '--conections', '2'], /did you mean --connections/],
  ] as const) {
    const { code, stderr } = await runOnward(['plan', ...wrong], {})
    assert.equal(code, 2)
    assert.match(stderr, says)
  }
})
