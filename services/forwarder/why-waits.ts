// Why the committed offset of a log may rightly stand still. Pure.
// Enter: a partition's task, one of its logs, what surrounds it. Leave: what it waits for, or null: nothing that is known keeps it.
// MUST: only what ends by itself or by somebody outside counts. What only our own code could end is no reason.
import type { Millis } from '../shared/clock.ts'
import type { RepeaterId } from '../shared/ids.ts'
import type { ConnectionDesk } from './connection-desk.ts'
import type { Lane } from './delivery.ts'
import { isReserved } from './lanes.ts'
import type { OffsetMap } from './offset-map.ts'
import type { PartitionTask, SourceProgress, TierProgress } from './partition-task.ts'

export type Around = {
  /** Monotonic, and steady: tiers are due by the latter. */
  readonly now: Millis
  readonly steadyNow: Millis
  /** The coordinator counts us in. */
  readonly holdsLease: boolean
  /** The memory bound keeps every source from being read. */
  readonly memoryIsFull: boolean
  /** Copies and dead letters that the brokers have not acknowledged. */
  readonly unwritten: number
  readonly deskOf: (repeater: RepeaterId) => ConnectionDesk | undefined
}

export type Reason =
  | 'brokers'
  | 'stopping'
  | 'schema'
  | 'memory'
  | 'writing'
  | 'attempt'
  | 'schedule'
  | 'parked'
  | 'connection'
  | 'sources'

export function whySourceWaits(task: PartitionTask, source: SourceProgress, around: Around): Reason | null {
  const outside = whyAllWaits(task, around)
  if (outside) return outside
  if (source.needsSchema) return 'schema'
  const firstOpen = source.offsets.firstOpen
  // All that was read is complete: the next record is to be read, or the commit is to be made.
  if (firstOpen === undefined) return around.memoryIsFull && !source.rereading ? 'memory' : null
  return whyOpenWaits(task.lanes.from(source), source.offsets, firstOpen, around)
}

export function whyTierWaits(task: PartitionTask, tier: TierProgress, around: Around): Reason | null {
  const outside = whyAllWaits(task, around)
  if (outside) return outside
  if (tier.nextDueAt !== null && tier.nextDueAt > around.steadyNow) return 'schedule'
  // For room, or for a schema: its own timer looks again.
  if (tier.stopped) return 'memory'
  if (task.rereading) return 'sources'
  const { firstOpen } = tier.offsets
  return firstOpen === undefined ? null : whyOpenWaits(task.lanes.all(), tier.offsets, firstOpen, around)
}

/** @param firstOpen the lowest record of the log that is not complete */
function whyOpenWaits(lanes: Iterable<Lane>, offsets: OffsetMap, firstOpen: number, around: Around): Reason | null {
  let reason: Reason | null = null
  for (const lane of lanes) {
    if (!lane.deliveries.some(({ record }) => record.offsets === offsets && record.entry.offset === firstOpen)) continue
    reason = whyLaneWaits(lane, around)
    // One that waits for nothing is enough: it keeps the offset.
    if (reason === null) return null
  }
  // It is in no lane: it is being written to a retry topic or to the dead letters, or it was lost sight of.
  return reason ?? (around.unwritten > 0 ? 'writing' : null)
}

function whyAllWaits(task: PartitionTask, { holdsLease }: Around): Reason | null {
  if (!holdsLease) return 'brokers'
  return task.open ? null : 'stopping'
}

function whyLaneWaits(lane: Lane, { now, unwritten, deskOf }: Around): Reason | null {
  const [head] = lane.deliveries
  if (!head) return null
  if (lane.inFlight) {
    if (lane.task.running.size > 0) return 'attempt'
    return unwritten > 0 ? 'writing' : null
  }
  if (lane.dueAt > now) return 'schedule'
  // Reserved by the next commit, which comes a few times a second.
  if (!isReserved(head)) return null
  if (lane.task.lanes.isBlocked(head)) return 'parked'
  const desk = deskOf(lane.repeater)
  if (!desk || lane.queuedAt !== desk) return null
  const { health } = desk
  return health.state !== 'closed' || health.inFlight > 0 || desk.wakesAt > now ? 'connection' : null
}
