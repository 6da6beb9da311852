// The small hub of an attempt that needs more than one look: signatures, digest, OAuth, and what counts as success.
// It asks the rooms of authenticate/ what to send, and the remotes to send it. Enter: a rendered request. Leave: one outcome,
// whatever went to and fro for it. A connection that needs nothing of this passes through at the cost of three comparisons.
//
// | answered 401 | next round |
// |---|---|
// | digest: a challenge that can be met | with its nonce; three rounds at most |
// | OAuth 2: a token that was accepted before, or is not the newest | with a new token; two rounds at most |
// | all others | none: the 401 is the outcome |
//
// A round is heard where its answer ends, and not awaited: what each delivery leaves to the collector is felt.
import type { Clock } from '../shared/clock.ts'
import type { Auth, Connection, OAuth1, OAuth2, SecretText, SuccessWhen } from '../shared/forwarding/connection.ts'
import type { SecretSource } from '../shared/forwarding/secret.ts'
import type { ConnectionId } from '../shared/ids.ts'
import { USER_AGENT } from '../shared/version.ts'
import type { Hear, Remotes, RemotesWithTokens } from './attempt.ts'
import { DigestSession } from './authenticate/digest-session.ts'
import { oauth1 } from './authenticate/oauth1.ts'
import { readTokenReply, renderTokenRequest } from './authenticate/oauth2.ts'
import { signWebhook } from './authenticate/sign-webhook.ts'
import { emptyReply, type Conceal, type Ongoing, type Reply } from './exchange.ts'
import { judgeSuccess } from './judge-success.ts'
import type { Attempted, Outcome } from './outcome.ts'
import { contentTypeOf, readBody } from './read-words.ts'
import { targetOf, type Request } from './render-request.ts'
import { openResolve, SecretMissing } from './resolve-secrets.ts'
import { safeText } from '../shared/safe-text.ts'
import { TokenDesk, type Fetched, type Taken } from './token-desk.ts'

type Digest = Extract<Auth, { type: 'digest' }>

export type ProvenRemotes = Remotes & {
  /** What must not be seen of a connection beside what its configuration refers to. */
  secretsOf(id: ConnectionId): readonly string[]
  /** A token as a delivery would get it, for somebody who sends none. */
  takeToken(connection: Connection, auth: OAuth2): Promise<Taken>
}

export type ProofOptions = {
  readonly remotes: RemotesWithTokens
  readonly secrets: SecretSource
  readonly conceal: Conceal
  readonly clock: Clock
  /** So many random bytes, in hexadecimal. */
  readonly randomHex: (bytes: number) => string
}

/** What the rounds of one attempt have in common. */
type Sending = {
  readonly connection: Connection
  readonly request: Request
  /** How many of its header entries there are without a proof: each round puts its own behind them. */
  readonly unproven: number
  readonly running: Set<Ongoing>
  readonly reply: Reply
}

type Who = { readonly username: string; readonly password: string }

/** A token, and a new one: a fresh token that is refused as well says that tokens are not what is wrong. */
const MOST_TOKENS = 2
/** A digest challenge, a stale nonce, and once more: a server that goes on asking has said no. */
const MOST_ROUNDS = 3

