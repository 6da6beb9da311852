// May a connection be asked now? Pure: breaker, slots, rate and the remote's own Retry-After; instants are monotonic milliseconds.
// Enter: what starts, and what attempts showed. Leave: a turn: go, wait for a slot, wait until an instant, or be parked.
// MUST: never more on the wire than the configured slots, and while it is broken no more than one probe.
import type { Limits } from '../shared/forwarding/connection.ts'
import type { Millis } from '../shared/clock.ts'
import type { LaneKey } from '../shared/ids.ts'
import { Breaker, weigh, type BreakerState, type Transition, type Weight } from './breaker.ts'
import type { Outcome } from './outcome.ts'
import type { Means } from './queue-cap.ts'
import { Slots, type Shown } from './slots.ts'

export type Turn =
  | { readonly kind: 'go' }
  /** Every slot is taken: one becomes free when an attempt ends. */
  | { readonly kind: 'full' }
  | { readonly kind: 'wait'; readonly until: Millis }
  /**
   * The connection is broken. `open`: nobody goes before `until`. `spared`: a probe is due now, and this lane failed the last
   * one, so another is asked first; asked again, it goes.
   */
  | { readonly kind: 'park'; readonly reason: 'open' | 'spared'; readonly until: Millis }

export type Ended = {
  /** True when the failure is that of a broken connection: it spends nothing of the delivery's schedule. */
  readonly sparesTry: boolean
  readonly transition: Transition | null
}

const GO: Turn = { kind: 'go' }
const FULL: Turn = { kind: 'full' }
/** Made once: it is the answer to nearly every attempt. */
const NOTHING_NEW: Ended = { sparesTry: false, transition: null }

/** Tokens a rate limit may save up, in seconds of its rate: a short quiet is not lost, a long one makes no burst. */
const BURST_SECONDS = 1

export class ConnectionHealth {
  #limits: Limits
  #inFlight = 0
  readonly #slots: Slots
  readonly #breaker = new Breaker()
  /** The remote asked for silence until then. */
  #silentUntil: Millis = 0
  #tokens: number
  #tokensAt: Millis

  constructor(limits: Limits, now: Millis) {
    this.#limits = limits
    this.#slots = new Slots(limits.concurrency)
    this.#tokens = burstOf(limits)
    this.#tokensAt = now
  }

  get inFlight(): number {
    return this.#inFlight
  }

  /** Requests that may be on the wire now; while it is broken, the probe. */
  get slots(): number {
    return this.#slots.count
  }

  get means(): Means {
    return { slots: this.#slots.count, rate: this.#limits.rate }
  }

  get state(): BreakerState {
    return this.#breaker.state
  }

  /** How long it has been broken; 0 while it is closed. */
  openFor(now: Millis): Millis {
    return this.#breaker.openFor(now)
  }

  /** The configuration changed: new limits hold from the next turn on. */
  limit(limits: Limits): void {
    this.#limits = limits
    this.#slots.limit(limits.concurrency)
    this.#tokens = Math.min(this.#tokens, burstOf(limits))
  }

  /** Asks for a turn without taking it. Only that a lane was spared is remembered: it is spared once for each failed probe. */
  turn(now: Millis, lane: LaneKey): Turn {
    const gate = this.#breaker.ask(now, lane)
    if (gate === 'open') return { kind: 'park', reason: gate, until: this.#probeAt(now) }
    // What hangs on the wire from before must not keep the probe back.
    const isProbe = this.#breaker.state !== 'closed'
    if (this.#inFlight >= (isProbe ? this.#slots.cap : this.#slots.count)) return FULL
    if (now < this.#silentUntil) {
      const until = this.#silentUntil
      return isProbe ? { kind: 'park', reason: 'open', until } : { kind: 'wait', until }
    }
    const { rate } = this.#limits
    if (rate !== null) {
      this.#refill(rate, now)
      if (this.#tokens < 1) return { kind: 'wait', until: now + Math.ceil(((1 - this.#tokens) / rate) * 1_000) }
    }
    if (gate === 'pass') return GO
    this.#breaker.spare()
    return { kind: 'park', reason: 'spared', until: now }
  }

  /** The lane's attempt starts; `turn` said go. @returns what became of the breaker, when something did */
  begin(now: Millis, lane: LaneKey): Transition | null {
    this.#inFlight++
    if (this.#limits.rate !== null) this.#tokens--
    return this.#breaker.begin(now, lane)
  }

  /** @param duration of the attempt: what was started before the connection was last mended says nothing about it */
  end(now: Millis, lane: LaneKey, outcome: Outcome, duration: Millis): Ended {
    const weight = now - duration < this.#breaker.closedAt ? 'nothing' : weigh(outcome)
    this.#slots.end(shownBy(weight), duration, this.#inFlight)
    this.#inFlight--
    const transition = this.#breaker.end(now, lane, weight)
    if (transition?.kind === 'opened') this.#slots.collapse(this.#inFlight)
    const sparesTry = this.#breaker.state !== 'closed' && this.#breaker.blames(weight)
    return sparesTry || transition !== null ? { sparesTry, transition } : NOTHING_NEW
  }

  /** The remote said Retry-After: nothing of the connection starts before. */
  silence(until: Millis): void {
    this.#silentUntil = Math.max(this.#silentUntil, until)
  }

  /** Another remote answers from now on: what the old one showed says nothing. */
  forget(): void {
    this.#silentUntil = 0
    this.#slots.forget()
    this.#breaker.forget()
  }

  #probeAt(now: Millis): Millis {
    return Math.max(this.#breaker.nextProbeAt(now), this.#silentUntil)
  }

  #refill(rate: number, now: Millis): void {
    this.#tokens = Math.min(burstOf(this.#limits), this.#tokens + ((now - this.#tokensAt) / 1_000) * rate)
    this.#tokensAt = now
  }
}

const burstOf = ({ rate }: Limits): number => (rate === null ? 0 : Math.max(1, rate * BURST_SECONDS))

/** Refused credentials and addresses say nothing about how much a remote can bear. */
function shownBy(weight: Weight): Shown {
  if (weight === 'failure') return 'failed'
  return weight === 'accepted' || weight === 'alive' || weight === 'refusal' ? 'well' : 'nothing'
}
