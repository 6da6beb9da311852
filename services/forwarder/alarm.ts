// Wakes sleepers when their instant comes: one timer for all of them, however many sleep.
import type { Clock, Millis } from '../shared/clock.ts'
import { DueQueue } from './due-queue.ts'

export class Alarm<Sleeper extends { wakesAt: Millis }> {
  readonly #clock: Clock
  readonly #wake: (sleeper: Sleeper) => void
  readonly #asleep = new DueQueue<Sleeper>()
  #ringsAt: Millis = Infinity
  #cancel: (() => void) | undefined

  /** @param wake hears each sleeper once for each time it was set; it may set it again */
  constructor(clock: Clock, wake: (sleeper: Sleeper) => void) {
    this.#clock = clock
    this.#wake = wake
  }

  /** @param at monotonic milliseconds */
  set(at: Millis, sleeper: Sleeper): void {
    // Once for each instant, however often it is set: else a failing case that changes often would fill the memory.
    if (sleeper.wakesAt === at) return
    sleeper.wakesAt = at
    this.#asleep.add(at, sleeper)
    this.#ringAt(at)
  }

  /** Forgets the others: a timer that nobody waits for would keep them in memory, and the process from ending. */
  keepOnly(keeps: (sleeper: Sleeper) => boolean): void {
    this.#asleep.keepOnly(keeps)
    this.#cancel?.()
    this.#ringsAt = Infinity
    if (this.#asleep.nextAt !== undefined) this.#ringAt(this.#asleep.nextAt)
  }

  #ringAt(at: Millis): void {
    if (at >= this.#ringsAt) return
    this.#cancel?.()
    this.#ringsAt = at
    this.#cancel = this.#clock.after(at - this.#clock.monotonic(), () => this.#ring())
  }

  #ring(): void {
    this.#ringsAt = Infinity
    this.#cancel = undefined
    const now = this.#clock.monotonic()
    for (let next = this.#asleep.takeDue(now); next !== undefined; next = this.#asleep.takeDue(now)) {
      if (next.wakesAt <= now) next.wakesAt = 0
      this.#wake(next)
    }
    if (this.#asleep.nextAt !== undefined) this.#ringAt(this.#asleep.nextAt)
  }
}
