// How work ends: of partitions that are given up, and of the whole process. Enter: their tasks, and until when. Leave: nothing of them
// on the wire. Never: a connection that answers soon standing still for long because another does not.
import type { Clock, Millis } from '../shared/clock.ts'
import type { ConnectionDesk } from './connection-desk.ts'
import type { PartitionTask } from './partition-task.ts'

const LOOK_EVERY: Millis = 10
/** At the end of the process, a request that takes longer is not waited for by other connections standing still. */
const SLOW_AFTER: Millis = 3_000

/**
 * Nothing new starts; what is on the wire, and what is being written, may finish within `patience`; attempts are ended after it.
 * Resolves when the wire is empty.
 */
export async function drain(tasks: readonly PartitionTask[], patience: Millis, clock: Clock): Promise<void> {
  for (const task of tasks) task.draining = true
  const until = clock.monotonic() + patience
  while (tasks.some((task) => !task.isQuiet) && clock.monotonic() < until) await clock.sleep(LOOK_EVERY)
  // The set itself and no copy: a 401 that is ended in its body may be answered with another round from within, which must end as well.
  for (const task of tasks) for (const exchange of task.running) exchange.abort()
  // An aborted exchange settles in the same turn; its outcome is heard in the next.
  await clock.sleep(0)
}

/**
 * The process is going to end. Connections that answer soon go on, while those on whose answers we wait for long start nothing more
 * and finish what they have. Resolves when only what answers soon is on the wire, and all may stand still for a moment.
 * @param until monotonic instant at which it resolves in any case
 * @param pump starts what a connection has turns for
 */
export async function windDown(
  desks: readonly ConnectionDesk[],
  until: Millis,
  clock: Clock,
  pump: (desk: ConnectionDesk) => void,
): Promise<void> {
  const startedAt = clock.monotonic()
  for (let now = startedAt; now < until; now = clock.monotonic()) {
    // Each is asked, so that none that is slow goes on starting.
    const slow = desks.filter((desk) => desk.holdWhileSlow(now, SLOW_AFTER))
    // Until what was on the wire at the beginning has ended, nobody knows whether it takes long.
    const isKnown = desks.every(({ oldestSince }) => oldestSince === undefined || oldestSince > startedAt)
    if (isKnown && slow.length === 0) return
    for (const desk of desks) pump(desk)
    await clock.sleep(LOOK_EVERY)
  }
}
