// What an attempt showed: past facts, no judgement. attempt.ts makes them, decide-next.ts judges them.
import type { Millis } from '../shared/clock.ts'

export type Outcome =
  | {
      /** A final status and its headers arrived; whatever became of the body. */
      readonly kind: 'answered'
      readonly status: number
      readonly retryAfter: string | null
      /** The beginning of the body, made safe for logs and headers; empty for 2xx. */
      readonly excerpt: string
    }
  /** No connection: name not found, refused, unreachable, TLS failed. The remote saw no request. */
  | { readonly kind: 'unreachable'; readonly error: string }
  /** A timeout or a reset: the remote may have processed the request. */
  | { readonly kind: 'broken'; readonly error: string }
  /** The address guard refused to dial. */
  | { readonly kind: 'address-not-allowed'; readonly error: string }
  /** Our own side cannot make the request: a secret is not there, a header holds what HTTP cannot carry. The connection's state. */
  | { readonly kind: 'unsendable'; readonly error: string }
  /** We ended it ourselves (shutdown, revocation): neither an attempt nor a failure. */
  | { readonly kind: 'aborted' }

export type Attempted = {
  readonly outcome: Outcome
  readonly duration: Millis
}
