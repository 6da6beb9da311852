// The log of what settled and what failed, in `onward.deliveries`: what `trace` and reports read.
// Packed, for a Kafka record costs as much as half a delivery: many entries to a record, ids once in a table.
// Enter: settlements and failed attempts. Leave: records, before the offsets that they tell of are committed.
// What waits for brokers that are away counts against the memory bound, so nothing more is read for it. Failed attempts alone
// would go on without anything read: at the bound they are not noted, and that is said.
import type { Millis } from '../shared/clock.ts'
import { errorText } from '../shared/error-text.ts'
import type { Producer } from '../shared/kafka/producer.ts'
import type { Log } from '../shared/log.ts'
import type { Delivery } from './delivery.ts'
import type { Intake } from './intake.ts'

export type ReportKind = 'delivered' | 'superseded' | 'dead-letter' | 'failed'

export type Report = {
  /** @param now Unix milliseconds @param status the remote's status, null without an answer @param duration of the attempt */
  add(kind: ReportKind, delivery: Delivery, now: Millis, status: number | null, duration: Millis, error: string): void
  /** Resolves when all that was added before is acknowledged, or refused for good (then it is lost to the log, and said). */
  flush(): Promise<void>
}

/** Entries of one record: about 100 KB, far below any topic's limit. */
const ENTRIES_LIMIT = 1_000

/** What an entry holds until it is acknowledged: ten places, a case id, and its part of the record that is sent. */
const ENTRY_BYTES = 250
/** An error is there twice meanwhile: as it was told, and in the record. */
const bytesOf = (error: string): number => ENTRY_BYTES + 2 * error.length

/** One entry, positional: schemas/deliveries.schema.json names the places. */
type Entry = [
  kind: ReportKind,
  repeater: number,
  topic: number,
  offset: number,
  caseId: string,
  attempts: number,
  status: number | null,
  at: Millis,
  duration: Millis,
  error: string,
  /** Left out where it is 0, as nearly everywhere. */
  base?: number,
]

class Page {
  readonly repeaters = new Map<string, number>()
  readonly topics = new Map<string, number>()
  size = 0
  /** JSON, without the outer brackets. Written at once: left to the commit, all of them would be written in one turn. */
  entries = ''

  add(kind: ReportKind, delivery: Delivery, at: Millis, status: number | null, duration: Millis, error: string): void {
    const { record, lane, attempts } = delivery
    const repeater = placeOf(this.repeaters, lane.repeater)
    const topic = placeOf(this.topics, record.topic)
    const { offset, base } = record
    const entry: Entry = [kind, repeater, topic, offset, lane.caseId, attempts, status, at, Math.round(duration), error]
    if (base > 0) entry.push(base)
    this.entries += (this.size === 0 ? '' : ',') + JSON.stringify(entry)
    this.size++
  }
}

/** @param intake what waits here is held there */
export function openReport(producer: Producer, topic: string, member: string, intake: Intake, log: Log): Report {
  let pages = new Map<number, Page[]>()
  let bytes = 0
  let unnoted = 0
  const render = ({ repeaters, topics, entries }: Page) => {
    const head = JSON.stringify({ v: 1, member, repeaters: [...repeaters.keys()], topics: [...topics.keys()] })
    return `${head.slice(0, -1)},"entries":[${entries}]}`
  }
  return {
    add(kind, delivery, now, status, duration, error) {
      if (kind === 'failed' && intake.isFull) {
        unnoted++
        return
      }
      const held = bytesOf(error)
      bytes += held
      intake.hold(held)
      const { partition } = delivery.record
      let ofPartition = pages.get(partition)
      if (!ofPartition) pages.set(partition, (ofPartition = []))
      let page = ofPartition.at(-1)
      if (!page || page.size >= ENTRIES_LIMIT) ofPartition.push((page = new Page()))
      page.add(kind, delivery, now, status, duration, error)
    },
    async flush() {
      if (pages.size === 0) return
      const full = pages
      const held = bytes
      const lost = unnoted
      pages = new Map()
      bytes = unnoted = 0
      const records = [...full].flatMap(([partition, ofPartition]) =>
        ofPartition.map((page) => ({ partition, key: String(partition), value: render(page) })),
      )
      try {
        await producer.send(topic, records)
      } catch (error) {
        // The log is not the delivery: a topic that refuses it must not hold back what was delivered.
        log.error('report-refused', { topic, records: records.length, error: errorText(error) })
      }
      intake.release(held)
      if (lost > 0) log.warn('failed-attempts-unnoted', { topic, attempts: lost })
    },
  }
}

/** The table keeps the order of first use. */
const placeOf = (table: Map<string, number>, id: string): number => {
  let place = table.get(id)
  if (place === undefined) table.set(id, (place = table.size))
  return place
}
