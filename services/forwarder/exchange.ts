// One request and its answer on the wire, as the HTTP client's callbacks tell it, in this order:
// start → response start → data… → response end, or an error at any point. Leaves one outcome, exactly once.
// MUST: once a final 2xx status and its headers have arrived the delivery is delivered, whatever becomes of the body.
import type { Dispatcher } from 'undici'
import type { Clock, Millis } from '../shared/clock.ts'
import type { Connection } from '../shared/forwarding/connection.ts'
import { readFailure } from './read-failure.ts'
import type { Outcome } from './outcome.ts'
import { safeText } from '../shared/safe-text.ts'
import { readWords, type ResponseHeaders } from './read-words.ts'

/** At most this of an answer is read; a longer one ends with its socket. Who feels it: a remote that answers with pages. */
const BODY_LIMIT_BYTES = 64 * 1024
/** The longest silence in the midst of an answer: its status is known, and whoever waits behind its slot has waited enough. */
const LONGEST_SILENCE: Millis = 10_000
/** What is kept of an error's body for logs, headers and mail. */
const EXCERPT_BYTES = 4 * 1024

/** What is on its way and can be ended from our side. */
export type Ongoing = { abort(): void }

/** What somebody wants to see of an answer beside its outcome: handed in empty, filled while the answer arrives. */
export type Reply = {
  headers: ResponseHeaders
  /** The body, never more than is read of one. */
  readonly pieces: Buffer[]
}
export const emptyReply = (): Reply => ({ headers: {}, pieces: [] })

/** A remote may say back what it was sent. */
export type Conceal = (connection: Connection, text: string) => string

type Controller = Dispatcher.DispatchController

export class Exchange implements Dispatcher.DispatchHandler, Ongoing {
  readonly #settle: (outcome: Outcome) => void
  readonly #clock: Clock
  readonly #endsAt: Millis
  /** When a piece of the answer last came; null before the first. */
  #heardAt: Millis | null = null
  #cancelLook: () => void
  #controller: Controller | undefined
  /** Why we end it ourselves, when we do. */
  #ended: Outcome | undefined
  #settled = false
  #status = 0
  #headers: ResponseHeaders = {}
  #bodyBytes = 0
  #excerpt: Buffer[] = []
  readonly #connection: Connection
  readonly #reply: Reply | undefined
  readonly #conceal: Conceal | undefined

  constructor(
    clock: Clock,
    connection: Connection,
    settle: (outcome: Outcome) => void,
    reply?: Reply,
    conceal?: Conceal,
  ) {
    const { timeout } = connection.limits
    this.#connection = connection
    this.#settle = settle
    this.#reply = reply
    this.#conceal = conceal
    this.#clock = clock
    this.#endsAt = clock.monotonic() + timeout
    this.#cancelLook = clock.after(Math.min(timeout, LONGEST_SILENCE), () => this.#look())
  }

  /** Ends the exchange from our side: a shutdown or a revocation. What was answered already still counts. */
  abort(): void {
    this.#end({ kind: 'aborted' })
  }

  /** The client would not take the request. @param error says what of it, never a value */
  refuse(error: string): void {
    this.#finish({ kind: 'unsendable', error: `the request cannot be sent: ${error}` })
  }

  onRequestStart(controller: Controller): void {
    this.#controller = controller
    if (this.#ended) controller.abort(new Error('ended before it started'))
  }

  onResponseStart(_controller: Controller, status: number, headers: ResponseHeaders): void {
    if (status < 200) return
    this.#heardAt = this.#clock.monotonic()
    this.#status = status
    this.#headers = headers
    if (this.#reply) this.#reply.headers = headers
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    this.#heardAt = this.#clock.monotonic()
    if (this.#bodyBytes < EXCERPT_BYTES && this.#status >= 300) this.#excerpt.push(chunk.subarray(0, EXCERPT_BYTES))
    this.#reply?.pieces.push(chunk.subarray(0, BODY_LIMIT_BYTES - this.#bodyBytes))
    this.#bodyBytes += chunk.length
    if (this.#bodyBytes > BODY_LIMIT_BYTES) controller.abort(new Error('the answer is longer than what is read of one'))
  }

  onResponseEnd(): void {
    this.#finish(this.#answered())
  }

  onResponseError(_controller: Controller | undefined, error: Error): void {
    this.#finish(this.#status > 0 ? this.#answered() : (this.#ended ?? readFailure(error)))
  }

  /** One timer for the total deadline and for silence: two for each request would be felt. Before the answer begins only the total holds. */
  #look(): void {
    const now = this.#clock.monotonic()
    const silentAt = (this.#heardAt ?? now) + LONGEST_SILENCE
    if (now >= this.#endsAt) {
      const { timeout } = this.#connection.limits
      this.#end({ kind: 'broken', error: `no complete answer within ${timeout} ms` })
    } else if (now >= silentAt) {
      this.#end({ kind: 'broken', error: `silent for ${LONGEST_SILENCE} ms in the midst of its answer` })
    } else this.#cancelLook = this.#clock.after(Math.min(this.#endsAt, silentAt) - now, () => this.#look())
  }

  #answered(): Outcome {
    const excerpt = this.#excerpt.length === 0 ? '' : this.#readExcerpt()
    const retryAfter = this.#headers['retry-after']
    const first = (Array.isArray(retryAfter) ? retryAfter[0] : retryAfter) ?? null
    return { kind: 'answered', status: this.#status, retryAfter: first, excerpt }
  }

  #readExcerpt(): string {
    const words = readWords(this.#headers, Buffer.concat(this.#excerpt).subarray(0, EXCERPT_BYTES))
    // Concealed before it is cut, for half a secret is one, too.
    return safeText(this.#conceal?.(this.#connection, words) ?? words)
  }

  #end(outcome: Outcome): void {
    if (this.#settled || this.#ended) return
    this.#ended = outcome
    // Without a controller the request still waits for its socket: the outcome stands, and the start is aborted later.
    if (this.#controller) this.#controller.abort(new Error('ended by us'))
    else this.#finish(outcome)
  }

  #finish(outcome: Outcome): void {
    if (this.#settled) return
    this.#settled = true
    this.#cancelLook()
    this.#settle(outcome)
  }
}
