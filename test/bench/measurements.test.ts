import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BARE, inTurn, ONE_AT_A_TIME, ONWARD, ONWARD_DRAINS, ONWARD_HALF, ONWARD_PARKS } from './measurements.ts'

const ALL = [BARE, ONWARD, ONWARD_HALF, ONWARD_PARKS, ONWARD_DRAINS, ONE_AT_A_TIME]
const labels = (run: number) => inTurn(ALL, run).map(({ label }) => label)

test('every other run goes the other way round, and what rests on another measurement comes behind it', () => {
  const behind = [ONWARD_HALF, ONWARD_PARKS, ONWARD_DRAINS].map(({ label }) => label)
  assert.deepEqual(labels(1), [BARE.label, ONWARD.label, ONE_AT_A_TIME.label, ...behind])
  assert.deepEqual(labels(2), [ONE_AT_A_TIME.label, ONWARD.label, BARE.label, ...behind])
  assert.deepEqual(labels(3), labels(1))
})
