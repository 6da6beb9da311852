// Everything this process holds for one owned partition number: the offsets of each log, the lanes, and what of them is parked.
// State only; the hub (forwarder.ts) acts on it. It lives from when the number is given to us until it is given up, through the
// rebalances between, and is never reused.
import type { StartPosition } from '../shared/kafka/start-position.ts'
import type { SourceKind } from '../shared/change.ts'
import type { Millis } from '../shared/clock.ts'
import type { RepeaterId } from '../shared/ids.ts'
import type { Lane, SourceRecord } from './delivery.ts'
import type { Ongoing } from './exchange.ts'
import { heldBytesOf } from './intake.ts'
import { Lanes } from './lanes.ts'
import { OffsetMap } from './offset-map.ts'
import { ParkedVersions } from './parked-versions.ts'
import { ReadMarks } from './read-marks.ts'
import type { Tier } from './tiers.ts'

/** What is the same for every log that is read: a source topic's partition, or a retry topic's. */
export type LogProgress = {
  readonly topic: string
  readonly partition: number
  readonly offsets: OffsetMap
  /** The next offset to read, for the lag. */
  position: number
  highWatermark: number
  /** The offset committed last by us; null before. */
  committed: number | null
}

/** A retry topic's partition. Its records are due in their order, so that reading stops at the first that is not. */
export type TierProgress = LogProgress & {
  readonly tier: Tier
  /** While what lies there is read once to know what is parked: up to the end that the log had when it was given to us. */
  restore: { readonly end: number; to: number; readonly finished: OffsetMap } | null
  /** Behind the last record of ours that was acknowledged; before the first, the end that the log had. */
  appendedTo: number
  /** What lies below it and is not finished is among the parked versions; foreign writers append to the requeue topic at any time. */
  countedTo: number
  /** Steady instant at which its next record is due, as far as that is known; null when nothing waits there. */
  nextDueAt: Millis | null
  /** Reading stopped before its next record: it waits for its instant, for room, or for a schema. */
  stopped: boolean
  cancelWake: () => void
}

export type SourceProgress = LogProgress & {
  readonly kind: SourceKind
  /** What versions add to its offsets. */
  readonly base: number
  /** Unix milliseconds of the record read last; null before the first. */
  lastTimestamp: number | null
  /**
   * Below it an earlier owner may have delivered what its last commit does not show. Until that is read again no lane starts: a
   * state that was superseded there would arrive behind its successor.
   */
  horizon: number
  rereading: boolean
  /**
   * Acknowledged by the brokers: whoever comes after us reads again up to here before it starts a lane.
   * MUST: no delivery of a record at or above it is attempted.
   */
  reserved: number
  /** Lanes whose head is at or above the reservation: offered again when it has risen. */
  unreserved: Lane[]
  /** What a record holds of the memory bound, on average of the last ones read. */
  usualBytes: number
  /** Monotonic instant of the last record read. */
  readAt: Millis
  /** How far it had been read some time ago. */
  readonly marks: ReadMarks
  /** Waits for the schema of its next record: nothing is taken until that is known. */
  needsSchema: boolean
}

export class PartitionTask {
  readonly number: number
  readonly lanes = new Lanes(this)
  /** By topic. */
  readonly sources = new Map<string, SourceProgress>()
  readonly tiers = new Map<string, TierProgress>()
  /** What of our lanes lies in the retry topics. */
  readonly parked = new ParkedVersions()
  /** The versions whose dead letters hold their lanes; due is since when. */
  readonly held = new ParkedVersions()
  /** Holds whose release is being written: a marker of theirs that becomes due meanwhile is not written anew behind it. */
  readonly releasing = new Set<string>()
  /** Lanes whose due versions gave way to newer ones that are not due yet: since when, by `lane`. */
  readonly yielding = new Map<string, Millis>()
  /** Exchanges on the wire: a revocation ends them. */
  readonly running = new Set<Ongoing>()
  /** Copies and dead letters that are being written: a revocation waits for them. */
  writing = 0
  /** What its open records count against the memory bound. */
  heldBytes = 0
  /** It is being given up: nothing new starts; outcomes still count. */
  draining = false
  /** Revoked: no outcome counts, no offset completes. */
  closed = false

  constructor(number: number) {
    this.number = number
  }

  /** Nothing of it is on the wire, or being written. */
  get isQuiet(): boolean {
    return this.running.size === 0 && this.writing === 0
  }

