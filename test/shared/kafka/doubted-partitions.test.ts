import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DoubtedPartitions } from '../../../services/shared/kafka/doubted-partitions.ts'
import type { VersionBook } from '../../../services/shared/kafka/read-positions.ts'
import type { StartPosition } from '../../../services/shared/kafka/start-position.ts'

const at = (topic: string, partition: number): StartPosition => ({
  topic,
  partition,
  base: 0,
  offset: 0,
  end: 0,
  commit: null,
  found: { kind: 'committed' },
})

/** A book that knows the bases of these partitions. */
const knowing = (...known: readonly number[]): VersionBook => ({
  topics: ['cases'],
  meet: () => Promise.resolve(),
  baseOf: (_topic, partition) => (known.includes(partition) ? 0 : undefined),
  countOf: () => 4,
  raise: () => Promise.resolve(),
})

test('what has no position is left out, and asked for once its base is known', () => {
  const doubted = new DoubtedPartitions()
  const gained = [
    { topic: 'cases', partitions: [0, 1, 2] },
    { topic: 'retry', partitions: [0, 1, 2] },
  ]
  const positions = [at('cases', 0), ...[0, 1, 2].map((partition) => at('retry', partition))]
  assert.deepEqual(doubted.leaveOut(gained, positions), [
    { topic: 'cases', partitions: [1] },
    { topic: 'cases', partitions: [2] },
  ])
  assert.deepEqual(doubted.known(knowing(0)), [])
  assert.deepEqual(doubted.known(knowing(0, 2)), [2])
  assert.deepEqual(doubted.known(knowing(0, 2)), [], 'once')
  assert.deepEqual(doubted.leaveOut([{ topic: 'cases', partitions: [1] }], [at('cases', 1)]), [])
  assert.deepEqual(doubted.known(knowing(1)), [], 'it has a position by now')
})

test('how far a partition was read that was cut is known until it has a position', () => {
  const doubted = new DoubtedPartitions()
  doubted.cut('cases', 1, 42)
  assert.deepEqual([doubted.readTo(at('cases', 1)), doubted.readTo(at('forms', 1))], [42, 0])
  doubted.leaveOut([{ topic: 'cases', partitions: [1] }], [at('cases', 1)])
  assert.equal(doubted.readTo(at('cases', 1)), 0)
})
