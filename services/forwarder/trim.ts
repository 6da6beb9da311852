// Deletes what is finished from the retry topics, so that their disk stays flat and "earliest" means "unfinished".
// Enter: the tier partitions we own. Leave: nothing; what could not be deleted is tried again a minute later. Never: a record at
// or above a committed offset, or one of the requeue topic, which tells an interrupted requeue how far it came.
import type { Clock, Millis } from '../shared/clock.ts'
import { errorText } from '../shared/error-text.ts'
import { openAdmin } from '../shared/kafka/admin.ts'
import type { KafkaClient } from '../shared/kafka/kafka.ts'
import type { Log } from '../shared/log.ts'
import type { TierProgress } from './partition-task.ts'

const TRIM_EVERY: Millis = 60_000

type Options = {
  readonly kafka: KafkaClient
  readonly tiers: () => Iterable<TierProgress>
  readonly clock: Clock
  readonly log: Log
}

export type Trim = AsyncDisposable & {
  /** From now on, every minute. */
  start(): void
}

export async function openTrim({ kafka, tiers, clock, log }: Options): Promise<Trim> {
  const admin = await openAdmin(kafka)
  const stop = new AbortController()
  /** `topic/partition` → where the log begins, as far as we deleted. */
  const trimmed = new Map<string, number>()

  const trim = async () => {
    const before = new Map<string, Map<number, number>>()
    for (const { topic, partition, tier, committed } of tiers()) {
      const name = `${topic}/${partition}`
      if (tier.delay === 0 || committed === null || committed <= (trimmed.get(name) ?? 0)) continue
      const ofTopic = before.get(topic) ?? new Map<number, number>()
      before.set(topic, ofTopic.set(partition, committed))
    }
    for (const [topic, partitions] of before) {
      await admin.deleteRecords(topic, partitions)
      for (const [partition, offset] of partitions) trimmed.set(`${topic}/${partition}`, offset)
    }
  }
  const run = async () => {
    for (;;) {
      await clock.sleep(TRIM_EVERY, stop.signal)
      if (stop.signal.aborted) return
      await trim().catch((error: unknown) => log.warn('trim-failed', { error: errorText(error) }))
    }
  }
  let running: Promise<void> | undefined
  return {
    start() {
      running ??= run()
    },
    async [Symbol.asyncDispose]() {
      stop.abort()
      await running
      await admin[Symbol.asyncDispose]()
    },
  }
}
