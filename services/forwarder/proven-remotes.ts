// The small hub of an attempt that needs more than one look: signatures, digest, OAuth, and what counts as success.
// It asks the rooms of authenticate/ what to send, and the remotes to send it. Enter: a rendered request. Leave: one outcome,
// whatever went to and fro for it. A connection that needs nothing of this passes through at the cost of three comparisons.
import type { Clock } from '../shared/clock.ts'
import type { Auth, Connection, OAuth1, OAuth2 } from '../shared/forwarding/connection.ts'
import type { SecretSource } from '../shared/forwarding/secret.ts'
import type { ConnectionId } from '../shared/ids.ts'
import { USER_AGENT } from '../shared/version.ts'
import type { Remotes, RemotesWithTokens } from './attempt.ts'
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

/** A digest challenge, a stale nonce, and once more: a server that goes on asking has said no. */
const MOST_ROUNDS = 3

export function openProvenRemotes({ remotes, secrets, conceal, clock, randomHex }: ProofOptions): ProvenRemotes {
  const idle = new Map<ConnectionId, { readonly auth: Digest; readonly sessions: DigestSession[] }>()
  const tokens = new TokenDesk(fetchToken, clock)

  const resolve = openResolve(secrets)

  // ── one attempt ─────────────────────────────────────────────────────────────────────────────────────────────────────

  async function attempt(connection: Connection, request: Request, running: Set<Ongoing>): Promise<Attempted> {
    const startedAt = clock.monotonic()
    const reply = emptyReply()
    try {
      const outcome = await prove(connection, sign(connection, request), running, reply)
      return { outcome: judge(connection, outcome, reply), duration: clock.monotonic() - startedAt }
    } catch (error) {
      if (!(error instanceof SecretMissing)) throw error
      return { outcome: { kind: 'unsendable', error: error.message }, duration: clock.monotonic() - startedAt }
    }
  }

  function prove(connection: Connection, request: Request, running: Set<Ongoing>, reply: Reply): Promise<Outcome> {
    const { auth } = connection
    switch (auth.type) {
      case 'digest':
        return byDigest(connection, auth, request, running, reply)
      case 'oauth1':
        return once(connection, withLine(request, 'Authorization', signOAuth1(auth, request)), running, reply)
      case 'oauth2-client-credentials':
      case 'oauth2-password':
        return byToken(connection, auth, request, running, reply)
      case 'none':
      case 'basic':
      case 'bearer':
      case 'api-key':
        return once(connection, request, running, reply)
    }
  }

  async function once(connection: Connection, request: Request, running: Set<Ongoing>, reply: Reply): Promise<Outcome> {
    return (await send(connection, request, running, reply)).outcome
  }

  /** The answer's own promise: another for each request would be felt. */
  function send(connection: Connection, request: Request, running: Set<Ongoing>, reply: Reply): Promise<Attempted> {
    reply.headers = {}
    reply.pieces.length = 0
    return remotes.attempt(connection, request, running, reply)
  }

  // ── digest ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  async function byDigest(
    connection: Connection,
    auth: Digest,
    request: Request,
    running: Set<Ongoing>,
    reply: Reply,
  ): Promise<Outcome> {
    const username = resolve(auth.username)
    const password = resolve(auth.password)
    const sessions = sessionsOf(connection.id, auth)
    const session = sessions.pop() ?? new DigestSession(randomHex(8))
    try {
      for (let round = 1; ; round++) {
        const line = session.next(username, password, request.method, request.path)
        const { outcome } = await send(connection, withLine(request, 'Authorization', line), running, reply)
        if (outcome.kind !== 'answered') return outcome
        if (outcome.status !== 401) {
          session.accepted(reply.headers['authentication-info'])
          return outcome
        }
        const heard = session.refused(reply.headers['www-authenticate'])
        if (heard.kind === 'refused') return saying(outcome, `digest: ${safeText(heard.why)}`)
        if (round === MOST_ROUNDS) return saying(outcome, 'digest: it goes on asking, whatever it is answered')
      }
    } finally {
      sessions.push(session)
    }
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

  async function byToken(
    connection: Connection,
    auth: OAuth2,
    request: Request,
    running: Set<Ongoing>,
    reply: Reply,
  ): Promise<Outcome> {
    for (let round = 1; ; round++) {
      const taken = tokens.take(connection, auth)
      const known = taken instanceof Promise ? await endable(taken, running) : taken
      if (known === null) return { kind: 'aborted' }
      if (known.kind === 'none') return known.outcome
      const { accessToken } = known
      const bearing = withLine(request, 'Authorization', `Bearer ${accessToken}`)
      const { outcome } = await send(connection, bearing, running, reply)
      if (outcome.kind !== 'answered') return outcome
      if (outcome.status !== 401) {
        tokens.accepted(connection, accessToken)
        return outcome
      }
      // Once: a fresh token that is refused as well says that tokens are not what is wrong.
      if (!tokens.refused(connection, accessToken) || round === 2)
        return saying(outcome, `the remote API refuses a token that was just given${quoting(outcome.excerpt)}`)
    }
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

  function sign({ signing }: Connection, request: Request): Request {
    if (signing === null) return request
    const at = request.headers.indexOf('Idempotency-Key')
    const key = request.headers[at + 1] ?? ''
    const signed = signWebhook(signing.secrets.map(resolve), key, clock.now(), request.body)
    if (signed.kind === 'unusable') throw new SecretMissing(signed.error)
    return { ...request, headers: [...request.headers, ...signed.lines.flat()] }
  }

  function judge(connection: Connection, outcome: Outcome, reply: Reply): Outcome {
    const { successWhen } = connection
    if (successWhen === null || outcome.kind !== 'answered' || outcome.status > 299) return outcome
    const text = readBody(reply.headers, Buffer.concat(reply.pieces))
    const lacking = text === null ? 'the answer is compressed and cannot be read' : judgeSuccess(successWhen, text)
    if (lacking === null) return outcome
    const words = text === null || text === '' ? '' : `: ${conceal(connection, text)}`
    return {
      ...outcome,
      status: successWhen.otherwise,
      excerpt: safeText(`it answered ${outcome.status}, but ${lacking}${words}`),
    }
  }

  return {
    attempt(connection, request, running, reply) {
      return isPlain(connection)
        ? remotes.attempt(connection, request, running, reply)
        : attempt(connection, request, running)
    },
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

const withLine = (request: Request, name: string, value: string | null): Request =>
  value === null ? request : { ...request, headers: [...request.headers, name, value] }

type Answered = Extract<Outcome, { kind: 'answered' }>
const saying = (outcome: Answered, excerpt: string): Answered => ({ ...outcome, excerpt: safeText(excerpt) })
const quoting = (excerpt: string): string => (excerpt === '' ? '' : ` (${excerpt})`)

/** Waits for what others wait for, too; a revocation ends the waiting, not the work. @returns null when it was ended */
async function endable<Value>(work: Promise<Value>, running: Set<Ongoing>): Promise<Value | null> {
  const ended = Promise.withResolvers<null>()
  const waiting: Ongoing = { abort: () => ended.resolve(null) }
  running.add(waiting)
  try {
    return await Promise.race([work, ended.promise])
  } finally {
    running.delete(waiting)
  }
}
