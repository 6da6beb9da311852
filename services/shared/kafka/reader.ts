// Reads whole topics beside the consumer group: configuration, traces, replays. Enter: a topic. Leave: its records, in order
// within each partition. Never: a group, a commit, an end because a broker is away (the caller's signal ends a wait).
import { systemClock, type Clock, type Millis } from '../clock.ts'
import { errorText } from '../error-text.ts'
import type { Log } from '../log.ts'
import { closeAfter, orAborted, stopped } from './call-off.ts'
import type { KafkaClient } from './kafka.ts'
import {
  isUnknownTopic,
  openTopicFetcher,
  type FetchedPartition,
  type OffsetPlace,
  type TopicFetcher,
  type TopicRecord,
} from './topic-fetcher.ts'

export type { TopicRecord } from './topic-fetcher.ts'

export type FollowOptions = {
  readonly topic: string
  readonly log: Log
  /** Ends the following, as `stop` does. */
  readonly signal?: AbortSignal
  readonly clock?: Clock
}

export type Following = {
  /** Resolves when every partition was read to the end it had at the start; rejects when the following ends before. */
  readonly caughtUp: Promise<void>
  /** Resolves when no record is handed over any more. */
  readonly stop: () => Promise<void>
}

export type ReadOptions = {
  readonly topic: string
  /** Unix milliseconds: begins with the first record as late as this. Absent: with the earliest. */
  readonly fromTimestamp?: Millis
  /** Offsets to begin at, by partition; where the log begins later, there. Partitions that are not in it are not read. */
  readonly from?: ReadonlyMap<number, number>
  /** By partition, the first offset that is not read any more. Absent: the end that the partition has now. */
  readonly to?: ReadonlyMap<number, number>
  /** Absent: those of `from`, else all. */
  readonly partitions?: readonly number[]
  /** The records' buffers are parts of the broker's answer: whoever keeps one keeps megabytes. */
  readonly views?: boolean
  readonly signal: AbortSignal
  readonly clock?: Clock
}

export class TopicError extends Error {
  override readonly name = 'TopicError'
  readonly code = 'TOPIC_UNKNOWN'

  constructor(topic: string) {
    super(`there is no topic ${topic}: npx onward topics creates what is missing (source topics only with --sources)`)
  }
}

/** Between two tries while the brokers are away: short, for kafkajs waits by itself while it cannot connect. */
const RETRY_AFTER: Millis = 250
/** A follower doubles its wait up to this, so that an outage of an hour does not fill the log. */
const LONGEST_RETRY: Millis = 5_000

/**
 * Reads a topic from its earliest record and goes on as records come. A topic that does not exist yet is waited for.
 * @param onRecords one partition's records in order; it must not throw: a throw ends the process as an unhandled rejection
 */
export const followTopic = async (
  kafka: KafkaClient,
  options: FollowOptions,
  onRecords: (records: readonly TopicRecord[]) => void,
): Promise<Following> => followFetched(openTopicFetcher(kafka, options.topic), options, onRecords)

/** As `followTopic`, from a fetcher that it closes in the end. */
export function followFetched(
  fetcher: TopicFetcher,
  options: FollowOptions,
  onRecords: (records: readonly TopicRecord[]) => void,
): Following {
  const { topic, log, clock = systemClock } = options
  const stopping = new AbortController()
  const signal = options.signal ? AbortSignal.any([options.signal, stopping.signal]) : stopping.signal
  const caughtUp = Promise.withResolvers<undefined>()
  // Whoever does not await it must not be ended by a stop before the end was reached.
  caughtUp.promise.catch(() => undefined)

  let retryAfter = RETRY_AFTER
  const wait = async (event: string, error: unknown) => {
    log.warn(event, { topic, error: errorText(error) })
    await clock.sleep(retryAfter, signal)
    retryAfter = Math.min(2 * retryAfter, LONGEST_RETRY)
  }
  const begin = async (): Promise<{ positions: Map<number, number>; targets: Map<number, number> }> => {
    while (true) {
      try {
        const partitions = await fetcher.partitions()
        const targets = await fetcher.offsets('latest', partitions)
        return { positions: await fetcher.offsets('earliest', partitions), targets }
      } catch (error) {
        if (signal.aborted) throw error
        await wait('topic-not-readable-yet', error)
      }
    }
  }
  const follow = async () => {
    const { positions, targets } = await begin()
    dropReached(targets, positions)
    if (targets.size === 0) caughtUp.resolve(undefined)
    while (!signal.aborted) {
      const round = await fetcher.fetch(positions)
      if (stopped(signal)) return
      if (round.kind === 'failed') await wait('topic-read-failed', round.error)
      else if (round.kind === 'out-of-range') await resume(fetcher, topic, positions, round.partition, log)
      else if (round.kind === 'unknown-topic') {
        // Kept positions would skip the beginning of the topic that takes its name.
        for (const partition of positions.keys()) positions.set(partition, 0)
        await wait('topic-gone', 'it is waited for, and read from its beginning when it is there again')
      } else {
        retryAfter = RETRY_AFTER
        for (const { partition, records, next } of round.partitions) {
          positions.set(partition, next)
          if (records.length > 0) onRecords(records)
        }
        if (round.partitions.length === 0) await addPartitions(fetcher, positions)
        if (targets.size === 0) continue
        if (round.idle) targets.clear()
        dropReached(targets, positions)
        if (targets.size === 0) caughtUp.resolve(undefined)
      }
    }
  }
  const running = untilAborted(follow(), signal, fetcher)
  return {
    caughtUp: caughtUp.promise,
    stop: async () => {
      stopping.abort()
      await running
    },
  }

  async function untilAborted(work: Promise<void>, ended: AbortSignal, open: TopicFetcher): Promise<void> {
    try {
      await orAborted(work, ended)
    } finally {
      caughtUp.reject(new Error(`following ${topic} ended before its end was reached`))
      await closeAfter(work, open)
    }
  }
}

