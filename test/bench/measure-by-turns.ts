// Systems that take turns: one runs for a slice of time while the others are stopped, then the next, over and over. What the machine
// does in the meantime is so done to all of them, and ratios near 1 can be told from it. Linux and other systems with job control.
// Enter: systems that deliver, each with a receiver of its own. Leave: figures of each, by the time that it ran.
import { setTimeout as sleep } from 'node:timers/promises'
import type { OpenProcess } from './open-process.ts'
import type { Receiver } from './open-receiver.ts'
import { Watch, type Look, type Progress, type RunFigures } from './watch.ts'

export type Player = {
  readonly label: string
  readonly system: OpenProcess
  readonly receiver: Receiver
  /** Changes there are for it. */
  readonly total: number
  readonly progress: Progress
}

/** Long beside the switch and what is on the wire (5 ms), short beside what changes a machine's speed. */
const SLICE_MS = 250
/** Joining a group and a cold start take a few seconds. */
const START_LIMIT_MS = 60_000
const LOOK_EVERY_MS = 50

/** It runs until its first delivery, and is stopped. @throws Error when it ended, or delivers nothing for too long */
export async function untilItDelivers({ label, system, receiver }: Player): Promise<void> {
  const until = performance.now() + START_LIMIT_MS
  while ((await receiver.figures()).wellSettled === 0) {
    const failed = system.ended()
    if (failed !== null) throw new Error(failed)
    if (performance.now() > until) throw new Error(`${label} delivered nothing within ${START_LIMIT_MS / 1_000} s`)
    await sleep(LOOK_EVERY_MS)
  }
  system.stop()
}

/**
 * @param players stopped; they run again when it returns
 * @param seconds each of them runs, unless one has worked off its load before
 */
export async function measureByTurns(
  players: readonly Player[],
  seconds: number,
): Promise<ReadonlyMap<string, RunFigures>> {
  const turns = players.map((player) => new Turns(player))
  try {
    // There and back again: nobody always comes behind the same.
    for (let round = 0; turns.every((each) => each.ran < seconds * 1_000 && !each.isDone); round += 1) {
      for (const each of round % 2 === 0 ? turns : turns.toReversed()) await each.take()
    }
    return new Map(turns.map((each) => [each.label, each.figures()]))
  } finally {
    for (const { system } of players) system.goOn()
  }
}

/** One system's turns, and what was seen at their ends. */
class Turns {
  readonly #player: Player
  readonly #watch: Watch
  /** Milliseconds. */
  ran = 0
  #last: Look | null = null

  constructor(player: Player) {
    this.#player = player
    const { system, receiver, progress } = player
    this.#watch = new Watch({
      system,
      receiver,
      count: ({ wellSettled }) => wellSettled,
      every: 0,
      silenceLimit: START_LIMIT_MS,
      progress,
    })
  }

  get label(): string {
    return this.#player.label
  }

  get isDone(): boolean {
    return this.#last !== null && this.#last.count >= this.#player.total
  }

  async take(): Promise<void> {
    const { system } = this.#player
    const from = performance.now()
    system.goOn()
    await sleep(SLICE_MS)
    system.stop()
    this.ran += performance.now() - from
    this.#last = await this.#watch.take(this.#watch.startedAt + this.ran)
  }

  figures(): RunFigures {
    if (this.#last === null) throw new Error(`${this.label} had no turn`)
    return this.#watch.figures('steady', this.#last)
  }
}
