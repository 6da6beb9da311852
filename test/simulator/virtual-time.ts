// Time that passes only when it is told to. Enter: how far. Leave: timers, fired in the order of their instants; what one of them
// sets off has come to rest before the next fires. It knows no process: a member's own clock is made of it in member.ts.
import type { Millis } from '../../services/shared/clock.ts'

type Timer = { readonly at: Millis; readonly wake: () => void }

/** The world begins then, by everybody's wall clock. */
export const BEGAN_AT: Millis = Date.UTC(2026, 0, 2, 3, 4, 4)

export class VirtualTime {
  /** Milliseconds since the world began. */
  now: Millis = 0
  readonly #timers = new Set<Timer>()

  /** @returns what cancels it */
  after(delay: Millis, wake: () => void): () => void {
    const timer = { at: this.now + Math.max(delay, 0), wake }
    this.#timers.add(timer)
    return () => void this.#timers.delete(timer)
  }

  sleep(delay: Millis): Promise<void> {
    return new Promise((resolve) => this.after(delay, resolve))
  }

  /** @param isOver looked at after each timer: true ends it where it is */
  async pass(by: Millis, isOver: () => boolean): Promise<void> {
    const until = this.now + by
    await rest()
    for (let timer = this.#next(); timer && timer.at <= until; timer = this.#next()) {
      this.#timers.delete(timer)
      this.now = Math.max(this.now, timer.at)
      timer.wake()
      await rest()
      if (isOver()) return
    }
    this.now = until
  }

  #next(): Timer | undefined {
    let first: Timer | undefined
    // A set keeps the order of insertion, so that equal instants fire in the order in which they were set.
    for (const timer of this.#timers) if (!first || timer.at < first.at) first = timer
    return first
  }
}

/** Every promise that is due has been heard by then: nothing but promises is between the parts. */
const rest = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
