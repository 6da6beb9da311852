// HTTP Digest (RFC 7616; RFC 2069's form where a server offers no `qop`). Pure. Enter: a challenge, who we are, a request.
// Leave: the header's value. The counts are the caller's: one for each request with a nonce, never the same twice.
// A header carries bytes: what stands here for UTF-8 text is one character a byte, as the HTTP client writes it.
import { hash as hashOnce } from 'node:crypto'
import { quoted } from './quoted-string.ts'
import type { Challenge } from './read-challenges.ts'

/** RFC 7616, 3.7: a server lists what it can do, and we take the best that we can. Best first. */
const ALGORITHMS: Readonly<Record<string, string>> = {
  'sha-512-256': 'sha512-256',
  'sha-256': 'sha256',
  md5: 'md5',
}
const BEST_FIRST = Object.keys(ALGORITHMS)

export type DigestChallenge = {
  readonly realm: string
  readonly nonce: string
  readonly opaque: string | null
  /** As the server wrote it; it goes back so. */
  readonly algorithm: string | null
  readonly hash: string
  readonly session: boolean
  /** Null: RFC 2069, without counts. */
  readonly qop: 'auth' | null
  readonly utf8: boolean
  readonly userhash: boolean
  /** The server says that only the nonce was too old. */
  readonly stale: boolean
}

export type Picked =
  | { readonly kind: 'picked'; readonly challenge: DigestChallenge }
  /** What to say instead of trying. */
  | { readonly kind: 'unusable'; readonly why: string }

/** The best challenge of an answer that we can meet, or why there is none. */
export function pickDigest(challenges: readonly Challenge[]): Picked {
  const digests = challenges.filter(({ scheme }) => scheme === 'digest')
  if (digests.length === 0) {
    const offered = [...new Set(challenges.map(({ scheme }) => scheme))].join(', ')
    const why = offered === '' ? 'it came without a challenge' : `it asks for ${offered}, not for digest`
    return { kind: 'unusable', why }
  }
  const usable = digests.flatMap((each) => readDigest(each.parameters) ?? [])
  const [best] = usable.toSorted((a, b) => rank(a) - rank(b))
  if (best) return { kind: 'picked', challenge: best }
  const algorithms = digests.map(({ parameters }) => parameters['algorithm'] ?? 'MD5').join(', ')
  const qops = digests.map(({ parameters }) => parameters['qop'] ?? 'none').join(', ')
  return { kind: 'unusable', why: `its challenge (algorithm ${algorithms}; qop ${qops}) is none that Onward can meet` }
}

const rank = ({ hash }: DigestChallenge): number => BEST_FIRST.findIndex((name) => ALGORITHMS[name] === hash)

function readDigest(parameters: Challenge['parameters']): DigestChallenge | undefined {
  const { realm, nonce, opaque = null, algorithm = null, qop: offered, charset, userhash, stale } = parameters
  if (realm === undefined || nonce === undefined) return undefined
  const [, name = '', session] = /^(.*?)(-sess)?$/i.exec(algorithm ?? 'MD5') ?? []
  const hash = Object.hasOwn(ALGORITHMS, name.toLowerCase()) ? ALGORITHMS[name.toLowerCase()] : undefined
  const qop = offered === undefined ? null : 'auth'
  const qops = (offered ?? 'auth').toLowerCase().split(/[\s,]+/)
  if (hash === undefined || !qops.includes('auth')) return undefined
  return {
    realm,
    nonce,
    opaque,
    algorithm,
    hash,
    session: session !== undefined,
    qop,
    utf8: charset?.toLowerCase() === 'utf-8',
    userhash: userhash?.toLowerCase() === 'true',
    stale: stale?.toLowerCase() === 'true',
  }
}

export type DigestRequest = {
  readonly method: string
  /** Path and query as sent. */
  readonly path: string
  /** Hexadecimal or Base64; with `-sess` the same for all requests of a nonce. */
  readonly cnonce: string
}

/** What the proofs of requests to one path with one nonce have in common: made for each of them it would be most of the work. */
export type Prepared = {
  readonly challenge: DigestChallenge
  readonly head: string
  /** What is hashed before and behind the count. */
  readonly before: string
  readonly behind: string
}

/** What `-sess` and every request begin with: user, realm and password. Slow to make, and the same for all of them. */
export const hashUser = (challenge: DigestChallenge, username: string, password: string): string =>
  digestOf(challenge, `${username}:${challenge.realm}:${password}`)

/** @param userHash as `hashUser` makes it, of the same challenge */
export function prepareDigest(
  challenge: DigestChallenge,
  username: string,
  userHash: string,
  { method, path, cnonce }: DigestRequest,
): Prepared {
  const { realm, nonce, opaque, algorithm, qop, session, userhash } = challenge
  const first = session ? digestOf(challenge, `${userHash}:${nonce}:${cnonce}`) : userHash
  const second = digestOf(challenge, `${method}:${path}`)
  const head = [
    `Digest ${usernameOf(challenge, username)}`,
    `realm=${quoted(realm)}`,
    `nonce=${quoted(nonce)}`,
    `uri=${quoted(path)}`,
    ...(algorithm === null ? [] : [`algorithm=${algorithm}`]),
    ...(opaque === null ? [] : [`opaque=${quoted(opaque)}`]),
    ...(qop === null ? [] : [`qop=${qop}`]),
    ...(qop === null && !session ? [] : [`cnonce=${quoted(cnonce)}`]),
    ...(userhash ? ['userhash=true'] : []),
  ].join(', ')
  const behind = qop === null ? second : `:${cnonce}:${qop}:${second}`
  return { challenge, head, before: `${first}:${nonce}:`, behind }
}

/**
 * What proves that we know the password, in hexadecimal. It says nothing of a body, so it can be made before there is a request.
 * @param count of this nonce; from 1
 */
export const respond = ({ challenge, before, behind }: Prepared, count: number): string =>
  digestOf(challenge, challenge.qop === null ? before + behind : before + countText(count) + behind)

/**
 * @param response as `respond` makes it, of the same count
 * @returns the value of Authorization
 */
export const renderProof = ({ challenge, head }: Prepared, count: number, response: string): string =>
  challenge.qop === null ? `${head}, response="${response}"` : `${head}, nc=${countText(count)}, response="${response}"`

const countText = (count: number): string => count.toString(16).padStart(8, '0')

/** RFC 7616, 3.4 and 3.4.4. A server that does not say UTF-8 may not know `username*`: it gets the bytes in quotes. */
function usernameOf(challenge: DigestChallenge, username: string): string {
  if (challenge.userhash) return `username="${digestOf(challenge, `${username}:${challenge.realm}`)}"`
  if (challenge.utf8 && !/^[\x20-\x7e]*$/.test(username)) return `username*=UTF-8''${percentEncoded(username)}`
  return `username=${quoted(username)}`
}

/** RFC 5987's attr-char is narrower than what encodeURIComponent leaves as it is. */
const percentEncoded = (text: string): string =>
  encodeURIComponent(text).replace(/['()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`)

/** One call and no object: half of what a request's proof took were these. */
const digestOf = ({ hash }: DigestChallenge, text: string): string => hashOnce(hash, text, 'hex')
