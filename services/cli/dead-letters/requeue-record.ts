// A letter → the record that puts it back. Pure. Enter: a candidate, its letter's record, the run. Leave: a record for the
// source's partition number, the value untouched; and from such a record again, which letter and run it is of.
import type { Millis } from '../../shared/clock.ts'
import type { ProducerRecord } from '../../shared/kafka/producer.ts'
import type { TopicRecord } from '../../shared/kafka/reader.ts'
import {
  isOfHold,
  readRetryHeader,
  renderRetryHeader,
  RETRY_HEADER,
  type RetryHeader,
} from '../../shared/wire/retry-header.ts'
import { deliveryOf, placeOf, type Candidate } from './judge-letter.ts'
import { headerText, type LetterSource } from './letter.ts'
import type { HeldLane } from './read-held.ts'

/** Names the dead letter, so that a later run knows it was put back. The forwarder has no use for it. */
const LETTER_HEADER = 'onward-letter'
/** They come along as they came. */
const TRACE_HEADERS = ['traceparent', 'tracestate'] as const

export type Run = { readonly id: string; readonly forced: boolean }

/** @param now Unix milliseconds: it is due at once */
export function requeueRecord(candidate: Candidate, letter: TopicRecord, run: Run, now: Millis): ProducerRecord {
  const { repeater, source, case: caseId, full, ifHeld } = candidate
  const { key, value } = letter
  const header = renderRetryHeader({
    repeater: repeater.id,
    topic: source.topic,
    partition: source.partition,
    offset: source.offset,
    ...baseOf(source),
    timestamp: source.timestamp,
    ...(key?.equals(Buffer.from(caseId)) === true ? {} : { key: key?.toString('base64') ?? null }),
    attempts: 0,
    tries: 0,
    firstFailedAt: null,
    dueAt: now,
    reason: 'requeue',
    epoch: 0,
    full,
    run: run.id,
    ...(run.forced ? { forced: true } : {}),
    ...(ifHeld ? { ifHeld } : {}),
  })
  const traces = TRACE_HEADERS.flatMap((name) => {
    const text = headerText(letter, name)
    return text === null ? [] : [[name, text] as const]
  })
  return {
    partition: source.partition,
    key: caseId,
    value,
    headers: { [RETRY_HEADER]: header, [LETTER_HEADER]: placeOf(candidate), ...Object.fromEntries(traces) },
  }
}

/** Absent where it is 0, as the forwarder writes it. */
const baseOf = ({ base }: LetterSource): Pick<RetryHeader, 'base'> => (base === 0 ? {} : { base })

/** The record that lets a held lane go on. @param now Unix milliseconds */
export function cancelRecord({ repeater, source, case: caseId, since }: HeldLane, now: Millis): ProducerRecord {
  const { topic, partition, offset, timestamp } = source
  const header = renderRetryHeader({
    repeater,
    topic,
    partition,
    offset,
    ...baseOf(source),
    timestamp,
    attempts: 0,
    tries: 0,
    firstFailedAt: null,
    dueAt: now,
    reason: 'cancel',
    epoch: 0,
    full: false,
    held: since,
  })
  return { partition: source.partition, key: caseId, value: null, headers: { [RETRY_HEADER]: header } }
}

export type Requeued = { readonly run: string; readonly delivery: string; readonly letter: string | null }

/** @returns null for a record that no run put there: its header is not believed, or names no run */
export function readRequeued(record: TopicRecord): Requeued | null {
  const read = readRetryHeader(record.headers[RETRY_HEADER], record.partition)
  if (read.kind === 'malformed' || read.header.run === undefined || isOfHold(read.header)) return null
  const { header } = read
  return {
    run: read.header.run,
    delivery: deliveryOf(header.repeater, { ...header, base: header.base ?? 0 }),
    letter: headerText(record, LETTER_HEADER),
  }
}
