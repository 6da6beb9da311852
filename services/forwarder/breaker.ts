// May a connection be asked at all? The circuit breaker: while a remote is broken it costs one probe now and then, whatever
// waits for it. Pure; instants are monotonic milliseconds. Enter: which lane asks, what attempts showed. Leave: a gate, and
// transitions as values. Never: two probes at once, or a request while it is open.
import { assertNever } from '../shared/assert-never.ts'
import type { Millis } from '../shared/clock.ts'
import type { LaneKey } from '../shared/ids.ts'
import type { Outcome } from './outcome.ts'

/**
 * | state | who may go | leaves by |
 * |---|---|---|
 * | closed | everybody | a streak, a bad window, refused credentials, a refused address: open |
 * | open | nobody until the probe is due; then the first lane that comes, but the one of the last failed probe only when it comes twice | the probe starts: half-open |
 * | half-open | nobody while the probe is on the wire; after a success, or an abort, the next lane at once | a failed probe: open, for longer; enough successes: closed |
 */
export const BREAKER_STATES = ['closed', 'open', 'half-open'] as const
export type BreakerState = (typeof BREAKER_STATES)[number]

export type OpenReason = 'failures' | 'credentials' | 'address-not-allowed'

export type Transition = {
  readonly kind: 'opened' | 'half-opened' | 'reopened' | 'closed'
  /** Monotonic milliseconds. */
  readonly at: Millis
  /** Why it is, or was, open. A failed probe brings its own. */
  readonly reason: OpenReason
  /** The failures that opened it, and the probes that failed since. */
  readonly failures: number
  /** How long it has been open; 0 for `opened`. */
  readonly openFor: Millis
  /** Monotonic milliseconds of the next probe; null while one is on the wire, and for `closed`. */
  readonly probeAt: Millis | null
}

/** `spared`: the probe is due and this lane failed the last one, so another is asked first; asked again, it may go. */
export type Gate = 'pass' | 'open' | 'spared'

/** What an outcome says about the connection. */
export type Weight =
  /** 2xx. */
  | 'accepted'
  /** Any other answer that is no sign of trouble: a 400 is about the record, and shows that the remote is alive. */
  | 'alive'
  /** 403: of one record, or of us. Only several lanes tell. */
  | 'refusal'
  | 'failure'
  | 'credentials'
  | 'address-not-allowed'
  /** We ended it ourselves. */
  | 'nothing'

/** In a row. Fewer happen to a remote that restarts; the requests on the wire cost no more than this. */
const STREAK = 10
/** Outcomes looked back on: a remote that fails every other time never has a streak. */
const WINDOW = 50
/** Of the window. */
const WINDOW_FAILURES = WINDOW / 2
/** Lanes refused with 403 before it is the credentials that are to blame. One record may be forbidden, and its neighbour too. */
const REFUSED_LANES = 3
/** Successes of probes in a row: one may have met the one healthy machine of many. */
const SUCCESSES_TO_CLOSE = 2
/** Before the first probe, the second, …; the last goes on. Who waits: everything for the connection, after the remote has healed. */
export const PROBE_WAITS: readonly [Millis, ...Millis[]] = [5_000, 10_000, 20_000, 40_000, 60_000]

export class Breaker {
  #state: BreakerState = 'closed'
  #closedAt: Millis = -Infinity

  #streak = 0
  /** The lane of the streak's failures; null once there are two. A poisonous record alone must not close the way for all. */
  #streakLane: LaneKey | null = null
  /** A ring: the failing lane, or null for a success. It grows to the window's size and stays. */
  readonly #window: (LaneKey | null)[] = []
  #windowAt = 0
  #windowFailures = 0
  /** Answered 403 since the last 2xx. */
  #refused: LaneKey[] = []

  #reason: OpenReason = 'failures'
  #failures = 0
  #openedAt: Millis = 0
  #probeAt: Millis = 0
  #failedProbes = 0
  #successes = 0
  /** The lane whose attempt on the wire is the probe. */
  #probe: LaneKey | null = null
  #failedLane: LaneKey | null = null
  #failedLaneSpared = false

  get state(): BreakerState {
    return this.#state
  }

  /** Monotonic milliseconds. What was started before it closed last says nothing: the remote was broken. */
  get closedAt(): Millis {
    return this.#closedAt
  }

  openFor(now: Millis): Millis {
    return this.#state === 'closed' ? 0 : now - this.#openedAt
  }

  /** Monotonic milliseconds: the earliest instant at which a lane that is refused now may be let through. */
  nextProbeAt(now: Millis): Millis {
    return this.#probe === null ? Math.max(now, this.#probeAt) : now + this.#probeWait()
  }

