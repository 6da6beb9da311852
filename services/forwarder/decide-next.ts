// Outcome → verdict. Pure: `now` and the jitter's random number are handed in; the wait is computed once, here.
import { assertNever } from '../shared/assert-never.ts'
import type { Millis } from '../shared/clock.ts'
import type { Connection } from '../shared/forwarding/connection.ts'
import type { Outcome } from './outcome.ts'
import { readRetryAfter } from './retry-after.ts'

export type Verdict =
  | { readonly kind: 'delivered' }
  | {
      readonly kind: 'retry'
      readonly wait: Millis
      /** False for trouble of the connection: it costs nothing of the delivery's schedule. */
      readonly spendsTry: boolean
      /** How long the whole connection keeps silent, by the remote's own Retry-After. */
      readonly silence: Millis
      readonly error: string
    }
  | { readonly kind: 'dead-letter'; readonly reason: 'rejected' | 'redirected' | 'exhausted'; readonly error: string }

/** What we ended ourselves says nothing, so there is nothing to decide. */
export type Finding = Exclude<Outcome, { kind: 'aborted' }>

export type Situation = {
  readonly connection: Connection
  /** Waits of the schedule spent before this outcome. */
  readonly tries: number
  /** The failure is that of a connection that is broken: nothing of the schedule is spent, and when to ask again is not the delivery's affair. */
  readonly sparesTry: boolean
  /** Unix milliseconds of the first failed attempt, this one's when it is the first. */
  readonly firstFailedAt: Millis
  /** Unix milliseconds. */
  readonly now: Millis
  /** 0 ≤ random < 1. */
  readonly random: number
}

/**
 * | status | verdict unless `retryOn` or `rejectOn` name it |
 * |---|---|
 * | 2xx | delivered |
 * | 3xx | dead letter `redirected`: never followed, for a redirect would turn a POST into a GET or leave the guard |
 * | the sets below | retry |
 * | every other | dead letter `rejected` |
 */
const RETRIED_AS_TROUBLE = new Set([408, 409, 423, 425, 429, 500, 502, 503, 504])
/** A proxy answers 404 while its backend is absent; an API answers 400 for a case it has not seen yet; many refuse one record with 403. */
const RETRIED_AS_PATIENCE = new Set([400, 403, 404, 412, 424, 426, 428])
/** The credentials are the connection's state: no single delivery is to blame. */
const CREDENTIALS_REFUSED = new Set([401, 407])
const HONOURS_RETRY_AFTER = new Set([429, 503])

/** Jitter only ever adds: nobody is asked earlier than the schedule says. */
const JITTER = 0.1

export function decideNext(outcome: Finding, situation: Situation): Verdict {
  switch (outcome.kind) {
    case 'answered':
      return judgeStatus(outcome.status, outcome.retryAfter, describe(outcome.status, outcome.excerpt), situation)
    case 'broken':
      return retry(situation, true, 0, outcome.error)
    case 'unreachable':
    case 'address-not-allowed':
    case 'unsendable':
      return retry(situation, false, 0, outcome.error)
    default:
      return assertNever(outcome)
  }
}

function judgeStatus(status: number, retryAfter: string | null, error: string, situation: Situation): Verdict {
  const { retryOn, rejectOn } = situation.connection
  if (status >= 200 && status < 300) return { kind: 'delivered' }
  if (rejectOn.includes(status)) return { kind: 'dead-letter', reason: 'rejected', error }
  if (CREDENTIALS_REFUSED.has(status)) return retry(situation, false, 0, error)
  if (RETRIED_AS_TROUBLE.has(status) || RETRIED_AS_PATIENCE.has(status) || retryOn.includes(status)) {
    const silence = HONOURS_RETRY_AFTER.has(status) ? readRetryAfter(retryAfter, situation.now) : 0
    return retry(situation, true, silence, error)
  }
  if (status >= 300 && status < 400) return { kind: 'dead-letter', reason: 'redirected', error }
  return { kind: 'dead-letter', reason: 'rejected', error }
}

function retry(situation: Situation, spendsTry: boolean, silence: Millis, error: string): Verdict {
  const { connection, tries, sparesTry, now, firstFailedAt, random } = situation
  // A connection-level failure always waits the first wait: how often it happened says nothing about this delivery.
  const wait = sparesTry ? 0 : connection.schedule[spendsTry ? tries : 0]
  if (wait === undefined) return { kind: 'dead-letter', reason: 'exhausted', error }
  if (now - firstFailedAt >= connection.maxAge) return { kind: 'dead-letter', reason: 'exhausted', error }
  const jittered = Math.round(wait * (1 + JITTER * random))
  return { kind: 'retry', wait: Math.max(jittered, silence), spendsTry: spendsTry && !sparesTry, silence, error }
}

const describe = (status: number, excerpt: string): string => (excerpt === '' ? `${status}` : `${status}: ${excerpt}`)
