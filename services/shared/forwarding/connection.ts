// A connection: a remote API as the configuration describes it. Secrets stay references (`${env:NAME}`, `${file:/path}`)
// until the request is made, so that they are never in a topic, a log or an error.
import type { Millis } from '../clock.ts'
import type { ConnectionId, ProjectId } from '../ids.ts'

/** Text that may hold `${env:NAME}` or `${file:/path}`: resolved where it is used, never printed. */
export type SecretText = string

export type Auth =
  | { readonly type: 'none' }
  | { readonly type: 'basic'; readonly username: SecretText; readonly password: SecretText }
  | { readonly type: 'digest'; readonly username: SecretText; readonly password: SecretText }
  | { readonly type: 'bearer'; readonly token: SecretText }
  | { readonly type: 'api-key'; readonly header: string; readonly value: SecretText }
  | OAuth2
  | OAuth1

export type OAuth2 = (
  | { readonly type: 'oauth2-client-credentials' }
  | { readonly type: 'oauth2-password'; readonly username: SecretText; readonly password: SecretText }
) & {
  readonly tokenUrl: string
  readonly clientId: SecretText
  readonly clientSecret: SecretText
  /** Where id and secret go in a token request: RFC 6749, 2.3.1. */
  readonly clientAuth: 'header' | 'body'
  readonly scope: string | null
  readonly audience: string | null
  readonly parameters: Readonly<Record<string, SecretText>>
}

export type OAuth1 = {
  readonly type: 'oauth1'
  readonly consumerKey: SecretText
  readonly consumerSecret: SecretText
  /** Both or neither. */
  readonly token: SecretText | null
  readonly tokenSecret: SecretText | null
  readonly method: 'HMAC-SHA1' | 'HMAC-SHA256'
  readonly realm: string | null
}

export type Tls = {
  /** PEM, behind references. Both or neither. */
  readonly cert: SecretText | null
  readonly key: SecretText | null
  readonly keyPassphrase: SecretText | null
  /** Instead of the machine's own authorities. */
  readonly ca: SecretText | null
  /** False takes whatever certificate the remote shows. */
  readonly verify: boolean
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3'
  readonly serverName: string | null
}

export type Signing = { readonly type: 'standard-webhooks'; readonly secrets: readonly SecretText[] }

/** Exactly one of `json` and `text`; `equals` goes with `json` and makes `exists` mean nothing. */
export type SuccessWhen = {
  /** A JSON Pointer (RFC 6901). */
  readonly json: string | null
  readonly text: string | null
  readonly equals: string | number | boolean | null
  readonly exists: boolean
  /** The status that a 2xx counts as when it is no success. */
  readonly otherwise: number
}

export type Limits = {
  /** Most requests in flight at once, over the whole group. */
  readonly concurrency: number
  /** Requests a second, over the whole group; null for no limit. */
  readonly rate: number | null
  /** Total deadline of one attempt. */
  readonly timeout: Millis
}

export type Connection = {
  readonly id: ConnectionId
  readonly project: ProjectId
  readonly name: string
  readonly url: string
  readonly auth: Auth
  readonly tls: Tls | null
  readonly signing: Signing | null
  /** Added to every request, after Onward's own. */
  readonly headers: Readonly<Record<string, SecretText>>
  /** Told of trouble: e-mail addresses, URLs of webhooks, references to such URLs. */
  readonly notify: readonly string[]
  readonly limits: Limits
  /** Wait after attempt 1, 2, …; when it ends the delivery is dead-lettered as exhausted. */
  readonly schedule: readonly Millis[]
  /** Status codes retried although the table says otherwise. */
  readonly retryOn: readonly number[]
  /** Status codes dead-lettered although the table says otherwise. */
  readonly rejectOn: readonly number[]
  /** null: every 2xx is a success. */
  readonly successWhen: SuccessWhen | null
  /** Ends what connection-level trouble keeps waiting. */
  readonly maxAge: Millis
}
