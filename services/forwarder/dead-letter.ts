// Writes what will not be tried again by itself, with the source's key and bytes untouched and the reason in headers.
// Enter: a record or a delivery, and why. Leave: a promise that resolves once every in-sync replica has it; it waits for
// brokers that are away and never rejects. One send at a time, so that letters keep their order.
import type { Clock, Millis } from '../shared/clock.ts'
import type { DeadLetterReason } from '../shared/dead-letter-reason.ts'
import { errorText } from '../shared/error-text.ts'
import type { Connection } from '../shared/forwarding/connection.ts'
import { ProduceError, type Producer, type ProducerRecord } from '../shared/kafka/producer.ts'
import type { Log } from '../shared/log.ts'
import type { Delivery, SourceRecord } from './delivery.ts'
import { safeText } from '../shared/safe-text.ts'

export type DeadLetter = {
  readonly record: SourceRecord
  /** null for a record that could not be read: it has no repeater yet. */
  readonly delivery: Delivery | null
  readonly connection: Connection | null
  readonly reason: DeadLetterReason
  readonly error: string
  /** The remote's last status. */
  readonly status: number | null
  /** Later versions of its lane wait until an operator ends that. */
  readonly holds: boolean
}

export type DeadLetters = {
  /** Letters that are not acknowledged yet. */
  readonly waiting: number
  write(letter: DeadLetter): Promise<void>
}

/** Between tries when the cluster refuses for good (a missing topic, a missing right): somebody has to mend it. */
const REFUSED_AGAIN_AFTER: Millis = 5_000
const BATCH = 500

type Waiting = { readonly record: ProducerRecord; readonly written: () => void }

type Options = {
  readonly producer: Producer
  readonly topic: string
  readonly clock: Clock
  readonly log: Log
  /** Told once the letter is acknowledged. */
  readonly onWritten: (letter: DeadLetter) => void
}

export function openDeadLetters({ producer, topic, clock, log, onWritten }: Options): DeadLetters {
  let waiting: Waiting[] = []
  let sending = false

  const sendAll = async () => {
    sending = true
    while (waiting.length > 0) {
      const batch = waiting.slice(0, BATCH)
      const acknowledged = await send(batch)
      for (const { written } of batch.slice(0, acknowledged)) written()
      waiting = waiting.slice(acknowledged)
    }
    sending = false
  }
  /** @returns how many of the batch are settled */
  const send = async (batch: readonly Waiting[]): Promise<number> => {
    try {
      await producer.send(
        topic,
        batch.map(({ record }) => record),
      )
      return batch.length
    } catch (error) {
      if (error instanceof ProduceError && error.code === 'RECORD_TOO_LARGE') {
        const tooLarge = batch[error.index]
        if (tooLarge) await sendWithout(tooLarge.record, 'value')
        return error.index + 1
      }
      log.error('dead-letter-refused', { topic, error: errorText(error) })
      await clock.sleep(REFUSED_AGAIN_AFTER)
      return error instanceof ProduceError ? error.index : 0
    }
  }
  /**
   * The topic's limit is below the record's size: the letter then names the source record, which still holds what is left out.
   * A record without value and key that is still too large is refused like any other: somebody has to raise the limit.
   */
  const sendWithout = async (record: ProducerRecord, part: 'value' | 'key'): Promise<void> => {
    const error = `${part} of ${record[part]?.length ?? 0} bytes left out: above the topic's limit; ${String(record.headers?.['onward-error'])}`
    const smaller = { ...record, [part]: null, headers: { ...record.headers, 'onward-error': safeText(error) } }
    for (;;) {
      try {
        await producer.send(topic, [smaller])
        return
      } catch (refusal) {
        const tooLarge = refusal instanceof ProduceError && refusal.code === 'RECORD_TOO_LARGE'
        if (tooLarge && part === 'value') return sendWithout(smaller, 'key')
        log.error('dead-letter-refused', { topic, error: errorText(refusal) })
        await clock.sleep(REFUSED_AGAIN_AFTER)
      }
    }
  }

  return {
    get waiting() {
      return waiting.length
    },
    write: (letter) =>
      new Promise((resolve) => {
        const written = () => {
          onWritten(letter)
          resolve()
        }
        waiting.push({ record: render(letter, clock.now()), written })
        // sendAll never rejects: `send` answers for every failure.
        if (!sending)
          sendAll().catch((error: unknown) => log.error('dead-letters-stopped', { error: errorText(error) }))
      }),
  }
}

/** @param now Unix milliseconds */
function render(letter: DeadLetter, now: Millis): ProducerRecord {
  const { record, delivery, connection, reason, error, status, holds } = letter
  return {
    partition: record.partition,
    key: record.key,
    value: record.value,
    headers: {
      ...(delivery ? { 'onward-repeater': delivery.lane.repeater, 'onward-project': delivery.project } : {}),
      ...(connection ? { 'onward-connection': connection.id } : {}),
      'onward-source-topic': record.topic,
      'onward-source-partition': String(record.partition),
      'onward-source-offset': String(record.offset),
      ...(record.base === 0 ? {} : { 'onward-source-base': String(record.base) }),
      'onward-source-timestamp': String(record.timestamp),
      'onward-attempts': String(delivery?.attempts ?? 0),
      ...(delivery?.firstFailedAt == null ? {} : { 'onward-first-failed-at': instant(delivery.firstFailedAt) }),
      'onward-last-failed-at': instant(now),
      'onward-reason': reason,
      ...(status === null ? {} : { 'onward-status': String(status) }),
      'onward-error': safeText(error),
      ...(holds ? { 'onward-held': 'true' } : {}),
      ...(record.traceparent === null ? {} : { traceparent: record.traceparent }),
      ...(record.tracestate === null ? {} : { tracestate: record.tracestate }),
    },
  }
}

const instant = (at: Millis): string => new Date(at).toISOString()
