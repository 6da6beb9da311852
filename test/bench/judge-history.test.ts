import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judgeHistories } from './judge-history.ts'
import { ONWARD, ONWARD_PARKS, ONWARD_WAITING, PLAIN } from './measurements.ts'
import type { RunFigures } from './watch.ts'

const seen = (outOfOrder: number, repeated: number, skipped: number) =>
  ({ outOfOrder, repeated, skipped, assignments: 1 }) as Partial<RunFigures> as RunFigures
const judge = (label: string, figures: RunFigures) =>
  judgeHistories(
    [ONWARD, ONWARD_WAITING, ONWARD_PARKS, PLAIN],
    [{ figures: new Map([[label, figures]]), hottestShare: Number.NaN }],
  )

test('a history is clean when every version came once and in order', () => {
  assert.deepEqual(judge('Onward', seen(0, 0, 0)), [{ label: 'Onward', run: 1, faults: [] }])
})

test('each fault of a history is counted', () => {
  const [history] = judge('Onward', seen(1, 2, 3))
  assert.deepEqual(history?.faults, ['1 out of order', '2 twice (partitions were given to it 1 times)', '3 missing'])
})

test('where newer states replace waiting ones, what was left out is not missing', () => {
  const [history] = judge('Onward, Zipf, waiting', seen(0, 0, 3))
  assert.deepEqual(history?.faults, [])
})

test("what delivers nothing has no history, and a rival's is not judged", () => {
  assert.deepEqual(judge('Onward, parks', seen(Number.NaN, Number.NaN, Number.NaN)), [])
  assert.deepEqual(judge('plain kafkajs', seen(1, 0, 0)), [])
})