export function openProvenRemotes({ remotes, secrets, conceal, clock, randomHex }: ProofOptions): ProvenRemotes {
  const idle = new Map<ConnectionId, { readonly auth: Digest; readonly sessions: DigestSession[] }>()
  const tokens = new TokenDesk(fetchToken, clock)

  const resolve = openResolve(secrets)

  // ── one attempt ─────────────────────────────────────────────────────────────────────────────────────────────────────

  function attempt(connection: Connection, request: Request, running: Set<Ongoing>): Promise<Attempted> {
    const { signing, successWhen } = connection
    try {
      if (signing !== null) sign(signing.secrets, request)
      const sending = { connection, request, unproven: request.headers.length, running, reply: emptyReply() }
      const attempted = prove(sending)
      return successWhen === null ? attempted : judged(sending, successWhen, attempted)
    } catch (error) {
      if (!(error instanceof SecretMissing)) throw error
      return Promise.resolve({ outcome: { kind: 'unsendable', error: error.message }, duration: 0 })
    }
  }

  /** @throws SecretMissing before anything is sent */
  function prove(sending: Sending): Promise<Attempted> {
    const { connection, request } = sending
    const { auth } = connection
    switch (auth.type) {
      case 'digest': {
        const who = { username: resolve(auth.username), password: resolve(auth.password) }
        const sessions = sessionsOf(connection.id, auth)
        return byDigest(sending, who, sessions, sessions.pop() ?? new DigestSession(randomHex(8)), 1)
      }
      case 'oauth1':
        return send(sending, signOAuth1(auth, request))
      case 'oauth2-client-credentials':
      case 'oauth2-password': {
        const taken = tokens.take(connection, auth)
        return taken instanceof Promise ? onceTaken(sending, auth, taken, 1) : byToken(sending, auth, taken, 1)
      }
      case 'none':
      case 'basic':
      case 'bearer':
      case 'api-key':
        return send(sending, null)
    }
  }

  /** Puts the proof in the place of the last round's. */
  function send(
    { connection, request, unproven, running, reply }: Sending,
    proof: string | null,
    hear?: Hear,
  ): Promise<Attempted> {
    request.headers.length = unproven
    if (proof !== null) request.headers.push('Authorization', proof)
    return remotes.attempt(connection, request, running, reply, hear)
  }

  // ── digest ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  function byDigest(
    sending: Sending,
    who: Who,
    sessions: DigestSession[],
    session: DigestSession,
    round: number,
  ): Promise<Attempted> {
    const { request, reply } = sending
    const proof = session.next(who.username, who.password, request.method, request.path)
    return send(sending, proof, (outcome) => {
      if (outcome.kind === 'answered' && outcome.status === 401) {
        const heard = session.refused(reply.headers['www-authenticate'])
        if (heard.kind === 'again' && round < MOST_ROUNDS) {
          forget(reply)
          return outcomeOf(byDigest(sending, who, sessions, session, round + 1))
        }
        sessions.push(session)
        const why = heard.kind === 'refused' ? safeText(heard.why) : 'it goes on asking, whatever it is answered'
        return saying(outcome, `digest: ${why}`)
      }
      if (outcome.kind === 'answered') session.accepted(reply.headers['authentication-info'])
      sessions.push(session)
      return outcome
    })
  }

  function sessionsOf(id: ConnectionId, auth: Digest): DigestSession[] {
    let known = idle.get(id)
    if (known?.auth !== auth) idle.set(id, (known = { auth, sessions: [] }))
    return known.sessions
  }

  // ── OAuth ───────────────────────────────────────────────────────────────────────────────────────────────────────────

  function signOAuth1(auth: OAuth1, { method, origin, path }: Request): string {
    const keys = {
      consumerKey: resolve(auth.consumerKey),
      consumerSecret: resolve(auth.consumerSecret),
      token: auth.token === null ? null : resolve(auth.token),
      tokenSecret: auth.tokenSecret === null ? null : resolve(auth.tokenSecret),
      method: auth.method,
      realm: auth.realm,
    }
    return oauth1(keys, { method, origin, path, nonce: randomHex(16), timestamp: Math.floor(clock.now() / 1_000) })
  }

  function byToken(sending: Sending, auth: OAuth2, taken: Taken, round: number): Promise<Attempted> {
    if (taken.kind === 'none') return Promise.resolve({ outcome: taken.outcome, duration: 0 })
    const { connection, reply } = sending
    const { accessToken } = taken
    return send(sending, `Bearer ${accessToken}`, (outcome) => {
      if (outcome.kind !== 'answered') return outcome
      if (outcome.status !== 401) {
        tokens.accepted(connection, accessToken)
        return outcome
      }
      if (!tokens.refused(connection, accessToken) || round === MOST_TOKENS)
        return saying(outcome, `the remote API refuses a token that was just given${quoting(outcome.excerpt)}`)
      forget(reply)
      return outcomeOf(onceTaken(sending, auth, tokens.take(connection, auth), round + 1))
    })
  }

  async function onceTaken(
    sending: Sending,
    auth: OAuth2,
    taking: Taken | Promise<Taken>,
    round: number,
  ): Promise<Attempted> {
    const startedAt = clock.monotonic()
    const taken = await endable(taking, sending.running)
    const { outcome } =
      taken === null ? { outcome: { kind: 'aborted' } as const } : await byToken(sending, auth, taken, round)
    return { outcome, duration: clock.monotonic() - startedAt }
  }

  async function fetchToken(connection: Connection, auth: OAuth2, refreshToken: string | null): Promise<Fetched> {
    const failed = (error: string): Fetched => ({ kind: 'failed', outcome: { kind: 'unsendable', error } })
    try {
      const { origin, path } = targetOf(auth.tokenUrl)
      const { headers, body } = renderTokenRequest(auth, resolve, refreshToken)
      const request: Request = { method: 'POST', origin, path, headers: [...headers, 'User-Agent', USER_AGENT], body }
      const reply = emptyReply()
      const { outcome } = await remotes.askForToken(connection, request, new Set(), reply)
      if (outcome.kind === 'address-not-allowed')
        return { kind: 'failed', outcome: { ...outcome, error: `token endpoint: ${outcome.error}` } }
      if (outcome.kind === 'aborted') return failed('token endpoint: ended by us')
      if (outcome.kind !== 'answered') return failed(`token endpoint: ${outcome.error}`)
      const text = readBody(reply.headers, Buffer.concat(reply.pieces)) ?? ''
      const contentType = contentTypeOf(reply.headers)
      const read = readTokenReply(outcome.status, contentType, text)
      if (read.kind === 'granted') return read
      // Read once more for its words only: what was concealed is no token.
      const told = readTokenReply(outcome.status, contentType, conceal(connection, text))
      return failed(`token endpoint: ${told.kind === 'refused' ? told.error : read.error}`)
    } catch (error) {
      if (!(error instanceof SecretMissing)) throw error
      return failed(error.message)
    }
  }

  // ── signatures, and what counts as success ──────────────────────────────────────────────────────────────────────────

  function sign(secrets: readonly SecretText[], { headers, body }: Request): void {
    const key = headers[headers.indexOf('Idempotency-Key') + 1] ?? ''
    const signed = signWebhook(secrets.map(resolve), key, clock.now(), body)
    if (signed.kind === 'unusable') throw new SecretMissing(signed.error)
    for (const line of signed.lines) headers.push(...line)
  }

  async function judged(
    { connection, reply }: Sending,
    successWhen: SuccessWhen,
    attempted: Promise<Attempted>,
  ): Promise<Attempted> {
    const { outcome, duration } = await attempted
    if (outcome.kind !== 'answered' || outcome.status > 299) return { outcome, duration }
    const text = readBody(reply.headers, Buffer.concat(reply.pieces))
    const lacking = text === null ? 'the answer is compressed and cannot be read' : judgeSuccess(successWhen, text)
    if (lacking === null) return { outcome, duration }
    const words = text === null || text === '' ? '' : `: ${conceal(connection, text)}`
    const excerpt = safeText(`it answered ${outcome.status}, but ${lacking}${words}`)
    return { outcome: { ...outcome, status: successWhen.otherwise, excerpt }, duration }
  }

  return {
    attempt: (connection, request, running) =>
      isPlain(connection) ? remotes.attempt(connection, request, running) : attempt(connection, request, running),
    keepOnly(configured) {
      remotes.keepOnly(configured)
      tokens.keepOnly(configured)
      for (const id of idle.keys()) if (!configured(id)) idle.delete(id)
    },
    secretsOf: (id) => tokens.secretsOf(id),
    takeToken: async (connection, auth) => await tokens.take(connection, auth),
    [Symbol.asyncDispose]: () => remotes[Symbol.asyncDispose](),
  }
}

