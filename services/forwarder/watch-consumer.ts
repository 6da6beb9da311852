// Looks after the consumer: says when partitions are stuck, tells what is held, and restarts it. When that does not help, the
// process no longer counts as alive, so that whoever started it starts another.
// Enter: what we own. Leave: log lines, a restart. Never: a restart for what waits for a broker, a remote or an instant.
import type { Clock, Millis } from '../shared/clock.ts'
import type { JoinedGroup, LogEnd } from '../shared/kafka/group.ts'
import type { Log } from '../shared/log.ts'
import type { Health } from './health.ts'
import type { Ownership } from './ownership.ts'
import type { LogProgress, PartitionTask } from './partition-task.ts'
import { Watchdog, type Standing } from './watchdog.ts'
import { whySourceWaits, whyTierWaits, type Around } from './why-waits.ts'

/** Looks within the time after which somebody counts as stuck. */
const LOOKS = 6
const LOOK_AT_LEAST_EVERY: Millis = 30_000
/** A consumer that cannot even be ended is a fault: the process goes, and another takes over. */
const RESTART_WITHIN: Millis = 60_000

type Options = {
  readonly ownership: Pick<Ownership, 'tasks'>
  readonly group: Pick<JoinedGroup, 'ends' | 'restart'>
  readonly around: () => Around
  readonly health: Pick<Health, 'isStuck'>
  readonly stuckAfter: Millis
  readonly onLook: (stuck: number) => void
  readonly clock: Clock
  readonly log: Log
  readonly fail: (error: unknown) => void
}

/** Resolves when the signal aborts. */
export async function watchConsumer(options: Options, signal: AbortSignal): Promise<void> {
  const { ownership, group, around, health, stuckAfter, onLook, clock, log, fail } = options
  const watchdog = new Watchdog(stuckAfter)
  /** What the last restart was for, until it has moved. */
  let restartedFor: readonly Standing[] = []
  const nextLook = async (): Promise<boolean> => {
    await clock.sleep(Math.min(LOOK_AT_LEAST_EVERY, stuckAfter / LOOKS), signal)
    return !signal.aborted
  }
  while (await nextLook()) {
    const ends = await group.ends()
    if (!ends) {
      watchdog.forget()
      continue
    }
    const standings = standingsOf([...ownership.tasks.values()], ends, around())
    restartedFor = restartedFor.filter((one) => standings.some((now) => isSame(now, one) && !hasMoved(now, one)))
    const stuck = watchdog.look(clock.monotonic(), standings)
    onLook(stuck.length)
    // Until they move: after each restart it takes a while before they count as stuck again.
    if (restartedFor.length === 0) health.isStuck = false
    else if (stuck.some((one) => restartedFor.some((other) => isSame(one, other)))) health.isStuck = true
    if (stuck.length === 0) continue
    log.error('consumer-stuck', { partitions: stuck.map(describe).join('; '), restartHelped: !health.isStuck })
    for (const number of new Set(stuck.map(({ partition }) => partition))) {
      const task = ownership.tasks.get(number)
      if (task) log.warn('consumer-held', dump(task))
    }
    restartedFor = stuck
    watchdog.forget()
    const cancel = clock.after(RESTART_WITHIN, () => fail(new Error('the stuck consumer cannot be ended')))
    await group.restart()
    cancel()
  }
}

function standingsOf(tasks: readonly PartitionTask[], ends: readonly LogEnd[], around: Around): readonly Standing[] {
  // What waits until others are restored moves when they do.
  const progress = tasks
    .filter(({ restoring, rereading }) => restoring || rereading)
    .reduce((sum, task) => sum + positionsOf(task), 0)
  return ends.flatMap(({ topic, partition, end }): readonly Standing[] => {
    const task = tasks.find(({ number }) => number === partition)
    const source = task?.sources.get(topic)
    const tier = task?.tiers.get(topic)
    const log = source ?? tier
    if (!task || !log) return []
    // What the fetches say of the end is as old as the last of them.
    log.highWatermark = Math.max(log.highWatermark, end)
    const waitsFor = source ? whySourceWaits(task, source, around) : tier ? whyTierWaits(task, tier, around) : null
    return [{ topic, partition, end, committed: committedOf(log), progress, waitsFor }]
  })
}

const committedOf = (log: LogProgress): number => log.committed ?? log.offsets.firstOpen ?? log.position

/** The sum rises while any of its logs is read, also where that is only to know what is parked. */
function positionsOf(task: PartitionTask): number {
  let sum = 0
  for (const { position } of task.sources.values()) sum += position
  for (const { position, restore } of task.tiers.values()) sum += restore?.to ?? position
  return sum
}

const isSame = (one: Standing, other: Standing): boolean =>
  one.topic === other.topic && one.partition === other.partition

const hasMoved = (now: Standing, before: Standing): boolean =>
  now.committed > before.committed || now.end <= now.committed

const describe = ({ topic, partition, committed, end }: Standing): string =>
  `${topic}/${partition} committed ${committed} of ${end}`

/** What is held of a partition, for whoever has to find the fault: counts and offsets, and the lane that keeps the first. */
function dump(task: PartitionTask) {
  const logs = [...task.sources.values(), ...task.tiers.values()].map(
    ({ topic, position, committed, highWatermark, offsets }) =>
      `${topic}: read to ${position}, committed ${committed ?? 'nothing'}, end ${highWatermark}, open ${offsets.openCount}` +
      (offsets.firstOpen === undefined ? '' : ` from ${offsets.firstOpen}`),
  )
  const lanes = [...task.lanes.all()]
  const first = lanes.toSorted((left, right) => firstOffset(left) - firstOffset(right))[0]
  return {
    number: task.number,
    logs: logs.join('; '),
    restoring: task.restoring,
    rereading: task.rereading,
    running: task.running.size,
    lanes: lanes.length,
    heldBytes: task.heldBytes,
    ...(first
      ? {
          repeater: first.repeater,
          case: first.caseId,
          offset: firstOffset(first),
          inFlight: first.inFlight !== null,
          queued: first.queuedAt !== null,
        }
      : {}),
  }
}

const firstOffset = ({ deliveries }: { readonly deliveries: readonly { record: { offset: number } }[] }): number =>
  deliveries[0]?.record.offset ?? Infinity
