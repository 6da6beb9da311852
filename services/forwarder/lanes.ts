// Who may go now, who waits behind whom. Pure: no clock, no I/O; instants are handed in (monotonic milliseconds).
// One Lanes for one owned partition number. MUST: at most one delivery of a lane is in flight; the head goes first.
import type { Millis } from '../shared/clock.ts'
import type { CaseId, RepeaterId } from '../shared/ids.ts'
import { versionOf } from '../shared/kafka/version-base.ts'
import type { Delivery, Lane, LaneName } from './delivery.ts'
import type { PartitionTask, SourceProgress } from './partition-task.ts'

export class Lanes {
  readonly #task: PartitionTask
  readonly #byTopic = new Map<string, Map<RepeaterId, Map<CaseId, Lane>>>()

  /** @param task the owned partition number these lanes belong to: each lane names it */
  constructor(task: PartitionTask) {
    this.#task = task
  }

  /** The lane of a repeater, source and case; made when it is the first delivery's. */
  laneOf(repeater: RepeaterId, caseId: CaseId, source: SourceProgress): Lane {
    const { topic } = source
    let ofTopic = this.#byTopic.get(topic)
    if (!ofTopic) this.#byTopic.set(topic, (ofTopic = new Map<RepeaterId, Map<CaseId, Lane>>()))
    let ofRepeater = ofTopic.get(repeater)
    if (!ofRepeater) ofTopic.set(repeater, (ofRepeater = new Map<CaseId, Lane>()))
    let lane = ofRepeater.get(caseId)
    if (!lane) {
      lane = {
        task: this.#task,
        source,
        repeater,
        topic,
        caseId,
        deliveries: [],
        inFlight: null,
        dueAt: 0,
        queuedAt: null,
        wakesAt: 0,
      }
      ofRepeater.set(caseId, lane)
    }
    return lane
  }

  /**
   * Puts a delivery among the others of its lane, by version: what comes back from a retry topic is older than what came since.
   * @returns the waiting deliveries that are replaced, itself when a newer full state is there: they are settled as
   *   superseded. Whoever replaces inherits the lane's due instant, so that a hot failing case keeps its backoff, and its
   *   own tries count from the start.
   */
  add(delivery: Delivery): readonly Delivery[] {
    const { deliveries, inFlight } = delivery.lane
    const firstWaiting = inFlight ? 1 : 0
    let at = deliveries.length
    while (at > firstWaiting && versionAt(deliveries, at - 1) > versionOf(delivery.record)) at--
    const version = versionOf(delivery.record)
    // One that is on the wire too: what an operator put back may be older, and must not follow it.
    const isReplaced =
      !delivery.record.forced &&
      deliveries.some(({ replacesOlder, record }) => replacesOlder && versionOf(record) > version)
    if (isReplaced) return [delivery]
    const superseded = delivery.replacesOlder ? takeReplaceable(deliveries, firstWaiting, at) : NONE
    deliveries.splice(at - superseded.length, 0, delivery)
    return superseded
  }

  /** Takes one that is not in flight out of its lane: it is parked. */
  withdraw(delivery: Delivery): void {
    const { lane } = delivery
    lane.deliveries.splice(lane.deliveries.lastIndexOf(delivery), 1)
    if (lane.deliveries.length > 0) return
    lane.queuedAt = null
    this.#forget(lane)
  }

  /** Takes what waits in memory out of the lane: it is parked. What is in flight stays. */
  takeWaiting(lane: Lane): readonly Delivery[] {
    const waiting = lane.deliveries.splice(lane.inFlight ? 1 : 0)
    lane.queuedAt = null
    if (lane.deliveries.length === 0) this.#forget(lane)
    return waiting
  }

  /**
   * A version that is due gives way to a newer full state that is parked and not due yet: always to one that may have been
   * sent before, which it must not follow; to others not for ever, or a case that changes more often than its tier wakes
   * would never be sent.
   */
  yields({ lane, record }: Delivery, now: Millis, longest: Millis): boolean {
    const { parked, yielding } = this.#task
    if (record.forced) return false
    const newer = parked.newerFull(lane, versionOf(record))
    const key = `${lane.topic} ${lane.repeater} ${lane.caseId}`
    const since = yielding.get(key) ?? now
    const must = newer.some(({ attempted }) => attempted)
    // Of a held lane nothing is sent: the newest state is what will be.
    const may = newer.length > 0 && (this.heldSince(lane, versionOf(record)) !== undefined || now - since < longest)
    if (may) yielding.set(key, since)
    else yielding.delete(key)
    return must || may
  }

  /** @returns what waits in memory of a lane and is older than a full state that is parked */
  replaceOlder(name: LaneName, version: number): readonly Delivery[] {
    const lane = this.find(name)
    if (!lane) return NONE
    const firstWaiting = lane.inFlight ? 1 : 0
    const older = lane.deliveries.filter(({ record }, at) => at >= firstWaiting && versionOf(record) < version)
    lane.deliveries.splice(firstWaiting, older.length)
    this.forgetEmpty(lane)
    return older
  }

  /** Steady instant at which the version that was parked last is due. */
  dueAt(lane: Lane): Millis | undefined {
    return this.#task.parked.dueAt(lane)
  }

