// How much may wait in memory for a connection, by how fast it answers. Pure; instants are monotonic milliseconds.
// Enter: attempts as they begin and end. Leave: for a delivery that is one too many, when its turn will come.
// What is parked comes back after the first tier's delay at the earliest: as much as the connection does until then waits here, so
// that it always has work. More would only fill the memory and the windows of the retry topics, where others wait behind it.
import type { Millis } from '../shared/clock.ts'
import { tierWhileOpen } from './breaker.ts'

/** What limits a connection beside its answers. */
export type Means = {
  /** Requests that may be on the wire. */
  readonly slots: number
  /** Requests a second; null for no limit. */
  readonly rate: number | null
}

/** `booked`: it is not to go before. `ask-again`: nothing can be said yet, so a tier of about that wait will do. */
export type LaterTurn = { readonly kind: 'booked' | 'ask-again'; readonly wait: Millis }

/** As for a connection that has been broken for long. Who feels it: a remote that is quick again meanwhile. */
const LONGEST_FORESEEN: Millis = 1_800_000
/** Of what waits for its turn one partition of a retry topic is to see one copy in that time, on average. */
const COPY_EVERY: Millis = 50
/** Deliveries for each slot that are never too many. */
const KEPT_PER_SLOT = 2
/** Shorter ones may be our own: a busy event loop, a handshake. Who feels it: what is read of a slow connection until then. */
const TELLING: Millis = 1_000
/** The first answers pay for handshakes, and for a process that has just begun: they tell once it has had `TELLING` to warm up. */
const TELLING_ANSWERS = 16
/** How fast the estimate follows slower attempts. */
const ATTEMPT_WEIGHT = 1 / 8

export class QueueCap {
  /** What an attempt takes: as little as the quickest did lately, for what makes one slow is often ours. 0 before the first. */
  #usual: Millis = 0
  #answers = 0
  /** The first attempt began. */
  #askedAt: Millis | null = null
  #inFlight = 0
  /** An attempt ended, or one began when there was none: from then on silence says how slow it is. */
  #heardAt: Millis = 0
  /** The turn of what was parked last for want of one. */
  #bookedUntil: Millis = 0
  #fullSince: Millis | null = null

  begin(now: Millis): void {
    this.#askedAt ??= now
    if (this.#inFlight++ === 0) this.#heardAt = now
  }

  end(now: Millis, duration: Millis): void {
    this.#inFlight--
    this.#heardAt = now
    this.#answers++
    const isQuickest = this.#usual === 0 || duration < this.#usual
    this.#usual = isQuickest ? duration : this.#usual + (duration - this.#usual) * ATTEMPT_WEIGHT
  }

  /** Requests that it can answer in a second, as far as is known; without end before anything was asked of it. */
  #perSecond(now: Millis, { slots, rate }: Means): number {
    const silence = this.#inFlight > 0 ? now - this.#heardAt : 0
    const isWarm = this.#answers >= TELLING_ANSWERS && now - (this.#askedAt ?? now) >= TELLING
    const isKnown = isWarm || this.#usual >= TELLING
    const duration = Math.max(isKnown ? this.#usual : 0, silence < TELLING ? 0 : silence)
    return Math.min(rate ?? Infinity, duration > 0 ? (slots * 1_000) / duration : Infinity)
  }

  /**
   * @param waiting deliveries that wait for it in memory, of the kind that is asked about
   * @param covers for how long there is to be work in memory
   * @param copies those that lie in the retry topics already, where this one would
   * @returns null when one more may wait in memory
   */
  turnOf(now: Millis, means: Means, waiting: number, covers: Millis, copies: number): LaterTurn | null {
    const perSecond = this.#perSecond(now, means)
    if (this.hasRoom(now, means, waiting, covers)) {
      if (this.#bookedUntil <= now) this.#fullSince = null
      return null
    }
    this.#fullSince ??= now
    // Turns are given out for a while only: a pace is what it was lately, and whoever gets none asks again then. Recovery is seen
    // as soon as that of a broken connection, unless so many would ask that others wait for their copies to be written.
    const foreseen = Math.min(LONGEST_FORESEEN, Math.max(tierWhileOpen(now - this.#fullSince), copies * COPY_EVERY))
    const turnAt = Math.max(this.#bookedUntil, now + (waiting * 1_000) / perSecond)
    if (turnAt >= now + foreseen) return { kind: 'ask-again', wait: foreseen }
    this.#bookedUntil = turnAt + 1_000 / perSecond
    return { kind: 'booked', wait: turnAt - now }
  }

  /** As for `turnOf`, which asks for a turn as well. */
  hasRoom(now: Millis, means: Means, waiting: number, covers: Millis): boolean {
    return waiting <= Math.max(means.slots * KEPT_PER_SLOT, (this.#perSecond(now, means) * covers) / 1_000)
  }

  /** Another remote answers from now on. */
  forget(): void {
    this.#usual = 0
    this.#answers = 0
    this.#askedAt = null
    this.#bookedUntil = 0
    this.#fullSince = null
  }
}
