// The nouns of the forwarder: a source record, the deliveries made of it, and the lane that keeps their order.
// Mutable on purpose: one thread owns a partition, and a delivery lives from its record's arrival to its verdict.
import type { SourceKind } from '../shared/change.ts'
import type { Millis } from '../shared/clock.ts'
import type { CaseId, ProjectId, RepeaterId } from '../shared/ids.ts'
import type { ConnectionDesk } from './connection-desk.ts'
import type { OffsetEntry, OffsetMap } from './offset-map.ts'
import type { PartitionTask, SourceProgress } from './partition-task.ts'

/** A record of a source topic. `value` and `key` are copies, never slices of the fetch response (which would pin all of it). */
export type SourceRecord = {
  readonly source: SourceKind
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** What its version adds to the offset: raised when the topic is made anew, so that versions never fall. */
  readonly base: number
  /** Unix milliseconds, as the broker or the publisher set it. */
  readonly timestamp: Millis
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly traceparent: string | null
  readonly tracestate: string | null
  /** Its place in the offset map of the log that it was read from: the source's, or a retry topic's. */
  readonly entry: OffsetEntry
  readonly offsets: OffsetMap
  /** An operator put it back: the run's name. */
  readonly run: string | null
  /** The operator wants it sent whatever newer state of its case there is. */
  readonly forced: boolean
  /** What it counts against the memory bound while any of its deliveries is open. */
  readonly heldBytes: number
  /** Deliveries of this record that have not settled. At 0 the offset is complete. */
  openDeliveries: number
}

/**
 * One change for one repeater. It holds the record's bytes, not what they say: that is read again when it takes off, for the
 * processor costs less than the collector. Of a waiting change of 1 KB it keeps half out of memory.
 */
export type Delivery = {
  readonly record: SourceRecord
  readonly project: ProjectId
  readonly lane: Lane
  /** A full case state replaces older waiting ones of its lane; forms and close-only blocks never do. */
  readonly replacesOlder: boolean
  /** It came back from a retry topic: its version counts among the parked ones until it is finished. */
  readonly parked: boolean
  /** The connection in whose queue in memory it counts; null while it is in none. */
  waitsFor: ConnectionDesk | null
  /** Requests made so far: the next one is `Onward-Attempt: attempts + 1`. */
  attempts: number
  /** Waits of the schedule spent so far. Connection-level failures do not spend any. */
  tries: number
  /** Unix milliseconds of the first failed attempt; null before it. */
  firstFailedAt: Millis | null
}

/** What a lane is told by, also while it is forgotten, since all it had is parked. */
export type LaneName = {
  readonly repeater: RepeaterId
  /** The source topic: a repeater may forward another kind tomorrow, and versions of two topics say nothing about each other. */
  readonly topic: string
  readonly caseId: CaseId
}

/**
 * The deliveries that must keep their order: same repeater, same case, same source topic and partition. Those in memory are here; what else of
 * the lane lies in retry topics is known to the task's parked versions.
 *
 * | state | inFlight | queuedAt | a timer waits | leaves by |
 * |---|---|---|---|---|
 * | ready | null | its connection | no | the connection starts its head, or parks it |
 * | in flight | the head | null | no | the outcome |
 * | waiting | null | null | yes, until `dueAt` | the timer: ready |
 * | blocked | null | null | no | the older version that is parked comes back, or is finished |
 * | settling | the head | null | no | the dead letter is acknowledged |
 * | empty | null | null | no | it is forgotten |
 */
export type Lane = LaneName & {
  /** The partition number it belongs to. */
  readonly task: PartitionTask
  /** The log its changes come from. */
  readonly source: SourceProgress
  /** By version, the oldest first. */
  readonly deliveries: Delivery[]
  inFlight: Delivery | null
  /** Monotonic milliseconds before which the head may not go. */
  dueAt: Millis
  /** The connection in whose ready queue it counts: an entry left in another's says nothing. */
  queuedAt: ConnectionDesk | null
  /** The instant that the alarm was last set to for it. */
  wakesAt: Millis
}

export const newDelivery = (
  record: SourceRecord,
  project: ProjectId,
  lane: Lane,
  replacesOlder: boolean,
): Delivery => ({
  record,
  project,
  lane,
  replacesOlder,
  parked: false,
  waitsFor: null,
  attempts: 0,
  tries: 0,
  firstFailedAt: null,
})

/** The first attempt of a delivery is 1. */
export const nextAttempt = (delivery: Pick<Delivery, 'attempts'>): number => delivery.attempts + 1
