// Which lanes leave memory when it, or a commit's metadata, is full. Pure. Enter: what waits, and how fast each connection gets on.
// Leave: lanes to park.
// First those that wait for a parked version anyway; then the largest queues among connections that keep others waiting: they
// need long for what waits, and much longer than the quickest. Where all are equally busy, and not for long, none is in another's
// way: writing their queues to a topic and reading them again would only cost what they lack, and the sources wait for them instead.
import type { Millis } from '../shared/clock.ts'
import type { ConnectionId, RepeaterId } from '../shared/ids.ts'
import type { Lane } from './delivery.ts'
import type { PartitionTask } from './partition-task.ts'

/** A queue that takes longer to empty may be in others' way. */
const TOO_LONG: Millis = 10_000
/** Than the quickest one's. */
const MUCH_LONGER = 4
/**
 * A queue that takes longer leaves memory whoever else waits: what the sources hold for others is not known before it is read. As
 * much as the queue cap lets wait, which is told by the same answers. Who feels it: a backlog that would be done in some minutes.
 */
const NEVER_SOON: Millis = 60_000
/** Attempts in a second below which a connection without a queue is not taken to be waiting for the sources. */
const LIVELY = 0.1
/** What a connection that answers nobody is taken to need. */
const ENDLESS: Millis = 24 * 3_600_000
/**
 * A pace is what it was lately: a remote that hung for ten seconds looks as if it never answered. Who feels it: what would lie in
 * a tier of hours though the remote went on at once. Coming back too early costs a copy.
 */
const LONGEST_AWAY: Millis = 300_000

/** @property wait how long its connection has no use for it: as long as it needs for what waits, within bounds */
export type Spilled = { readonly lane: Lane; readonly wait: Millis }

type Queue = { readonly lanes: Lane[]; bytes: number; deliveries: number }

/** What is known of a connection: the attempts that ended in a second, lately, and how many may be on the wire. */
export type Pace = {
  readonly perSecond: number
  readonly slots: number
  /** It was asked long enough to be called slow. Memory may be full before anything could have been answered. */
  readonly isTold: boolean
}
const NO_PACE: Pace = { perSecond: 0, slots: 0, isTold: false }

/** Lanes that a connection keeps, for each of its slots: whatever is spilled, it always has work. */
const KEPT_PER_SLOT = 2

/**
 * @param connectionOf undefined for a repeater that the configuration lacks
 * @param paces of every connection that was asked for so far
 * @param bytes to be freed at least
 */
export function chooseSpill(
  tasks: Iterable<PartitionTask>,
  connectionOf: (repeater: RepeaterId) => ConnectionId | undefined,
  paces: ReadonlyMap<ConnectionId, Pace>,
  bytes: number,
): readonly Spilled[] {
  const spilled: Spilled[] = []
  const queues = new Map<ConnectionId | undefined, Queue>()
  let freed = 0
  for (const task of tasks) {
    for (const lane of task.lanes.all()) {
      const held = waitingBytes(lane)
      const head = lane.deliveries[0]
      if (held === 0 || !head || !task.open || lane.source.rereading) continue
      if (task.lanes.isBlocked(head)) {
        spilled.push({ lane, wait: 0 })
        freed += held
        continue
      }
      const connection = connectionOf(lane.repeater)
      let queue = queues.get(connection)
      if (!queue) queues.set(connection, (queue = { lanes: [], bytes: 0, deliveries: 0 }))
      queue.lanes.push(lane)
      queue.bytes += held
      queue.deliveries += lane.deliveries.length
    }
  }
  const waits = [...queues].map(([connection, queue]) => {
    const { perSecond, slots, isTold } = (connection && paces.get(connection)) ?? NO_PACE
    const wait = perSecond > 0 ? Math.min(ENDLESS, (queue.deliveries / perSecond) * 1_000) : ENDLESS
    return { queue, wait, isTold, isKnown: perSecond > 0, kept: slots * KEPT_PER_SLOT }
  })
  const isStarved = [...paces].some(([id, { perSecond }]) => perSecond > LIVELY && !queues.has(id))
  const quickest = isStarved ? 0 : Math.min(...waits.map(({ wait }) => wait))
  const tooLong = Math.max(TOO_LONG, quickest * MUCH_LONGER)
  const slow = waits
    .filter(({ wait, isTold, isKnown }) => isTold && (wait > tooLong || (isKnown && wait > NEVER_SOON)))
    .toSorted((one, other) => other.queue.bytes - one.queue.bytes)
  for (const { queue, wait, kept } of slow) {
    // The last to come go first: those before them are sooner done.
    for (const lane of queue.lanes.slice(kept).toReversed()) {
      if (freed >= bytes) return spilled
      spilled.push({ lane, wait: Math.min(wait, LONGEST_AWAY) })
      freed += waitingBytes(lane)
    }
  }
  return spilled
}

/**
 * A commit shows what was finished behind the first open record, as far as its metadata reaches: where that is nearly full, the
 * oldest half of what has waited for long leaves memory. Who would feel it: receivers after a crash, whom the rest is sent to once
 * more. What has not waited for long makes as many gaps under any backlog, and closes them within seconds.
 */
export function chooseStragglers(tasks: Iterable<PartitionTask>, now: Millis): readonly Spilled[] {
  const spilled: Spilled[] = []
  for (const task of tasks) {
    if (!task.open || ![...task.sources.values()].some(({ offsets }) => offsets.isNearlyFull)) continue
    const waiting = [...task.lanes.all()].flatMap((lane) => {
      const { offsets, rereading, marks } = lane.source
      if (!offsets.isNearlyFull || rereading || waitingBytes(lane) === 0) return []
      const first = lane.deliveries.find(({ record }) => record.offsets === offsets)
      return first && first.record.offset < marks.stragglersBelow(now) ? { lane, since: first.record.offset } : []
    })
    const oldest = waiting.toSorted((one, other) => one.since - other.since).slice(0, Math.ceil(waiting.length / 2))
    spilled.push(...oldest.map(({ lane }) => ({ lane, wait: 0 })))
  }
  return spilled
}

const waitingBytes = ({ deliveries, inFlight }: Lane): number => {
  let bytes = 0
  for (const delivery of deliveries) if (delivery !== inFlight) bytes += delivery.record.heldBytes
  return bytes
}
