import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planFaults, type Plan } from './plan-faults.ts'
import { POINTS } from './points.ts'

const MINUTE = 60_000
const faultsOf = (steps: Plan['members'] | Plan['points'] | Plan['broker']) => steps.map(({ fault }) => fault)

test('the same seed plans the same faults, another one others', () => {
  assert.deepEqual(planFaults(7, 2 * MINUTE, 4), planFaults(7, 2 * MINUTE, 4))
  assert.notDeepEqual(planFaults(7, 2 * MINUTE, 4), planFaults(8, 2 * MINUTE, 4))
})

test('a run of two minutes kills at every named point, and most of it leaves the brokers alone', () => {
  for (let seed = 1; seed <= 50; seed++) {
    const { points, broker, remotes } = planFaults(seed, 2 * MINUTE, 4)
    assert.deepEqual(new Set(faultsOf(points)), new Set(POINTS))
    assert.deepEqual(new Set(faultsOf(broker)), new Set(['kill']))
    assert.equal(remotes.length, 4)
  }
})

test('a run of ten minutes has every fault, and loses all brokers once, for a minute', () => {
  for (let seed = 1; seed <= 50; seed++) {
    const { members, broker, remotes } = planFaults(seed, 10 * MINUTE, 4)
    assert.equal(new Set(faultsOf(members)).size, 6)
    const all = broker.filter(({ fault }) => fault === 'kill-all')
    assert.deepEqual(
      all.map(({ lasts }) => lasts),
      [MINUTE],
    )
    for (const steps of remotes) assert.equal(new Set(steps.map(({ fault }) => fault)).size, 9)
    for (const { fault, lasts } of members) if (fault === 'stop') assert(lasts >= 20_000 && lasts <= MINUTE)
  }
})
