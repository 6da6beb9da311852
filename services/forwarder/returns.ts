// A record of a retry topic whose instant has come → the delivery that it is a copy of.
// Enter: a fetched record of a tier partition we own. Leave: the delivery and how long it still has to wait, or why it is none.
// It starts nothing and writes nothing: the hub acts on what it hands back. Nothing in such a record stops its partition.
import type { Change } from '../shared/change.ts'
import { assertNever } from '../shared/assert-never.ts'
import type { Clock, Millis } from '../shared/clock.ts'
import type { Directory } from '../shared/forwarding/directory.ts'
import { caseId, projectOf } from '../shared/ids.ts'
import type { FetchedRecord } from '../shared/kafka/group.ts'
import { isOfHold, readRetryHeader, RETRY_HEADER, versionIn, type RetryHeader } from '../shared/wire/retry-header.ts'
import { versionOf } from '../shared/kafka/version-base.ts'
import type { Books } from './books.ts'
import { copyRecord, type CopiedRecord } from './copy-record.ts'
import { newDelivery, type Delivery, type LaneName } from './delivery.ts'
import type { Condemned } from './endings.ts'
import type { Holding } from './holding.ts'
import { standInFor, type PartitionTask, type SourceProgress, type TierProgress } from './partition-task.ts'
import type { RecentChange } from './recent-change.ts'
import { replacesOlder } from './reception.ts'
import { KINDS, whyUnwanted } from './why-unwanted.ts'

export type Returned =
  /** A ghost, or a copy of what is finished or in memory: nothing is to be done. */
  | { readonly kind: 'done' }
  /** @property overtaken it was put back ahead of newer versions, and those have gone meanwhile */
  | {
      readonly kind: 'returned'
      readonly delivery: Delivery
      readonly wait: Millis
      readonly overtaken: boolean
      /** It waits for nothing but its turn. */
      readonly isQueued: boolean
    }
  /** A marker of a held lane is due, or an operator ends what holds it. */
  | { readonly kind: 'of-hold'; readonly delivery: Delivery; readonly wish: 'renew' | 'cancel' }
  | ({ readonly kind: 'condemned' } & Condemned)
  | { readonly kind: 'schema-needed'; readonly schemaId: number }

const DONE: Returned = { kind: 'done' }

type Options = {
  readonly directory: Directory
  readonly changes: RecentChange
  readonly books: Books
  readonly holding: Pick<Holding, 'takeMarker'>
  readonly clock: Clock
}

export class Returns {
  readonly #options: Options

  constructor(options: Options) {
    this.#options = options
  }