  /** The head of the lane takes off. The caller has checked `isReady`. */
  begin(lane: Lane): Delivery {
    const head = lane.deliveries[0]
    if (!head || lane.inFlight) throw new Error('A lane begins only with a head and nothing in flight')
    lane.inFlight = head
    return head
  }

  /** True when the head may take off: nothing is in flight or parked before it, its instant has come, its record is reserved. */
  isReady(lane: Lane, now: Millis): boolean {
    const head = lane.deliveries[0]
    return head !== undefined && !lane.inFlight && lane.dueAt <= now && isReserved(head) && !this.isBlocked(head)
  }

  /** Steady instant since which a dead letter older than the version holds the lane; undefined when none does. */
  heldSince(lane: LaneName, version: number): Millis | undefined {
    const { held } = this.#task
    return held.holdsOlder(lane, version) ? held.dueAt(lane) : undefined
  }

  /** An older version of its lane is parked and not in memory, so that it goes first; or a dead letter holds the lane. */
  isBlocked({ lane, record }: Delivery): boolean {
    if (this.heldSince(lane, versionOf(record)) !== undefined) return true
    if (!this.#task.parked.holdsOlder(lane, versionOf(record))) return false
    for (const version of this.#task.parked.olderThan(lane, versionOf(record))) {
      if (!lane.deliveries.some((each) => versionOf(each.record) === version)) return true
    }
    return false
  }

  /** The delivery in flight has settled for good: the next one may go at once. */
  settle(lane: Lane): void {
    lane.deliveries.shift()
    lane.inFlight = null
    lane.dueAt = 0
    if (lane.deliveries.length === 0) this.#forget(lane)
  }

  /**
   * The delivery in flight waits for its next attempt.
   * @returns the deliveries that a newer full state in the lane replaces, this one among them; that newer one inherits `dueAt`
   */
  retryAt(lane: Lane, dueAt: Millis): readonly Delivery[] {
    const { deliveries } = lane
    lane.inFlight = null
    lane.dueAt = dueAt
    // What an operator put back, and wants sent, could not go before what was on the wire; it is older all the same, and replaces nothing newer.
    if (deliveries.length > 1 && versionAt(deliveries, 1) < versionAt(deliveries, 0))
      deliveries.sort((one, other) => versionOf(one.record) - versionOf(other.record))
    const newest = deliveries.findLastIndex((delivery) => delivery.replacesOlder)
    return takeReplaceable(deliveries, 0, newest)
  }

  /** The lane, when deliveries of it are in memory. */
  find({ topic, repeater, caseId }: LaneName): Lane | undefined {
    return this.#byTopic.get(topic)?.get(repeater)?.get(caseId)
  }

  /** A lane that was asked for and got nothing is forgotten. */
  forgetEmpty(lane: Lane): void {
    if (lane.deliveries.length === 0) this.#forget(lane)
  }

  *all(): Iterable<Lane> {
    for (const ofTopic of this.#byTopic.values()) for (const lanes of ofTopic.values()) yield* lanes.values()
  }

  *from(source: SourceProgress): Iterable<Lane> {
    for (const lanes of this.#byTopic.get(source.topic)?.values() ?? []) yield* lanes.values()
  }

  /** The lanes of one repeater, for when its configuration changes. */
  *of(repeater: RepeaterId): Iterable<Lane> {
    for (const ofTopic of this.#byTopic.values()) yield* ofTopic.get(repeater)?.values() ?? []
  }

  /** Deliveries in memory that have not settled, by repeater; copies of what is parked are counted there. */
  *waiting(): Iterable<readonly [RepeaterId, number]> {
    for (const ofTopic of this.#byTopic.values()) {
      for (const [repeater, lanes] of ofTopic) {
        let count = 0
        for (const lane of lanes.values()) for (const { parked } of lane.deliveries) if (!parked) count++
        yield [repeater, count]
      }
    }
  }

  /** The partition was given up: what still points to a lane finds nothing to do in it, and keeps no record alive. */
  clear(): void {
    for (const lane of this.all()) lane.deliveries.length = 0
    this.#byTopic.clear()
  }

  #forget(lane: Lane): void {
    const ofTopic = this.#byTopic.get(lane.topic)
    const ofRepeater = ofTopic?.get(lane.repeater)
    if (ofRepeater?.get(lane.caseId) !== lane) return
    ofRepeater.delete(lane.caseId)
    if (ofRepeater.size === 0) ofTopic?.delete(lane.repeater)
  }
}

/** False while a crash would make the next owner start this lane without having read what we are about to send. */
export const isReserved = ({ record, lane: { source } }: Delivery): boolean =>
  record.base < source.base || record.offset < source.reserved

const NONE: readonly Delivery[] = []

/** Takes those in the places from `from` up to `to`, exclusive, out of the lane, but what an operator wants sent all the same. */
function takeReplaceable(deliveries: Delivery[], from: number, to: number): readonly Delivery[] {
  if (to <= from) return NONE
  const taken = deliveries.splice(from, to - from)
  const kept = taken.filter(({ record }) => record.forced)
  if (kept.length === 0) return taken
  deliveries.splice(from, 0, ...kept)
  return taken.filter(({ record }) => !record.forced)
}

const versionAt = (deliveries: readonly Delivery[], place: number): number => {
  const delivery = deliveries[place]
  return delivery ? versionOf(delivery.record) : -1
}
