// Writes what the failure book has to tell to `onward.failures`. Enter: a book that others write in. Leave: records, one send at a
// time, so that they keep their order. Never: a delivery that waits for it. While the brokers are away the book goes on and the
// next records carry its counts, so the memory is bounded by the number of connections.
import type { Clock, Millis } from '../shared/clock.ts'
import { errorText } from '../shared/error-text.ts'
import type { Producer } from '../shared/kafka/producer.ts'
import type { Log } from '../shared/log.ts'
import { renderFailureRecord } from '../shared/notices/failure-record.ts'
import type { FailureBook } from './failure-book.ts'

/** How often the book is asked. */
const LOOK_EVERY: Millis = 500
/** Between tries when the cluster refuses for good (a missing topic, a missing right): somebody has to mend it. */
const REFUSED_AGAIN_AFTER: Millis = 30_000

type Options = {
  readonly book: FailureBook
  readonly producer: Producer
  readonly topic: string
  readonly clock: Clock
  readonly log: Log
  /** Deliveries of each connection that have not ended. */
  readonly waiting: () => ReadonlyMap<string, number>
}

/**
 * Resolves when the signal aborts. What was not acknowledged then is lost to the notifier; the next process tells how things are.
 */
export async function writeFailureRecords(options: Options, signal: AbortSignal): Promise<void> {
  const { book, clock, waiting } = options
  while (!signal.aborted) {
    await clock.sleep(LOOK_EVERY, signal)
    const records = book.take(clock.now(), waiting).map(renderFailureRecord)
    if (records.length > 0) await send(records, options, signal)
  }
}

async function send(
  records: readonly { readonly key: string; readonly value: string }[],
  { producer, topic, clock, log }: Options,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await producer.send(topic, records)
      return
    } catch (error) {
      log.error('failure-records-refused', { topic, records: records.length, error: errorText(error) })
      await clock.sleep(REFUSED_AGAIN_AFTER, signal)
    }
  }
}