  /** False once it drains or is revoked: then nothing of it starts. */
  get open(): boolean {
    return !this.draining && !this.closed
  }

  /** Deliveries that have not settled, in memory and parked, by repeater. */
  *waiting(): Iterable<readonly [RepeaterId, number]> {
    yield* this.lanes.waiting()
    for (const [repeater, { versions }] of this.parked.counts()) yield [repeater, versions]
  }

  /** Lanes of which a version is parked, by repeater. */
  *blockedLanes(): Iterable<readonly [RepeaterId, number]> {
    for (const [repeater, { lanes }] of this.parked.counts()) yield [repeater, lanes]
  }

  /** Lanes that a dead letter holds, by repeater. */
  *heldLanes(): Iterable<readonly [RepeaterId, number]> {
    for (const [repeater, { lanes }] of this.held.counts()) yield [repeater, lanes]
  }

  /** Until its sources are read up to their horizons no lane starts, and no copy is taken. */
  get rereading(): boolean {
    for (const { rereading } of this.sources.values()) if (rereading) return true
    return false
  }

  /** Until it is known what is parked, nothing may be read of the sources: it could overtake. */
  get restoring(): boolean {
    for (const { restore } of this.tiers.values()) if (restore) return true
    return false
  }
}

/** A copy of this record is parked: it must be known as such when the source comes to it. */
export function readPast(source: SourceProgress, { base, offset }: Pick<SourceRecord, 'base' | 'offset'>): void {
  // It is of a log that is no more.
  if (base !== source.base) return
  source.horizon = Math.max(source.horizon, offset + 1)
  source.rereading = source.position < source.horizon
}

export function openTier({ topic, partition, offset, end, commit }: StartPosition, tier: Tier): TierProgress {
  const offsets = new OffsetMap(offset, commit)
  // Whoever owned the partition before us may still append: behind this fence that counts for nobody. What operators put back is
  // theirs to append at any time.
  if (tier.delay > 0) offsets.raiseFence(end)
  return {
    tier,
    topic,
    partition,
    offsets,
    position: offset,
    highWatermark: end,
    committed: null,
    restore: offset < end ? { end, to: offset, finished: new OffsetMap(offset, commit) } : null,
    appendedTo: end,
    countedTo: end,
    nextDueAt: null,
    stopped: false,
    cancelWake: () => undefined,
  }
}

/** @param now monotonic milliseconds */
export function openProgress(
  { topic, partition, base, offset, end, commit }: StartPosition,
  kind: SourceKind,
  now: Millis,
): SourceProgress {
  const offsets = new OffsetMap(offset, commit, base)
  // What is not there yet has been delivered by nobody.
  const horizon = Math.min(offsets.reserved, end)
  return {
    kind,
    base,
    topic,
    partition,
    offsets,
    position: offset,
    highWatermark: end,
    committed: null,
    lastTimestamp: null,
    horizon,
    rereading: offset < horizon,
    reserved: offsets.reserved,
    unreserved: [],
    usualBytes: heldBytesOf(null, 1),
    readAt: now,
    marks: new ReadMarks(),
    needsSchema: false,
  }
}

/** For a copy whose source topic is not read any more: nothing of it is reserved, and nothing of it will be read again. */
export const standInFor = (topic: string, partition: number, kind: SourceKind): SourceProgress => ({
  kind,
  base: 0,
  topic,
  partition,
  offsets: new OffsetMap(0, null),
  position: 0,
  highWatermark: 0,
  committed: null,
  lastTimestamp: null,
  horizon: 0,
  rereading: false,
  reserved: Infinity,
  unreserved: [],
  usualBytes: 0,
  readAt: 0,
  marks: new ReadMarks(),
  needsSchema: false,
})

/** Reserved ahead of reading. Who feels it: the owner after a crash reads as much again before it starts, whatever its memory. */
const RESERVE_AHEAD_BYTES = 1024 * 1024
/** Of the average's weight, what one record has. */
const USUAL_WEIGHT = 1 / 16

/** A record was read: large ones let less be reserved. */
export function noteRead(source: SourceProgress, value: Buffer | null): void {
  source.usualBytes += (heldBytesOf(value, 1) - source.usualBytes) * USUAL_WEIGHT
}

/** How many records are to be reserved above the position; at least one, so that reading never waits for itself. */
export const reserveAhead = (source: SourceProgress): number =>
  Math.max(1, Math.floor(RESERVE_AHEAD_BYTES / source.usualBytes))