/**
 * Reads everything up to the end the topic has now, or up to `to`, then resolves. Partitions come side by side, each in order.
 * @param onRecord when it returns a promise, no other record is handed over until it settles
 * @throws TopicError when there is no such topic; the signal's reason when it aborts
 */
export async function readTopic(
  kafka: KafkaClient,
  options: ReadOptions,
  onRecord: (record: TopicRecord) => void | Promise<void>,
): Promise<void> {
  const { topic, signal, clock = systemClock, views = false } = options
  signal.throwIfAborted()
  const fetcher = openTopicFetcher(kafka, topic, views)
  const deliver = async ({ records }: FetchedPartition, target: number) => {
    for (const record of records) {
      if (record.offset >= target || stopped(signal)) return
      const handled = onRecord(record)
      if (handled instanceof Promise) await handled
    }
  }
  const read = async () => {
    const { positions, targets } = await retryStart(() => spanOf(fetcher, options), topic, clock, signal)
    const askOn = () => {
      for (const [partition, target] of targets)
        if ((positions.get(partition) ?? target) >= target) positions.delete(partition)
      return positions.size === 0 ? null : fetcher.fetch(new Map(positions))
    }
    let asked = askOn()
    try {
      while (asked && !signal.aborted) {
        const round = await asked
        if (stopped(signal)) return
        if (round.kind === 'unknown-topic') throw new TopicError(topic)
        else if (round.kind === 'failed') await clock.sleep(RETRY_AFTER, signal)
        else if (round.kind === 'out-of-range') await resume(fetcher, topic, positions, round.partition, null)
        else if (round.idle) return
        const fetched = round.kind === 'fetched' ? round.partitions : []
        for (const { partition, next } of fetched) positions.set(partition, next)
        // The brokers are asked for what follows before this is handed over: they work while we do.
        asked = askOn()
        for (const each of fetched) await deliver(each, targets.get(each.partition) ?? 0)
      }
    } finally {
      // A request that was left behind would connect anew, after the connections are closed. It never rejects.
      await asked
    }
  }
  const work = read()
  try {
    await orAborted(work, signal)
    signal.throwIfAborted()
  } finally {
    await closeAfter(work, fetcher)
  }
}

/**
 * Where each partition begins or ends now, or what its first offset at a time is.
 * @throws as `readTopic`
 */
export async function readOffsets(
  kafka: KafkaClient,
  { topic, signal, clock = systemClock }: Pick<ReadOptions, 'topic' | 'signal' | 'clock'>,
  place: OffsetPlace,
): Promise<ReadonlyMap<number, number>> {
  signal.throwIfAborted()
  const fetcher = openTopicFetcher(kafka, topic)
  let offsets: ReadonlyMap<number, number> = new Map()
  const ask = async () => fetcher.offsets(place, await fetcher.partitions())
  const work = retryStart(ask, topic, clock, signal).then((answer) => void (offsets = answer))
  try {
    await orAborted(work, signal)
    signal.throwIfAborted()
    return offsets
  } finally {
    await closeAfter(work, fetcher)
  }
}

/** From where to where a bounded read goes. */
async function spanOf(
  fetcher: TopicFetcher,
  { from, to, partitions: chosen, fromTimestamp }: ReadOptions,
): Promise<{ readonly positions: Map<number, number>; readonly targets: ReadonlyMap<number, number> }> {
  const existing = await fetcher.partitions()
  const partitions = (chosen ?? (from ? [...from.keys()] : existing)).filter((partition) =>
    existing.includes(partition),
  )
  const targets = await fetcher.offsets('latest', partitions)
  for (const [partition, end] of to ?? []) targets.set(partition, Math.min(end, targets.get(partition) ?? 0))
  const positions = await fetcher.offsets(
    fromTimestamp === undefined ? 'earliest' : { timestamp: fromTimestamp },
    partitions,
  )
  for (const [partition, offset] of positions) positions.set(partition, Math.max(offset, from?.get(partition) ?? 0))
  return { positions, targets }
}

async function retryStart<Start>(
  begin: () => Promise<Start>,
  topic: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<Start> {
  while (true) {
    try {
      return await begin()
    } catch (error) {
      if (isUnknownTopic(error)) throw new TopicError(topic)
      await clock.sleep(RETRY_AFTER, signal)
      signal.throwIfAborted()
    }
  }
}

/** The log moved: retention or trimming took the position away, or the topic was re-created. What is left is read from its beginning. */
async function resume(
  fetcher: TopicFetcher,
  topic: string,
  positions: Map<number, number>,
  partition: number,
  log: Log | null,
): Promise<void> {
  try {
    const earliest = (await fetcher.offsets('earliest', [partition])).get(partition) ?? 0
    log?.warn('topic-position-lost', { topic, partition, position: positions.get(partition), resumedAt: earliest })
    positions.set(partition, earliest)
  } catch {
    // Nothing moved: the next round meets the same answer and comes here again.
  }
}

/** Partitions that were added since are read from their beginning. */
async function addPartitions(fetcher: TopicFetcher, positions: Map<number, number>): Promise<void> {
  try {
    const added = (await fetcher.partitions()).filter((partition) => !positions.has(partition))
    if (added.length === 0) return
    for (const [partition, offset] of await fetcher.offsets('earliest', added)) positions.set(partition, offset)
  } catch {
    // Looked for again after the next round.
  }
}

function dropReached(targets: Map<number, number>, positions: ReadonlyMap<number, number>): void {
  for (const [partition, target] of targets) if ((positions.get(partition) ?? 0) >= target) targets.delete(partition)
}