  ask(now: Millis, lane: LaneKey): Gate {
    if (this.#state === 'closed') return 'pass'
    if (this.#probe !== null || now < this.#probeAt) return 'open'
    return lane === this.#failedLane && !this.#failedLaneSpared ? 'spared' : 'pass'
  }

  /** The failed probe's lane was refused once, and once is enough: there may be no other. */
  spare(): void {
    this.#failedLaneSpared = true
  }

  /** The lane's attempt starts: a probe, unless it is closed. The caller has asked. */
  begin(now: Millis, lane: LaneKey): Transition | null {
    if (this.#state === 'closed' || this.#probe !== null) return null
    this.#probe = lane
    if (this.#state === 'half-open') return null
    this.#state = 'half-open'
    return this.#told('half-opened', now, null)
  }

  /** True for an outcome that speaks against the connection, and for none of the delivery's own. */
  blames(weight: Weight): boolean {
    if (weight === 'refusal') return this.#state !== 'closed' && this.#reason === 'credentials'
    return weight === 'failure' || weight === 'credentials' || weight === 'address-not-allowed'
  }

  /** What ends beside the probe was started before it opened: it changes nothing. */
  end(now: Millis, lane: LaneKey, weight: Weight): Transition | null {
    if (this.#state !== 'closed') return lane === this.#probe ? this.#endProbe(now, lane, weight) : null
    switch (weight) {
      case 'nothing':
        return null
      case 'accepted':
        if (this.#refused.length > 0) this.#refused = []
        return this.#succeed()
      case 'alive':
        return this.#succeed()
      case 'refusal':
        if (!this.#refused.includes(lane)) this.#refused.push(lane)
        return this.#refused.length < REFUSED_LANES ? this.#succeed() : this.#open(now, 'credentials', REFUSED_LANES)
      case 'failure':
        return this.#fail(now, lane)
      case 'credentials':
      case 'address-not-allowed':
        return this.#open(now, weight, 1)
      default:
        return assertNever(weight)
    }
  }

  /** Another remote answers from now on. What the old one still answers is not told to us. */
  forget(): void {
    this.#close(this.#closedAt)
  }

  #succeed(): null {
    this.#streak = 0
    this.#note(null)
    return null
  }

  #fail(now: Millis, lane: LaneKey): Transition | null {
    this.#streakLane = this.#streak === 0 || lane === this.#streakLane ? lane : null
    this.#streak++
    this.#note(lane)
    if (this.#streak >= STREAK && this.#streakLane === null) return this.#open(now, 'failures', this.#streak)
    const isBad = this.#window.length === WINDOW && this.#windowFailures >= WINDOW_FAILURES
    const hasOthers = isBad && this.#window.some((failed) => failed !== null && failed !== lane)
    return hasOthers ? this.#open(now, 'failures', this.#windowFailures) : null
  }

  #note(failedLane: LaneKey | null): void {
    if (this.#window.length === WINDOW && this.#window[this.#windowAt] !== null) this.#windowFailures--
    if (failedLane !== null) this.#windowFailures++
    this.#window[this.#windowAt] = failedLane
    this.#windowAt = (this.#windowAt + 1) % WINDOW
  }

  #endProbe(now: Millis, lane: LaneKey, weight: Weight): Transition | null {
    this.#probe = null
    if (weight === 'nothing') return null
    if (this.blames(weight)) return this.#reopen(now, lane, weight)
    this.#failedLane = null
    this.#successes++
    return this.#successes < SUCCESSES_TO_CLOSE ? null : this.#close(now)
  }

  #open(now: Millis, reason: OpenReason, failures: number): Transition {
    this.#state = 'open'
    this.#reason = reason
    this.#failures = failures
    this.#openedAt = now
    this.#probeAt = now + this.#probeWait()
    return this.#told('opened', now, this.#probeAt)
  }

  #reopen(now: Millis, lane: LaneKey, weight: Weight): Transition {
    this.#state = 'open'
    this.#reason = weight === 'refusal' || weight === 'credentials' ? 'credentials' : reasonOf(weight)
    this.#failures++
    this.#failedProbes++
    this.#successes = 0
    this.#failedLane = lane
    this.#failedLaneSpared = false
    this.#probeAt = now + this.#probeWait()
    return this.#told('reopened', now, this.#probeAt)
  }

  #close(now: Millis): Transition | null {
    const transition = this.#state === 'closed' ? null : this.#told('closed', now, null)
    this.#state = 'closed'
    this.#closedAt = now
    this.#streak = 0
    this.#window.length = 0
    this.#windowAt = 0
    this.#windowFailures = 0
    this.#refused = []
    this.#failures = 0
    this.#failedProbes = 0
    this.#successes = 0
    this.#probe = null
    this.#failedLane = null
    return transition
  }

  #probeWait(): Millis {
    return PROBE_WAITS[Math.min(this.#failedProbes, PROBE_WAITS.length - 1)] ?? PROBE_WAITS[0]
  }

  #told(kind: Transition['kind'], at: Millis, probeAt: Millis | null): Transition {
    return { kind, at, reason: this.#reason, failures: this.#failures, openFor: this.openFor(at), probeAt }
  }
}

const reasonOf = (weight: Weight): OpenReason => (weight === 'address-not-allowed' ? weight : 'failures')

/** The one place that says which outcome counts as what. */
export function weigh(outcome: Outcome): Weight {
  switch (outcome.kind) {
    case 'answered':
      return weighStatus(outcome.status)
    case 'unreachable':
    case 'broken':
      return 'failure'
    case 'address-not-allowed':
      return 'address-not-allowed'
    // A secret that is not there, or cannot be sent: no delivery of this connection can go.
    case 'unsendable':
      return 'credentials'
    case 'aborted':
      return 'nothing'
    default:
      return assertNever(outcome)
  }
}

function weighStatus(status: number): Weight {
  if (status >= 200 && status < 300) return 'accepted'
  if (status >= 500 || status === 429) return 'failure'
  if (status === 401 || status === 407) return 'credentials'
  return status === 403 ? 'refusal' : 'alive'
}

const MINUTE: Millis = 60_000

/**
 * How long what waits behind an open breaker is put away: short at first, so that a recovery is seen soon; long later, so
 * that a million waiting records cost little.
 *
 * | open for | wait |
 * |---|---|
 * | under 5 m | 1 m |
 * | under 30 m | 5 m |
 * | longer | 30 m |
 */
export function tierWhileOpen(openFor: Millis): Millis {
  if (openFor < 5 * MINUTE) return MINUTE
  return openFor < 30 * MINUTE ? 5 * MINUTE : 30 * MINUTE
}
