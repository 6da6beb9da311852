import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  BARE,
  inTurn,
  ONE_AT_A_TIME,
  ONWARD,
  ONWARD_DIGEST,
  ONWARD_DRAINS,
  ONWARD_HALF,
  ONWARD_PARKS,
  ONWARD_UNPROVEN,
} from './measurements.ts'

const ALL = [BARE, ONWARD, ONWARD_UNPROVEN, ONWARD_HALF, ONWARD_PARKS, ONWARD_DRAINS, ONE_AT_A_TIME, ONWARD_DIGEST]
const labels = (run: number) => inTurn(ALL, run).map((group) => group.map(({ label }) => label))

test('every other run goes the other way round, and what rests on another measurement comes behind it', () => {
  const behind = [ONWARD_HALF, ONWARD_PARKS, ONWARD_DRAINS].map(({ label }) => [label])
  const together = [ONWARD_UNPROVEN.label, ONWARD_DIGEST.label]
  assert.deepEqual(labels(1), [[BARE.label], [ONWARD.label], [ONE_AT_A_TIME.label], together, ...behind])
  assert.deepEqual(labels(2), [together.toReversed(), [ONE_AT_A_TIME.label], [ONWARD.label], [BARE.label], ...behind])
  assert.deepEqual(labels(3), labels(1))
})
