// `auth:` of a connection. Enter: a located value. Leave: the scheme with its secrets still references.
import { assertNever } from '../assert-never.ts'
import { nearest } from '../nearest.ts'
import { AUTH_TYPES, AUTH_TYPES_NOT_YET, CLIENT_AUTHS, OAUTH1_METHODS } from './auth-keys.ts'
import type { Auth, OAuth1, OAuth2, SecretText } from './connection.ts'
import { Fields } from './fields.ts'
import { known } from './forwarding-keys.ts'
import { adviseAgainst, headerName } from './header-rules.ts'
import type { Located, Report } from './located.ts'
import { looksSecret, mayHoldSecrets, password, secret } from './read-secret.ts'
import { remoteUrl } from './read-url.ts'
import { choice, text, wrongKind, type Reader } from './read-values.ts'

type AuthType = keyof typeof AUTH_TYPES
const TYPES = Object.keys(AUTH_TYPES) as AuthType[]
const authType = choice(TYPES, AUTH_TYPES_NOT_YET)
const NO_AUTH: Auth = { type: 'none' }

export const auth: Reader<Auth> = (node, _name, report) => {
  const type = typeOf(node, report)
  if (type === undefined) return undefined
  const owner = type === 'none' ? 'auth of type none' : `${type} auth`
  const fields = Fields.of(node, known(owner, { type: { description: '', schema: {} }, ...AUTH_TYPES[type] }), report)
  if (!fields) return undefined
  switch (type) {
    case 'none':
      return NO_AUTH
    case 'basic':
    case 'digest':
      return { type, username: usernameOf(fields, type), password: passwordOf(fields) }
    case 'bearer':
      return { type, token: fields.required('token', secret, '${env:API_TOKEN}') ?? '' }
    case 'api-key':
      return {
        type,
        header: fields.required('header', apiKeyHeader, 'X-Api-Key') ?? '',
        value: fields.required('value', secret, '${env:API_KEY}') ?? '',
      }
    case 'oauth2-client-credentials':
      return { type, ...clientOf(fields) }
    case 'oauth2-password': {
      const username = fields.required('username', mayHoldSecrets, 'onward') ?? ''
      return { type, username, password: passwordOf(fields), ...clientOf(fields) }
    }
    case 'oauth1':
      return oauth1Of(fields)
    default:
      return assertNever(type)
  }
}

const passwordOf = (fields: Fields): SecretText => fields.required('password', password, '${env:API_PASSWORD}') ?? ''

/** What is hashed or encoded with the password has a colon between the two. */
function usernameOf(fields: Fields, type: 'basic' | 'digest'): SecretText {
  const username = fields.required('username', mayHoldSecrets, 'onward') ?? ''
  if (username.includes(':') && !username.includes('${')) {
    fields.refuse(
      'username',
      type === 'basic' ? 'a Basic user name holds no colon (RFC 7617)' : 'a Digest user name holds no colon (RFC 7616)',
      'write the user name alone; the password has a key of its own',
    )
  }
  return username
}

type Client = Omit<Extract<OAuth2, { type: 'oauth2-client-credentials' }>, 'type'>

const clientOf = (fields: Fields): Client => ({
  tokenUrl: fields.required('tokenUrl', remoteUrl, 'https://login.example.org/oauth/token') ?? '',
  clientId: fields.required('clientId', mayHoldSecrets, 'onward') ?? '',
  clientSecret: fields.required('clientSecret', secret, '${env:API_CLIENT_SECRET}') ?? '',
  clientAuth: fields.optional('clientAuth', choice(CLIENT_AUTHS), 'header'),
  scope: fields.optional<string | null>('scope', text, null),
  audience: fields.optional<string | null>('audience', text, null),
  parameters: fields.optional('parameters', tokenParameters, {}),
})

/** They have keys of their own, or are the grant itself. */
const GRANT_PARAMETERS: Readonly<Record<string, string>> = {
  grant_type: 'remove it: the type of auth says which grant it is',
  client_id: 'write clientId: in its place',
  client_secret: 'write clientSecret: in its place',
  username: 'write username: in its place',
  password: 'write password: in its place',
  scope: 'write scope: in its place',
  audience: 'write audience: in its place',
  refresh_token: 'remove it: refresh tokens are used as the token endpoint gives them',
}

const tokenParameters: Reader<Readonly<Record<string, SecretText>>> = (node, name, report) => {
  if (node.kind !== 'map') {
    wrongKind(node, name, 'a map', `${name}: { resource: "https://api.example.org" }`, report)
    return undefined
  }
  const read: [string, SecretText][] = []
  for (const { key, place, value } of node.entries) {
    const owned = Object.hasOwn(GRANT_PARAMETERS, key) ? GRANT_PARAMETERS[key] : undefined
    if (owned !== undefined) {
      report(place, `the parameter ${key} is set by Onward`, owned)
      continue
    }
    const written = (looksSecret(key) ? secret : mayHoldSecrets)(value, key, report)
    if (written !== undefined) read.push([key, written])
  }
  return Object.fromEntries(read)
}

function oauth1Of(fields: Fields): OAuth1 {
  const token = fields.optional<SecretText | null>('token', mayHoldSecrets, null)
  const tokenSecret = fields.optional<SecretText | null>('tokenSecret', secret, null)
  if (fields.entry('token') && !fields.entry('tokenSecret'))
    fields.refuse('token', 'token and tokenSecret go together', 'add tokenSecret: ${env:API_TOKEN_SECRET}')
  if (fields.entry('tokenSecret') && !fields.entry('token'))
    fields.refuse('tokenSecret', 'token and tokenSecret go together', 'add token: ${env:API_TOKEN}')
  return {
    type: 'oauth1',
    consumerKey: fields.required('consumerKey', mayHoldSecrets, 'onward') ?? '',
    consumerSecret: fields.required('consumerSecret', secret, '${env:API_CONSUMER_SECRET}') ?? '',
    token,
    tokenSecret,
    method: fields.optional('method', choice(OAUTH1_METHODS), 'HMAC-SHA1'),
    realm: fields.optional<string | null>('realm', text, null),
  }
}

/** The type comes first: it says which other keys there are. */
function typeOf(node: Located, report: Report): AuthType | undefined {
  if (node.kind !== 'map') {
    const word = node.kind === 'scalar' && typeof node.value === 'string' ? nearest(node.value, TYPES) : undefined
    wrongKind(
      node,
      'auth',
      'a map',
      word === undefined ? 'auth: { type: basic, … }' : `auth: { type: ${word} }`,
      report,
    )
    return undefined
  }
  const entry = node.entries.find(({ key }) => key === 'type')
  if (entry) return authType(entry.value, 'type', report)
  report(node.place, 'auth needs type', `add type: ${TYPES.join(' | ')}`)
  return undefined
}

const apiKeyHeader: Reader<string> = (node, name, report) => {
  const written = headerName(node, name, report)
  if (written === undefined || written.toLowerCase() === 'authorization') return written
  return adviseAgainst(written, node.place, report) ? undefined : written
}