const SENT_AS_THEY_STAND: readonly Auth['type'][] = ['none', 'basic', 'bearer', 'api-key']

const isPlain = ({ auth, signing, successWhen }: Connection): boolean =>
  signing === null && successWhen === null && SENT_AS_THEY_STAND.includes(auth.type)

/** Nothing is heard yet. */
function forget(reply: Reply): void {
  reply.headers = {}
  reply.pieces.length = 0
}

async function outcomeOf(attempted: Promise<Attempted>): Promise<Outcome> {
  return (await attempted).outcome
}

type Answered = Extract<Outcome, { kind: 'answered' }>
const saying = (outcome: Answered, excerpt: string): Answered => ({ ...outcome, excerpt: safeText(excerpt) })
const quoting = (excerpt: string): string => (excerpt === '' ? '' : ` (${excerpt})`)

/** Waits for what others wait for, too; a revocation ends the waiting, not the work. @returns null when it was ended */
async function endable<Value>(work: Value | Promise<Value>, running: Set<Ongoing>): Promise<Value | null> {
  const ended = Promise.withResolvers<null>()
  const waiting: Ongoing = { abort: () => ended.resolve(null) }
  running.add(waiting)
  try {
    return await Promise.race([work, ended.promise])
  } finally {
    running.delete(waiting)
  }
}
