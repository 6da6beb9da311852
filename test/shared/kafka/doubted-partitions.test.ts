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

test('how far a partition was read that was cut is known until it has a position, and says nothing of a log that is made anew', () => {
  const doubted = new DoubtedPartitions()
  const gained = [{ topic: 'cases', partitions: [1] }]
  doubted.leaveOut(gained, [{ ...at('cases', 1), base: 16 }])
  doubted.cut('cases', 1, 42)
  assert.deepEqual([doubted.readTo(at('cases', 1), 16), doubted.readTo(at('forms', 1), 16)], [42, 0])
  assert.equal(doubted.readTo(at('cases', 1), 32), 0)
  doubted.leaveOut(gained, [at('cases', 1)])
  assert.equal(doubted.readTo(at('cases', 1), 16), 0)
})

test('a log is believed to have been cut once it was so for five seconds, and its leader is looked for meanwhile', async () => {
  const doubted = new DoubtedPartitions()
  const cut: StartPosition = { ...at('cases', 1), found: { kind: 'log-shorter', readTo: 42 } }
  let looked = 0
  const believe = (positions: readonly StartPosition[], now: number) =>
    doubted.believe(positions, now, async () => {
      looked++
    })
  await believe([at('cases', 0)], 0)
  await assert.rejects(believe([cut], 1_000), /cases\[1\] ends before where it was read/)
  await assert.rejects(believe([cut], 5_000))
  await believe([at('cases', 1)], 5_500)
  await assert.rejects(believe([cut], 6_500), /ends before/, 'it was not so in between')
  assert.equal(looked, 3)
  await believe([cut], 11_500)
})
