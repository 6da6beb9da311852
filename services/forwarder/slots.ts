// How many requests a connection may have on the wire: as many as the remote can bear, and never more than configured. Pure.
// Enter: what attempts showed. Leave: a number between 1 and the cap. It falls at failures and at answers that come much later
// than they used to, and grows while it is well. A remote that is slow by nature keeps its slots: it is measured by itself.
import type { Millis } from '../shared/clock.ts'

export type Shown = 'well' | 'failed' | 'nothing'

/** Of the slots, after a failure. */
const AFTER_FAILURE = 0.5
/** Of the slots, after a round of late answers: gentler, for nothing has failed. */
const AFTER_DELAY = 0.75
/** From one slot to the cap in about so many rounds of successes, whatever the cap. Feels it: a remote that has just healed. */
const ROUNDS_TO_CAP = 16
/** Late: so many times the usual, */
const LATE_FACTOR = 3
/** and so much above it. A busy process of ours, or a garbage collection, delays answers by less: it must not cost the remote its slots. */
const LATE_MARGIN: Millis = 500
/** Answers that a judgement on delay needs at least: one slow answer says nothing. */
const DELAY_SAMPLE = 10
/** Of the difference, how far the usual delay moves up each round: what stays slow is usual after a few dozen rounds. */
const USUAL_RISE = 1 / 16

export class Slots {
  #cap: number
  #count: number
  /** Successes since the last change that ended while every slot was in use. */
  #credit = 0
  /** On the wire when the slots last fell: how they end is the same trouble once more. */
  #sameTrouble = 0
  #sumOfDelays: Millis = 0
  #delays = 0
  #wereInUse = false
  #usualDelay: Millis | null = null

  /**
   * Starts at the cap: it is what the operator says the remote can bear, and who starts lower is slow after each restart and
   * rebalance, though the remote was well all the time.
   */
  constructor(cap: number) {
    this.#cap = cap
    this.#count = cap
  }

  get cap(): number {
    return this.#cap
  }

  get count(): number {
    return this.#count
  }

  /** A remote that had all its slots has all of the new cap; one that had lost some grows into it. */
  limit(cap: number): void {
    if (this.#count === this.#cap || this.#count > cap) this.#count = cap
    this.#cap = cap
  }

  /**
   * An attempt has ended.
   * @param inFlight on the wire, this one included
   */
  end(shown: Shown, duration: Millis, inFlight: number): void {
    const isSameTrouble = this.#sameTrouble > 0
    if (isSameTrouble) this.#sameTrouble--
    // Once for all that was on the wire together: a burst of eight that fails is one sign, not eight.
    if (shown === 'nothing' || isSameTrouble) return
    if (shown === 'failed') return this.#fall(AFTER_FAILURE, inFlight - 1)
    const inUse = inFlight >= this.#count
    if (inUse) this.#wereInUse = true
    this.#measure(duration, inFlight - 1)
    if (inUse && this.#count < this.#cap) this.#grow()
  }

  /** The breaker opened: who comes back begins with one. */
  collapse(inFlight: number): void {
    this.#fall(0, inFlight)
  }

  /** Another remote answers from now on. */
  forget(): void {
    this.#count = this.#cap
    this.#credit = 0
    this.#usualDelay = null
    this.#startRound()
  }

  #grow(): void {
    this.#credit++
    if (this.#credit < this.#count) return
    this.#credit = 0
    this.#count = Math.min(this.#cap, this.#count + Math.ceil(this.#cap / ROUNDS_TO_CAP))
  }

  #fall(factor: number, inFlight: number): void {
    this.#count = Math.max(1, Math.floor(this.#count * factor))
    this.#credit = 0
    this.#sameTrouble = inFlight
    this.#startRound()
  }

  #measure(duration: Millis, inFlight: number): void {
    this.#sumOfDelays += duration
    this.#delays++
    if (this.#delays < Math.max(this.#count, DELAY_SAMPLE)) return
    const delay = this.#sumOfDelays / this.#delays
    const usual = this.#usualDelay ?? delay
    this.#usualDelay = delay < usual ? delay : usual + (delay - usual) * USUAL_RISE
    // Idle slots cannot be what delays it.
    if (this.#wereInUse && delay > usual * LATE_FACTOR && delay > usual + LATE_MARGIN) this.#fall(AFTER_DELAY, inFlight)
    else this.#startRound()
  }

  #startRound(): void {
    this.#sumOfDelays = 0
    this.#delays = 0
    this.#wereInUse = false
  }
}