  receive(task: PartitionTask, tier: TierProgress, fetched: FetchedRecord): Returned {
    const copied = copyRecord(fetched)
    const read = readRetryHeader(fetched.headers?.[RETRY_HEADER], task.number)
    if (read.kind === 'malformed') {
      const origin = {
        ...copied,
        source: 'cases',
        topic: tier.topic,
        partition: tier.partition,
        base: 0,
        run: null,
        forced: false,
      } as const
      const record = this.#options.books.openCopy(task, tier, copied.offset, origin)
      return {
        kind: 'condemned',
        record,
        delivery: null,
        lane: null,
        reason: 'unreadable',
        error: `retry-header: ${read.error}`,
      }
    }
    const { header } = read
    const caseOfLane = caseId(copied.key?.toString('utf8') ?? '')
    const version = versionIn(header)
    const name: LaneName = { repeater: header.repeater, topic: header.topic, caseId: caseOfLane }
    if (isOfHold(header)) return this.#receiveOfHold(task, tier, copied, header, name)
    // Nobody counted it when it was written; from now on it is like any other. What is parked already waits where it is.
    const isUncounted = tier.tier.delay === 0 && copied.offset >= tier.countedTo
    const isCopy =
      tier.offsets.fences.isGhost(copied.offset, header.epoch) ||
      task.parked.has(name, version) === isUncounted ||
      isInMemory(task, name, version) ||
      task.parked.takeSurplus(name, version)
    if (isCopy) {
      tier.offsets.skip(copied.offset)
      return DONE
    }
    if (isUncounted) {
      task.parked.add(name, { version, full: header.full, attempted: false }, header.dueAt)
      tier.countedTo = copied.offset + 1
    }
    const repeater = this.#options.directory.repeater(header.repeater)
    const source = task.sources.get(header.topic)
    const kind = source?.kind ?? (repeater ? KINDS[repeater.forward] : 'cases')
    const change = this.#options.changes.read(kind, copied.value)
    if (change.kind === 'schema-needed') return change
    const holdsLane = task.held.has(name, version)
    const origin = {
      ...copied,
      source: kind,
      topic: header.topic,
      partition: header.partition,
      offset: header.offset,
      base: header.base ?? 0,
      timestamp: header.timestamp,
      key: keyOf(header, copied.key),
      run: header.run ?? null,
      // What holds a lane goes before those that wait behind it: no newer one has been sent.
      forced: header.forced === true || holdsLane,
    }
    const record = this.#options.books.openCopy(task, tier, copied.offset, origin)
    const lane = task.lanes.laneOf(header.repeater, caseOfLane, source ?? standInFor(header.topic, task.number, kind))
    const deliver = (made: Change): Delivery => ({
      ...newDelivery(record, projectOf(header.repeater), lane, repeater !== undefined && replacesOlder(made, repeater)),
      parked: true,
      attempts: header.attempts,
      tries: header.tries,
      firstFailedAt: header.firstFailedAt,
    })
    switch (change.kind) {
      case 'tombstone':
        return { kind: 'condemned', record, delivery: null, lane, reason: 'unreadable', error: 'retry-value: none' }
      case 'unreadable': {
        const error = `${change.cause}: ${change.error} (for ${header.repeater})`
        return { kind: 'condemned', record, delivery: null, lane, reason: 'unreadable', error }
      }
      case 'read': {
        const delivery = deliver(change.change)
        const why = whyUnwanted(header.repeater, repeater, kind) ?? whyBeyond(header, source)
        if (why !== undefined) return { kind: 'condemned', record, delivery, lane, reason: 'cancelled', error: why }
        const wait = Math.max(0, header.dueAt - this.#options.clock.steady())
        return {
          kind: 'returned',
          delivery,
          wait,
          overtaken: header.ifHeld === true && !holdsLane,
          isQueued: header.reason === 'queue',
        }
      }
      default:
        return assertNever(change)
    }
  }

  #receiveOfHold(
    task: PartitionTask,
    tier: TierProgress,
    copied: CopiedRecord,
    header: RetryHeader,
    name: LaneName,
  ): Returned {
    const { holding, books } = this.#options
    const { repeater, topic, partition, offset, base = 0, timestamp, reason } = header
    const version = versionIn(header)
    const source = task.sources.get(topic) ?? standInFor(topic, task.number, 'cases')
    const isWanted =
      reason === 'cancel'
        ? tier.tier.delay === 0 && task.held.has(name, version)
        : reason === 'held' &&
          !tier.offsets.fences.isGhost(copied.offset, header.epoch) &&
          holding.takeMarker(task, name, version)
    if (!isWanted) {
      tier.offsets.skip(copied.offset)
      return DONE
    }
    const key = keyOf(header, copied.key)
    const origin = {
      ...copied,
      source: source.kind,
      topic,
      partition,
      offset,
      base,
      timestamp,
      key,
      run: null,
      forced: false,
    } as const
    const record = books.openCopy(task, tier, copied.offset, origin)
    const lane = task.lanes.laneOf(repeater, name.caseId, source)
    task.lanes.forgetEmpty(lane)
    const delivery = newDelivery(record, projectOf(repeater), lane, false)
    return { kind: 'of-hold', delivery, wish: reason === 'held' ? 'renew' : 'cancel' }
  }
}

/**
 * A copy of what its source does not hold is of a topic that was made anew or cut, or of nobody. Left in its lane it would wait
 * for a reservation that may never come, and what follows of its case behind it.
 */
const whyBeyond = ({ topic, base = 0, offset }: RetryHeader, source: SourceProgress | undefined): string | undefined =>
  source && base >= source.base && offset >= Math.max(source.position, source.highWatermark)
    ? `${topic} ends before offset ${offset}: was it made anew?`
    : undefined

const isInMemory = (task: PartitionTask, name: LaneName, version: number): boolean =>
  task.lanes.find(name)?.deliveries.some(({ parked, record }) => parked && versionOf(record) === version) === true

const keyOf = (header: RetryHeader, own: Buffer | null): Buffer | null =>
  header.key === undefined ? own : header.key === null ? null : Buffer.from(header.key, 'base64')
