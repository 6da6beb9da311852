// A dead letter as the command line sees it. Pure. Enter: a record of the dead-letter topic. Leave: what its headers say.
// Never: the value, which is looked into only where somebody asks for it; a fault, whatever a header holds.
import type { Millis } from '../../shared/clock.ts'
import type { TopicRecord } from '../../shared/kafka/reader.ts'

/** Where a letter lies in the dead-letter topic: what people call it by, as `3:1042`. */
export type Place = { readonly partition: number; readonly offset: number }

export type Letter = Place & {
  /** Unix milliseconds: when it was written. */
  readonly writtenAt: Millis
  /** `<project>/<id>`; null for a record that could not be read: it has no repeater. */
  readonly repeater: string | null
  readonly project: string | null
  readonly connection: string | null
  readonly reason: string | null
  /** The remote's last status, as text. */
  readonly status: string | null
  readonly record: TopicRecord
}

/** The record that upstream published. */
export type LetterSource = {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** What its version adds to the offset. */
  readonly base: number
  readonly timestamp: Millis
}

export const readLetter = (record: TopicRecord): Letter => ({
  partition: record.partition,
  offset: record.offset,
  writtenAt: record.timestamp,
  repeater: headerText(record, 'onward-repeater'),
  project: headerText(record, 'onward-project'),
  connection: headerText(record, 'onward-connection'),
  reason: headerText(record, 'onward-reason'),
  status: headerText(record, 'onward-status'),
  record,
})

/** @returns null when there is no such header */
export const headerText = ({ headers }: Pick<TopicRecord, 'headers'>, name: string): string | null =>
  headers[name]?.toString('utf8') ?? null

/** @returns null when the headers do not say it as they should: somebody else wrote the letter */
export function sourceOf({ record }: Letter): LetterSource | null {
  const topic = headerText(record, 'onward-source-topic')
  const [partition, offset, timestamp, base] = ['partition', 'offset', 'timestamp', 'base'].map((name) =>
    readWhole(headerText(record, `onward-source-${name}`)),
  )
  if (topic === null || topic === '') return null
  if (partition === undefined || offset === undefined || timestamp === undefined) return null
  return { topic, partition, offset, base: base ?? 0, timestamp }
}

const readWhole = (text: string | null): number | undefined => {
  const number = Number(text)
  return text !== null && /^\d+$/.test(text) && Number.isSafeInteger(number) ? number : undefined
}

export const renderPlace = ({ partition, offset }: Place): string => `${partition}:${offset}`

/** @returns undefined when the text is no place */
export function readPlace(text: string): Place | undefined {
  const [partition, offset, surplus] = text.split(':').map(readWhole)
  return partition === undefined || offset === undefined || surplus !== undefined || text.split(':').length !== 2
    ? undefined
    : { partition, offset }
}

export const comparePlaces = (one: Place, other: Place): number =>
  one.partition - other.partition || one.offset - other.offset
