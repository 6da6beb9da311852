// Writes deliveries to the retry topics: the source's bytes untouched, what is known of the delivery in one header.
// Enter: a delivery, a tier, when it is due. Leave: a promise that resolves once every in-sync replica has it, or the cluster
// refused it for good; it waits for brokers that are away and never rejects. One send at a time for each tier, so that copies
// of a lane keep their order. A send whose answer was lost is repeated under a new epoch: what the first one left is a ghost.
// MUST: nothing is sent under an epoch that no commit holds. What its partition's owner had not sent when it gave up is dropped.
import { assertNever } from '../shared/assert-never.ts'
import type { Clock, Millis } from '../shared/clock.ts'
import { errorText } from '../shared/error-text.ts'
import type { Appender, PlacedRecord } from '../shared/kafka/appender.ts'
import type { Log } from '../shared/log.ts'
import { RETRY_HEADER, renderRetryHeader, type ParkReason } from '../shared/wire/retry-header.ts'
import type { Delivery } from './delivery.ts'
import type { TierProgress } from './partition-task.ts'
import type { Tier } from './tiers.ts'

/** `dropped`: its partition was given up before it was sent. */
export type Parked = 'parked' | 'refused' | 'dropped'

export type Park = {
  /** Copies that are not acknowledged yet. */
  readonly waiting: number
  /**
   * @param dueAt steady instant before which it is not attempted
   * @param held steady instant since which its lane is held, where that is what the record says
   */
  write(delivery: Delivery, tier: Tier, dueAt: Millis, reason: ParkReason, held?: Millis): Promise<Parked>
}

/** Between tries while the brokers are away, or refuse. */
const AGAIN_AFTER: Millis = 500
const BATCH = 500

type Waiting = {
  readonly delivery: Delivery
  readonly dueAt: Millis
  readonly reason: ParkReason
  readonly held: Millis | undefined
  readonly progress: TierProgress
  readonly settle: (parked: Parked) => void
}

type Options = {
  readonly appender: Appender
  /** Commits the fences; those that the brokers acknowledged say so. */
  readonly commitFences: () => Promise<void>
  readonly clock: Clock
  readonly log: Log
}

export function openPark({ appender, commitFences, clock, log }: Options): Park {
  const queues = new Map<string, Waiting[]>()
  const sending = new Set<string>()
  let waiting = 0

  const sendAll = async (topic: string, queue: Waiting[]) => {
    sending.add(topic)
    /** How many of the next go one at a time: one of them is too large. */
    let single = 0
    while (dropGivenUp(queue) > 0) {
      const batch = queue.slice(0, single > 0 ? 1 : BATCH)
      if (!areFenced(batch)) await commitFences()
      if (!areFenced(batch)) {
        await clock.sleep(AGAIN_AFTER)
        continue
      }
      const appended = await appender.append(topic, batch.map(render))
      switch (appended.kind) {
        case 'appended':
          for (const { progress } of batch.slice(0, appended.count))
            progress.appendedTo = appended.ends.get(progress.partition) ?? progress.appendedTo
          settle(queue, appended.count, 'parked')
          single = Math.max(0, single - appended.count)
          break
        case 'too-large':
          if (appended.count === 1) settle(queue, 1, 'refused')
          else single = appended.count
          break
        case 'unknown':
          log.warn('park-failed', { topic, records: batch.length, error: appended.error })
          await clock.sleep(AGAIN_AFTER)
          break
        default:
          assertNever(appended)
      }
      if (appended.kind === 'appended') continue
      // Some of them may have been appended. Nobody will believe in those: ours come again, under a newer epoch.
      for (const { offsets, appendedTo } of new Set(batch.map(({ progress }) => progress)))
        offsets.raiseFence(appendedTo)
    }
    sending.delete(topic)
  }
  /** @returns how many are left */
  const dropGivenUp = (queue: Waiting[]): number => {
    const isGivenUp = ({ delivery }: Waiting) => delivery.lane.task.closed
    if (queue.some(isGivenUp)) {
      const all = queue.splice(0)
      queue.push(...all.filter((one) => !isGivenUp(one)))
      waiting -= all.length - queue.length
      for (const one of all) if (isGivenUp(one)) one.settle('dropped')
    }
    return queue.length
  }
  const settle = (queue: Waiting[], count: number, parked: Parked) => {
    waiting -= count
    for (const one of queue.splice(0, count)) one.settle(parked)
  }

  return {
    get waiting() {
      return waiting
    },
    write: (delivery, tier, dueAt, reason, held) =>
      new Promise((resolve, reject) => {
        const { task } = delivery.lane
        const progress = task.tiers.get(tier.topic)
        if (!progress) return reject(new Error(`no partition ${task.number} of ${tier.topic} is ours`))
        let queue = queues.get(tier.topic)
        if (!queue) queues.set(tier.topic, (queue = []))
        waiting++
        queue.push({ delivery, dueAt, reason, held, progress, settle: resolve })
        // sendAll never rejects: the appender answers for every failure.
        if (!sending.has(tier.topic)) {
          sendAll(tier.topic, queue).catch((error: unknown) => log.error('park-stopped', { error: errorText(error) }))
        }
      }),
  }
}

const areFenced = (batch: readonly Waiting[]): boolean =>
  batch.every(({ progress }) => progress.offsets.fences.isCommitted)

function render({ delivery, dueAt, reason, held, progress }: Waiting): PlacedRecord {
  const { record, lane } = delivery
  const key = record.key?.toString('utf8')
  return {
    partition: progress.partition,
    key: lane.caseId,
    value: held === undefined ? record.value : null,
    headers: {
      [RETRY_HEADER]: renderRetryHeader({
        repeater: lane.repeater,
        topic: record.topic,
        partition: record.partition,
        offset: record.offset,
        ...(record.base === 0 ? {} : { base: record.base }),
        timestamp: record.timestamp,
        ...(key === lane.caseId ? {} : { key: record.key?.toString('base64') ?? null }),
        attempts: delivery.attempts,
        tries: delivery.tries,
        firstFailedAt: delivery.firstFailedAt,
        dueAt: Math.round(dueAt),
        reason,
        epoch: progress.offsets.fences.epoch,
        full: delivery.replacesOlder,
        ...(record.run === null ? {} : { run: record.run }),
        ...(record.forced ? { forced: true } : {}),
        ...(held === undefined ? {} : { held: Math.round(held) }),
      }),
      ...(record.traceparent === null ? {} : { traceparent: record.traceparent }),
      ...(record.tracestate === null ? {} : { tracestate: record.tracestate }),
    },
  }
}
