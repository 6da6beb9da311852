// Which partitions are stuck: there is something to read, what is committed stands still for minutes, and nothing keeps it. Pure.
// Enter: what each log stands at, again and again. Leave: the stuck ones. Never: an alarm for what waits for somebody outside.
import type { Millis } from '../shared/clock.ts'
import type { Reason } from './why-waits.ts'

export type Standing = {
  readonly topic: string
  readonly partition: number
  /** The end of the log, as the brokers say. */
  readonly end: number
  /** What was committed last, or where reading began. */
  readonly committed: number
  /** What else counts as progress: while a partition is being restored nothing is committed. */
  readonly progress: number
  readonly waitsFor: Reason | null
}

type Seen = { readonly committed: number; readonly progress: number; readonly since: Millis }

export class Watchdog {
  readonly #stuckAfter: Millis
  #seen = new Map<string, Seen>()

  constructor(stuckAfter: Millis) {
    this.#stuckAfter = stuckAfter
  }

  /** @param now monotonic @returns those that have stood still for `stuckAfter` of looking */
  look(now: Millis, standings: readonly Standing[]): readonly Standing[] {
    const seen = new Map<string, Seen>()
    const stuck: Standing[] = []
    for (const standing of standings) {
      const { topic, partition, end, committed, progress, waitsFor } = standing
      if (end <= committed || waitsFor !== null) continue
      const key = `${topic} ${partition}`
      const before = this.#seen.get(key)
      const stands = before?.committed === committed && before.progress === progress
      const since = stands ? before.since : now
      seen.set(key, { committed, progress, since })
      if (now - since >= this.#stuckAfter) stuck.push(standing)
    }
    // Whoever moved, waits for somebody or is ours no more begins anew.
    this.#seen = seen
    return stuck
  }

  /** The brokers are away, or the consumer was restarted: what was seen before says nothing. */
  forget(): void {
    this.#seen.clear()
  }
}
