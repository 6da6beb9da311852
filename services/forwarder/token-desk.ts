// OAuth 2 tokens, one a connection. Pure but for what is handed in: the clock, and the room that fetches. However many wait,
// one request is made. Enter: a connection that needs a token. Leave: the token, or why there is none.
//
// | age of the token | what a delivery gets |
// |---|---|
// | below 80 % of its life | the token |
// | from 80 % to its end | the token; a new one is fetched beside |
// | past its end, dropped, or none | waits for the one fetch that is under way |
// | the last fetch failed a moment ago | why it failed, without another request |
import type { Clock, Millis } from '../shared/clock.ts'
import type { Connection, OAuth2 } from '../shared/forwarding/connection.ts'
import type { ConnectionId } from '../shared/ids.ts'
import type { ReadToken } from './authenticate/oauth2.ts'
import type { Outcome } from './outcome.ts'

/** Why there is no token: the connection's state, as an attempt would show it. */
export type NoToken = Extract<Outcome, { kind: 'unsendable' | 'address-not-allowed' }>

export type Fetched = Extract<ReadToken, { kind: 'granted' }> | { readonly kind: 'failed'; readonly outcome: NoToken }

/** @param refreshToken used in place of the grant, when there is one */
export type FetchToken = (connection: Connection, auth: OAuth2, refreshToken: string | null) => Promise<Fetched>

export type Taken =
  { readonly kind: 'token'; readonly accessToken: string } | { readonly kind: 'none'; readonly outcome: NoToken }

/** RFC 6749 gives a life; what is renewed before its end never fails at it. */
const RENEWED_AT = 0.8
/** A token endpoint that fails is asked again after this, then twice as long, …: it hears of one fault, not of each delivery. */
const FIRST_PAUSE: Millis = 1_000
const LONGEST_PAUSE: Millis = 60_000
/** A token that was refused before it was ever accepted is not fetched again sooner: another would fare the same. */
const UNPROVEN_FOR: Millis = 30_000

type Entry = {
  readonly auth: OAuth2
  accessToken: string | null
  refreshToken: string | null
  fetchedAt: Millis
  renewAt: Millis
  endsAt: Millis
  /** The remote accepted it at least once. */
  proven: boolean
  fetching: Promise<Taken> | null
  failures: number
  failure: NoToken | null
  /** No fetch before. */
  pausedUntil: Millis
}

export class TokenDesk {
  readonly #entries = new Map<ConnectionId, Entry>()
  readonly #fetch: FetchToken
  readonly #clock: Clock

  constructor(fetch: FetchToken, clock: Clock) {
    this.#fetch = fetch
    this.#clock = clock
  }

  /** A value where there is one, so that nobody waits a turn for what is known. */
  take(connection: Connection, auth: OAuth2): Taken | Promise<Taken> {
    const entry = this.#entryOf(connection, auth)
    const now = this.#clock.monotonic()
    if (entry.accessToken !== null && now < entry.endsAt) {
      if (now >= entry.renewAt && now >= entry.pausedUntil) entry.fetching ??= this.#fetchInto(connection, entry)
      return { kind: 'token', accessToken: entry.accessToken }
    }
    if (entry.failure && now < entry.pausedUntil) return { kind: 'none', outcome: entry.failure }
    return (entry.fetching ??= this.#fetchInto(connection, entry))
  }

  /** The remote answered something else than 401. */
  accepted(connection: Connection, accessToken: string): void {
    const entry = this.#entries.get(connection.id)
    if (entry?.accessToken === accessToken) entry.proven = true
  }

  /** The remote answered 401. @returns false when another token would fare no better */
  refused(connection: Connection, accessToken: string): boolean {
    const entry = this.#entries.get(connection.id)
    if (!entry) return false
    // Somebody else heard it before: there is another token already, or it is on its way.
    if (entry.accessToken !== accessToken) return true
    if (!entry.proven && this.#clock.monotonic() - entry.fetchedAt < UNPROVEN_FOR) return false
    entry.accessToken = null
    return true
  }

  /** What must not be seen of a connection. */
  secretsOf(id: ConnectionId): readonly string[] {
    const entry = this.#entries.get(id)
    return [entry?.accessToken, entry?.refreshToken].filter((token) => typeof token === 'string')
  }

  keepOnly(configured: (id: ConnectionId) => boolean): void {
    for (const id of this.#entries.keys()) if (!configured(id)) this.#entries.delete(id)
  }

  #entryOf({ id }: Connection, auth: OAuth2): Entry {
    const known = this.#entries.get(id)
    if (known?.auth === auth) return known
    const entry: Entry = {
      auth,
      accessToken: null,
      refreshToken: null,
      fetchedAt: 0,
      renewAt: 0,
      endsAt: 0,
      proven: false,
      fetching: null,
      failures: 0,
      failure: null,
      pausedUntil: 0,
    }
    this.#entries.set(id, entry)
    return entry
  }

  async #fetchInto(connection: Connection, entry: Entry): Promise<Taken> {
    try {
      let fetched = await this.#fetch(connection, entry.auth, entry.refreshToken)
      if (fetched.kind === 'failed' && entry.refreshToken !== null) {
        // It has ended, or the endpoint forgot it: the grant itself is asked for.
        entry.refreshToken = null
        fetched = await this.#fetch(connection, entry.auth, null)
      }
      return fetched.kind === 'granted' ? this.#keep(entry, fetched.token) : this.#pause(entry, fetched.outcome)
    } finally {
      entry.fetching = null
    }
  }

  #keep(entry: Entry, { accessToken, refreshToken, expiresIn }: Extract<Fetched, { kind: 'granted' }>['token']): Taken {
    const now = this.#clock.monotonic()
    const life = expiresIn === null ? Infinity : expiresIn * 1_000
    Object.assign(entry, {
      accessToken,
      refreshToken: refreshToken ?? entry.refreshToken,
      fetchedAt: now,
      renewAt: now + life * RENEWED_AT,
      endsAt: now + life,
      proven: false,
      failures: 0,
      failure: null,
      pausedUntil: 0,
    } satisfies Partial<Entry>)
    return { kind: 'token', accessToken }
  }

  #pause(entry: Entry, outcome: NoToken): Taken {
    entry.failure = outcome
    entry.pausedUntil = this.#clock.monotonic() + Math.min(FIRST_PAUSE * 2 ** entry.failures++, LONGEST_PAUSE)
    return { kind: 'none', outcome }
  }
}
