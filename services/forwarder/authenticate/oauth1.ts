// OAuth 1.0a (RFC 5849), HMAC-SHA1 and HMAC-SHA256. Pure. Enter: the keys, a request, a nonce and an instant.
// Leave: the header's value. Form bodies are not signed with: what Onward sends is XML, JSON or bare text (3.4.1.3.1).
import { createHmac } from 'node:crypto'
import { quoted } from './quoted-string.ts'

export type OAuth1Keys = {
  readonly consumerKey: string
  readonly consumerSecret: string
  readonly token: string | null
  readonly tokenSecret: string | null
  readonly method: 'HMAC-SHA1' | 'HMAC-SHA256'
  readonly realm: string | null
}

export type OAuth1Request = {
  readonly method: string
  /** `http://host:port`, without a default port. */
  readonly origin: string
  /** Path and query as sent. */
  readonly path: string
  readonly nonce: string
  /** Unix seconds. */
  readonly timestamp: number
}

type Pair = readonly [name: string, value: string]

/** @returns the value of Authorization */
export function oauth1(keys: OAuth1Keys, request: OAuth1Request): string {
  const own: readonly Pair[] = [
    ['oauth_consumer_key', keys.consumerKey],
    ['oauth_nonce', request.nonce],
    ['oauth_signature_method', keys.method],
    ['oauth_timestamp', String(request.timestamp)],
    ...(keys.token === null ? [] : [['oauth_token', keys.token] as const]),
    ['oauth_version', '1.0'],
  ]
  const key = `${encoded(keys.consumerSecret)}&${encoded(keys.tokenSecret ?? '')}`
  const hash = keys.method === 'HMAC-SHA1' ? 'sha1' : 'sha256'
  const signature = createHmac(hash, key).update(signatureBase(request, own)).digest('base64')
  const shown = [...own, ['oauth_signature', signature] as const].map(([name, value]) => `${name}="${encoded(value)}"`)
  // RFC 5849, 3.5.1: the realm alone is as Basic has it.
  return `OAuth ${[...(keys.realm === null ? [] : [`realm=${quoted(keys.realm)}`]), ...shown].join(', ')}`
}

/** RFC 5849, 3.4.1: method, base URI and all parameters, each encoded, with `&` between. */
export function signatureBase({ method, origin, path }: OAuth1Request, parameters: readonly Pair[]): string {
  const at = path.indexOf('?')
  const query = at === -1 ? [] : readQuery(path.slice(at + 1))
  const normalized = [...parameters, ...query]
    .map(([name, value]): Pair => [encoded(name), encoded(value)])
    .toSorted(([a, x], [b, y]) => compare(a, b) || compare(x, y))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
  const baseUri = origin.toLowerCase() + (at === -1 ? path : path.slice(0, at))
  return `${method.toUpperCase()}&${encoded(baseUri)}&${encoded(normalized)}`
}

/** As a form's body is read: `+` is a space (3.4.1.3.1). What is no percent-encoding stays as it is written. */
function readQuery(query: string): readonly Pair[] {
  return query
    .split('&')
    .filter((part) => part !== '')
    .map((part): Pair => {
      const at = part.indexOf('=')
      return at === -1 ? [decoded(part), ''] : [decoded(part.slice(0, at)), decoded(part.slice(at + 1))]
    })
}

function decoded(text: string): string {
  const spaced = text.replaceAll('+', ' ')
  try {
    return decodeURIComponent(spaced)
  } catch {
    return spaced
  }
}

/** RFC 5849, 3.6: everything but unreserved characters, in capitals. */
const encoded = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`)

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
