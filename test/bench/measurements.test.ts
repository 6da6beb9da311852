import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  BARE,
  ONE_AT_A_TIME,
  ONWARD,
  ONWARD_DIGEST,
  ONWARD_DRAINS,
  ONWARD_HALF,
  ONWARD_PARKS,
  ONWARD_UNPROVEN,
  stepsOf,
} from './measurements.ts'

const ALL = [BARE, ONWARD, ONWARD_UNPROVEN, ONWARD_HALF, ONWARD_PARKS, ONWARD_DRAINS, ONE_AT_A_TIME, ONWARD_DIGEST]
const labels = (run: number) =>
  stepsOf(ALL, run).map((step) =>
    step.kind === 'alone' ? step.measurement.label : step.group.map(({ label }) => label),
  )

test('every other run goes the other way round, and what rests on another measurement comes behind it', () => {
  const behind = [ONWARD_HALF, ONWARD_PARKS, ONWARD_DRAINS].map(({ label }) => label)
  const sliced = [ONWARD_UNPROVEN.label, ONWARD_DIGEST.label]
  assert.deepEqual(labels(1), [BARE.label, ONWARD.label, ONE_AT_A_TIME.label, sliced, ...behind])
  assert.deepEqual(labels(2), [sliced.toReversed(), ONE_AT_A_TIME.label, ONWARD.label, BARE.label, ...behind])
  assert.deepEqual(labels(3), labels(1))
})
