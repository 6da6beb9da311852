// Systems that share the time: one runs for a slice of it while the others stand still, then the next, over and over. What the machine
// does in the meantime is so done to all of them, and ratios near 1 can be told from it. Linux and macOS: by signals.
// Enter: systems that deliver, each with a receiver of its own. Leave: figures of each, by the time that it ran.
import { setTimeout as sleep } from 'node:timers/promises'
import { errorText } from '../../services/shared/error-text.ts'
import { SLICE_MS } from './measurements.ts'
import type { OpenProcess } from './open-process.ts'
import type { Receiver } from './open-receiver.ts'
import { Watch, type Look, type Progress, type RunFigures } from './watch.ts'

export type SlicedSystem = {
  readonly label: string
  readonly system: OpenProcess
  readonly receiver: Receiver
  /** Changes there are for it. */
  readonly total: number
  readonly progress: Progress
}

/** Joining a group and a cold start take a few seconds. */
const START_LIMIT_MS = 60_000
const LOOK_EVERY_MS = 50
/** By its own time: whoever does nothing for so long has lost its partitions. */
const SILENCE_LIMIT_MS = 5_000

/** @throws Error when it ended, or delivers nothing for too long */
export async function untilItDelivers({ label, system, receiver }: SlicedSystem): Promise<void> {
  const until = performance.now() + START_LIMIT_MS
  while ((await receiver.figures()).wellSettled === 0) {
    const failed = system.ended()
    if (failed !== null) throw new Error(`${label}: ${failed}`)
    if (performance.now() > until) throw new Error(`${label} delivered nothing within ${START_LIMIT_MS / 1_000} s`)
    await sleep(LOOK_EVERY_MS)
  }
}

/**
 * They are paused while it lasts, all but one, and run again when it returns. Each waits for all others, so for less than a second:
 * a group misses a member, and a lease ends, only after several.
 * @param seconds each of them runs, unless one has worked off its load before
 * @returns each with its figures
 */
export async function measureBySlices<System extends SlicedSystem>(
  systems: readonly System[],
  seconds: number,
): Promise<readonly (readonly [System, RunFigures])[]> {
  const shares = systems.map((each) => new Share(each))
  try {
    for (const { system } of systems) system.pause()
    while (shares.every((each) => each.ranMs < seconds * 1_000 && !each.isDone)) {
      for (const each of shares) await each.run()
    }
    return shares.map((each) => [each.sliced, each.figures()])
  } finally {
    for (const { system } of systems) system.resume()
  }
}

/** One system's slices, and what was seen at their ends. */
class Share<System extends SlicedSystem> {
  readonly sliced: System
  readonly #watch: Watch
  ranMs = 0
  #last: Look | null = null

  constructor(sliced: System) {
    this.sliced = sliced
    this.#watch = new Watch({
      system: sliced.system,
      receiver: sliced.receiver,
      count: ({ wellSettled }) => wellSettled,
      every: SLICE_MS,
      silenceLimit: SILENCE_LIMIT_MS,
      progress: sliced.progress,
    })
  }

  get isDone(): boolean {
    return this.#last !== null && this.#last.count >= this.sliced.total
  }

  async run(): Promise<void> {
    const { system, label } = this.sliced
    const startedAt = performance.now()
    system.resume()
    await sleep(SLICE_MS)
    system.pause()
    this.ranMs += performance.now() - startedAt
    try {
      this.#last = await this.#watch.take(this.#watch.startedAt + this.ranMs)
    } catch (error) {
      throw new Error(`${label}: ${errorText(error)}`, { cause: error })
    }
  }

  figures(): RunFigures {
    if (this.#last === null) throw new Error(`${this.sliced.label} had no time`)
    return this.#watch.figures('steady', this.#last)
  }
}
