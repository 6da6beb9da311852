// What is left behind of the cases that move when a topic gets partitions: changes that nobody has finished in the partitions they had,
// and copies in the retry topics. Enter: a topic that has grown. Leave: counts. Progress as it goes.
// What lies behind an open record counts although it may be finished: the answer is late rather than wrong.
import { systemClock } from '../../shared/clock.ts'
import type { Admin } from '../../shared/kafka/admin.ts'
import { partitionOf } from '../../shared/kafka/murmur2.ts'
import { ownTopic, retryTopic } from '../../shared/kafka/plan-topics.ts'
import { readOffsets, readTopic, type TopicRecord } from '../../shared/kafka/reader.ts'
import type { Settings } from '../../shared/settings.ts'
import { readRetryHeader, RETRY_HEADER, versionIn } from '../../shared/wire/retry-header.ts'
import type { BoundedCluster } from '../cluster.ts'
import { openProgress } from '../progress.ts'
import type { Terminal } from '../terminal.ts'

export type Growth = {
  readonly topic: string
  /** Partitions that are read. */
  readonly before: number
  /** Partitions that there are. */
  readonly after: number
}

export type Unfinished = {
  /** Changes in the source topic. */
  readonly unread: number
  /** Copies in retry topics, by repeater. */
  readonly parked: ReadonlyMap<string, number>
  /** Cases that a dead letter holds. */
  readonly held: number
}

export async function countUnfinished(
  cluster: BoundedCluster,
  admin: Admin,
  { topicPrefix, retryTiers, groupId }: Settings,
  { topic, before, after }: Growth,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<Unfinished> {
  const { kafka, within, whileMoving } = cluster
  const tiers = [ownTopic(topicPrefix, 'requeue'), ...retryTiers.map((delay) => retryTopic(topicPrefix, delay))]
  const committed = await within(admin.committed(groupId, [topic, ...tiers]), signal)
  const moves = (key: Buffer | null): boolean =>
    key !== null && key.length > 0 && partitionOf(key, after) !== partitionOf(key, before)
  let unread = 0
  const parked = new Map<string, number>()
  const held = new Set<string>()

  /** @param onRecord told of what the group has not finished in the partitions that it reads */
  const look = async (of: string, onRecord: (record: TopicRecord) => void) => {
    const begins = await within(readOffsets(kafka, { topic: of, signal }, 'earliest'), signal)
    const ends = await within(readOffsets(kafka, { topic: of, signal }, 'latest'), signal)
    const from = new Map(
      [...begins]
        .filter(([partition]) => partition < before)
        .map(([partition, begin]) => [partition, Math.max(begin, committed.get(of)?.get(partition) ?? 0)]),
    )
    const count = [...from].reduce(
      (sum, [partition, offset]) => sum + Math.max(0, (ends.get(partition) ?? 0) - offset),
      0,
    )
    if (count === 0) return
    const progress = openProgress(terminal, systemClock, `records of ${of} looked at`, count)
    let read = 0
    await whileMoving(
      (moved, bounded) =>
        readTopic(kafka, { topic: of, signal: bounded, from, to: ends, views: true }, (record) => {
          moved()
          progress.advance(++read)
          onRecord(record)
        }),
      signal,
    )
    progress.finish(read)
  }

  await look(topic, ({ key }) => {
    if (moves(key)) unread++
  })
  for (const tier of tiers) {
    await look(tier, ({ headers, key, partition }) => {
      const copy = readRetryHeader(headers[RETRY_HEADER], partition)
      if (copy.kind === 'malformed' || copy.header.topic !== topic) return
      const { repeater, key: sourceKey, reason } = copy.header
      const keyOfSource = sourceKey === undefined ? key : sourceKey === null ? null : Buffer.from(sourceKey, 'base64')
      if (!moves(keyOfSource)) return
      const name = `${repeater} ${partition} ${versionIn(copy.header)} ${String(key)}`
      // A marker is written anew until what holds its lane is released.
      if (reason === 'held') held.add(name)
      else if (reason === 'released') held.delete(name)
      else if (reason !== 'cancel') parked.set(repeater, (parked.get(repeater) ?? 0) + 1)
    })
  }
  return { unread, parked, held: held.size }
}
