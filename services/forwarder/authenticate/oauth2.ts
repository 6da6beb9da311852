// OAuth 2.0 (RFC 6749): the token request and its answer. Pure. Enter: who we are; what the token endpoint answered.
// Leave: a request's headers and body; a token, or one sentence that says why there is none. Never: a secret in it.
import type { OAuth2 } from '../../shared/forwarding/connection.ts'
import { safeText } from '../../shared/safe-text.ts'
import type { ResolveSecret } from '../resolve-secrets.ts'

export type Token = {
  readonly accessToken: string
  readonly refreshToken: string | null
  /** Seconds; null when the endpoint does not say, or says what is no time: then it is good until a 401. */
  readonly expiresIn: number | null
}

export type ReadToken =
  { readonly kind: 'granted'; readonly token: Token } | { readonly kind: 'refused'; readonly error: string }

/** @param refreshToken used instead of the grant when there is one (RFC 6749, 6) */
export function renderTokenRequest(auth: OAuth2, resolve: ResolveSecret, refreshToken: string | null) {
  const id = resolve(auth.clientId)
  const secret = resolve(auth.clientSecret)
  const form = new URLSearchParams(
    refreshToken === null ? grantOf(auth, resolve) : { grant_type: 'refresh_token', refresh_token: refreshToken },
  )
  if (auth.scope !== null) form.set('scope', auth.scope)
  if (auth.audience !== null && refreshToken === null) form.set('audience', auth.audience)
  for (const [name, value] of Object.entries(auth.parameters)) form.set(name, resolve(value))
  if (auth.clientAuth === 'body') {
    form.set('client_id', id)
    form.set('client_secret', secret)
  }
  const headers = ['Content-Type', 'application/x-www-form-urlencoded', 'Accept', 'application/json']
  if (auth.clientAuth === 'header') headers.push('Authorization', basicClient(id, secret))
  return { headers, body: Buffer.from(form.toString(), 'utf8') }
}

const grantOf = (auth: OAuth2, resolve: ResolveSecret): Record<string, string> =>
  auth.type === 'oauth2-password'
    ? { grant_type: 'password', username: resolve(auth.username), password: resolve(auth.password) }
    : { grant_type: 'client_credentials' }

/** RFC 6749, 2.3.1: both are encoded as in a form before they are joined. */
const basicClient = (id: string, secret: string): string =>
  `Basic ${Buffer.from(`${formEncoded(id)}:${formEncoded(secret)}`, 'utf8').toString('base64')}`

const formEncoded = (text: string): string => new URLSearchParams([['', text]]).toString().slice(1)

/** What a header can carry: a token is sent as it came. */
const TOKEN = /^[\x21-\x7e]+$/

export function readTokenReply(status: number, contentType: string, body: string): ReadToken {
  const refused = (error: string): ReadToken => ({ kind: 'refused', error })
  const reply = parse(body)
  if (status < 200 || status > 299) return refused(describeRefusal(status, contentType, reply, body))
  if (reply === undefined) {
    const what = /html/i.test(contentType) || /^\s*</.test(body) ? 'a page' : 'no JSON'
    return refused(`it answered ${status} with ${what} instead of a token: is tokenUrl the token endpoint itself?`)
  }
  const { access_token: accessToken, token_type: type, refresh_token: refreshToken, expires_in: expiresIn } = reply
  if (typeof accessToken !== 'string' || !TOKEN.test(accessToken)) {
    return refused(
      'error' in reply
        ? describeRefusal(status, contentType, reply, body)
        : `it answered ${status} without an access_token`,
    )
  }
  if (typeof type === 'string' && type.toLowerCase() !== 'bearer')
    return refused(`it gives tokens of type ${safeText(type)}, and Onward sends only bearer tokens`)
  const usable = typeof refreshToken === 'string' && refreshToken !== '' ? refreshToken : null
  return { kind: 'granted', token: { accessToken, refreshToken: usable, expiresIn: readSeconds(expiresIn) } }
}

/** RFC 6749, 5.2: the codes, with what each asks of whoever wrote the configuration. */
const ADVICE: Readonly<Record<string, string>> = {
  invalid_client: 'check clientId, clientSecret and clientAuth',
  invalid_grant: 'check username and password, or whether the grant was revoked',
  unauthorized_client: 'this client may not use this grant: ask whoever runs the token endpoint',
  unsupported_grant_type: 'the token endpoint does not know this grant: check tokenUrl and the type of auth',
  invalid_scope: 'check scope',
  invalid_request: 'check scope, audience and parameters',
}

function describeRefusal(status: number, contentType: string, reply: Json | undefined, body: string): string {
  const code = reply?.['error']
  if (typeof code !== 'string') {
    const said = /html/i.test(contentType) ? 'a page' : safeText(body.slice(0, 512))
    const advice = status === 401 ? ': check clientId, clientSecret and clientAuth' : ''
    return said === '' ? `it answered ${status}${advice}` : `it answered ${status}${advice} (${said})`
  }
  const description = reply?.['error_description']
  const said = typeof description === 'string' ? ` (${safeText(description)})` : ''
  const advice = Object.hasOwn(ADVICE, code) ? `: ${ADVICE[code] ?? ''}` : ''
  return `it answered ${status} ${safeText(code)}${advice}${said}`
}

type Json = Readonly<Record<string, unknown>>

function parse(body: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined
  } catch {
    return undefined
  }
}

/** Some send it as text; 0 and less, or what is no number, say nothing. */
function readSeconds(value: unknown): number | null {
  const seconds = typeof value === 'string' && /^\d{1,12}$/.test(value) ? Number(value) : value
  return typeof seconds === 'number' && Number.isFinite(seconds) && seconds > 0 ? seconds : null
}
