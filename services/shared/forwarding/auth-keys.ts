// The keys of `auth`, `tls`, `signing` and `successWhen`, once: what proves who we are, and what counts as accepted.
// Enter: nothing. Leave: names, descriptions, defaults and shapes, as forwarding-keys.ts has them for everything else.
import { SECRET, TEXT, URL_SHAPE, type Keys } from './forwarding-keys.ts'

/** Words of the design that this version knows and does not act on. */
export const AUTH_TYPES_NOT_YET = ['ntlm']

export const OAUTH1_METHODS = ['HMAC-SHA1', 'HMAC-SHA256'] as const
export const CLIENT_AUTHS = ['header', 'body'] as const
export const TLS_VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const
/** More than these are no rotation any more, and each costs a hash of the body. */
export const MOST_SIGNING_SECRETS = 10

const USERNAME = {
  description: 'The user name; it may hold a secret reference.',
  schema: TEXT,
  required: true,
} as const
const PASSWORD = {
  description: 'A secret reference, or "" where the remote API wants an empty password.',
  schema: { anyOf: [SECRET, { const: '' }] },
  required: true,
} as const

const OAUTH2_CLIENT = {
  tokenUrl: {
    description: 'The token endpoint, http or https. The address guard and the connection’s `tls` hold for it too.',
    schema: URL_SHAPE,
    required: true,
  },
  clientId: { description: 'The client id; it may hold a secret reference.', schema: TEXT, required: true },
  clientSecret: { description: 'A secret reference.', schema: SECRET, required: true },
} as const satisfies Keys

const OAUTH2_REQUEST = {
  clientAuth: {
    description:
      'Where the client’s id and secret go in a token request: in a Basic `header` (RFC 6749, 2.3.1) or in the `body`.',
    schema: { enum: CLIENT_AUTHS },
    default: 'header',
  },
  scope: { description: 'The scopes asked for, with spaces between.', schema: TEXT },
  audience: { description: 'The audience asked for, where the token endpoint wants one.', schema: TEXT },
  parameters: {
    description: 'Further parameters of the token request: name → value, which may hold secret references.',
    schema: { type: 'object', additionalProperties: TEXT },
  },
} as const satisfies Keys

/** The keys of `auth` beside `type`, for each type. */
export const AUTH_TYPES = {
  none: {},
  basic: { username: USERNAME, password: PASSWORD },
  digest: { username: USERNAME, password: PASSWORD },
  bearer: { token: { description: 'A secret reference.', schema: SECRET, required: true } },
  'api-key': {
    header: { description: 'The name of the header that carries the key.', schema: TEXT, required: true },
    value: {
      description: 'Its value: a secret reference, with other text around it if the remote API wants that.',
      schema: SECRET,
      required: true,
    },
  },
  'oauth2-client-credentials': { ...OAUTH2_CLIENT, ...OAUTH2_REQUEST },
  'oauth2-password': { ...OAUTH2_CLIENT, username: USERNAME, password: PASSWORD, ...OAUTH2_REQUEST },
  oauth1: {
    consumerKey: { description: 'The consumer key; it may hold a secret reference.', schema: TEXT, required: true },
    consumerSecret: { description: 'A secret reference.', schema: SECRET, required: true },
    token: { description: 'The access token; it may hold a secret reference. Goes with `tokenSecret`.', schema: TEXT },
    tokenSecret: { description: 'A secret reference.', schema: SECRET },
    method: { description: 'How requests are signed.', schema: { enum: OAUTH1_METHODS }, default: 'HMAC-SHA1' },
    realm: { description: 'The realm, where the remote API wants one in the header. It is not signed.', schema: TEXT },
  },
} as const satisfies Record<string, Keys>

export const TLS_KEYS = {
  cert: {
    description:
      'Our certificate with its chain (PEM), for remote APIs that ask for one: `${file:/…}`. Goes with `key`.',
    schema: SECRET,
  },
  key: { description: 'Its key (PEM), encrypted or not: a secret reference.', schema: SECRET },
  keyPassphrase: { description: 'What opens an encrypted key: a secret reference.', schema: SECRET },
  ca: {
    description:
      'The authorities (PEM) that may vouch for the remote API, instead of the machine’s own: `${file:/…}`. A token endpoint at another host may use either.',
    schema: SECRET,
  },
  verify: {
    description:
      '`false` takes any certificate of the host of `url`: whoever stands between sees everything. It is said in the log and as a metric.',
    schema: { type: 'boolean' },
    default: true,
  },
  minVersion: {
    description: 'The oldest version of TLS that is spoken.',
    schema: { enum: TLS_VERSIONS },
    default: 'TLSv1.2',
  },
  serverName: {
    description: 'The name asked for and checked in the certificate, where it is not the host of `url`.',
    schema: { type: 'string', pattern: '^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$' },
  },
} as const satisfies Keys

export const SIGNING_KEYS = {
  type: {
    description: '`standard-webhooks`: Standard Webhooks 1.0.',
    schema: { enum: ['standard-webhooks'] },
    required: true,
  },
  secrets: {
    description: `Secret references, each to \`whsec_\` and 24 to 64 bytes in Base64. With several, each signs: that is how one is replaced. At most ${MOST_SIGNING_SECRETS}.`,
    schema: { type: 'array', items: SECRET, minItems: 1, maxItems: MOST_SIGNING_SECRETS },
    required: true,
  },
} as const satisfies Keys

export const SUCCESS_KEYS = {
  json: {
    description: 'A place in the JSON of the answer, as a JSON Pointer (RFC 6901): `/status`, `/results/0/error`.',
    schema: { type: 'string', pattern: '^(/([^~/]|~[01])*)+$' },
  },
  text: { description: 'Text that the answer holds. Either this or `json`.', schema: TEXT },
  equals: {
    description: 'With `json`: what stands there: text, a number, `true` or `false`.',
    schema: { type: ['string', 'number', 'boolean'] },
  },
  exists: {
    description:
      'Without `equals`: whether the place (with anything but `null`) or the text is there. `false`: success is when it is not.',
    schema: { type: 'boolean' },
    default: true,
  },
  otherwise: {
    description: 'A 2xx that is no success is judged as if this status had come.',
    schema: { type: 'integer', minimum: 400, maximum: 599 },
    required: true,
  },
} as const satisfies Keys
