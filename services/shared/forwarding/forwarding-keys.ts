// Every key of a forwarding file, once: the readers of this folder, the JSON Schemas in schemas/ and docs/configuration.md all
// come from these tables. Enter: nothing. Leave: names, descriptions, defaults, and the shape that editors check.
// Never: a key that is described here and read nowhere (a test changes each one and sees the result change).
import type { KnownKeys } from './fields.ts'

/** A JSON Schema (draft 2020-12) fragment. */
export type JsonSchema = Readonly<Record<string, unknown>>

export type Key = {
  readonly description: string
  readonly schema: JsonSchema
  readonly required?: true
  /** What is taken when the key is absent, as somebody would write it; absent where that needs no words. */
  readonly default?: string | number | boolean
  /** What a repeater must forward for the key to do anything; absent: whatever it forwards. */
  readonly for?: readonly Forward[]
}
export type Keys = Readonly<Record<string, Key>>

export const known = (owner: string, keys: Keys): KnownKeys => ({ owner, names: Object.keys(keys) })

export const FORWARDS = ['forms', 'cases', 'form-stubs', 'apps'] as const
export type Forward = (typeof FORWARDS)[number]
export const FORMATS = ['xml', 'json'] as const
export const METHODS = ['POST', 'PUT', 'DELETE'] as const
export const SUPERSEDES = ['waiting', 'never'] as const
export const ON_DEAD_LETTERS = ['continue', 'hold'] as const
export const CLOSED_CASES = ['close-only', 'full'] as const
export const VERSIONS = ['2.0', '1.0'] as const
export const TOUCHES = ['any', 'create', 'update'] as const
export const SCHEDULE_NAMES = ['standard', 'commcare'] as const

/** Ids stand in headers, metrics, record keys and on the command line, so they hold nothing that needs quoting anywhere. */
export const ID = '[a-z0-9][a-z0-9._-]{0,63}'
/** As upstream writes it in its changes; no "/", which separates it from the ids of connections and repeaters. */
export const PROJECT = '[A-Za-z0-9][A-Za-z0-9._-]{0,99}'

export const TEXT = { type: 'string', minLength: 1 }
const id = { type: 'string', pattern: `^${ID}$` }
const duration = { type: 'string', pattern: '^\\d+(\\.\\d+)?(ms|s|m|h|d)$' }
const REFERENCE = '\\$\\{(env|file):[^}]+\\}'
const WEB_ADDRESS = '[Hh][Tt][Tt][Pp][Ss]?://[^/?#@\\s]+([/?][^#\\s]*)?'
export const SECRET = { type: 'string', pattern: REFERENCE }
export const URL_SHAPE = { type: 'string', pattern: `^${WEB_ADDRESS}$` }
const texts = { type: 'array', items: TEXT, uniqueItems: true }
const statuses = { type: 'array', items: { type: 'integer', minimum: 300, maximum: 599 }, uniqueItems: true }

export const FILE_KEYS = {
  project: {
    description:
      'The project (tenant) that the connections and repeaters belong to: as upstream writes it in its changes.',
    schema: { type: 'string', pattern: `^${PROJECT}$` },
    required: true,
  },
  connections: { description: 'The remote APIs.', schema: { type: 'array', items: { $ref: '#/$defs/connection' } } },
  repeaters: {
    description: 'The rules: which changes go to which connection, as which payload.',
    schema: { type: 'array', items: { $ref: '#/$defs/repeater' } },
  },
} as const satisfies Keys

/** A webhook, or a reference that holds its URL. */
export const WEBHOOK = `^(${WEB_ADDRESS}|${REFERENCE})$`

export const CONNECTION_KEYS = {
  id: {
    description:
      'Names the connection, once in its project. It stands in headers, metrics and record keys: small letters, digits, ".", "_" and "-".',
    schema: id,
    required: true,
  },
  name: { description: 'What people call it. The id when absent.', schema: TEXT },
  url: {
    description:
      'Where requests go, http or https. Path and query are sent exactly as written. It is shown in logs and mails: no credentials in it.',
    schema: URL_SHAPE,
    required: true,
  },
  auth: {
    description: 'How requests prove who sends them.',
    schema: { $ref: '#/$defs/auth' },
    default: '{ type: none }',
  },
  tls: {
    description: 'How the encrypted connection is made, where `https` alone is not enough.',
    schema: { $ref: '#/$defs/tls' },
  },
  signing: {
    description: 'Signs each request, so that the receiver can tell ours from others.',
    schema: { $ref: '#/$defs/signing' },
  },
  headers: {
    description:
      "Added to every request: name → value, which may hold secret references. Not those that Onward sets itself, nor HTTP's own.",
    schema: { type: 'object', additionalProperties: TEXT },
  },
  notify: {
    description:
      'Who is told when the connection fails, and when it is well again: e-mail addresses, and URLs of webhooks (`https://…`, or `${env:NAME}` where the URL is a secret).',
    schema: {
      type: 'array',
      items: {
        anyOf: [
          { type: 'string', format: 'email' },
          { type: 'string', pattern: WEBHOOK },
        ],
      },
      uniqueItems: true,
    },
  },
  limits: { description: 'What the remote API can bear.', schema: { $ref: '#/$defs/limits' } },
  schedule: {
    description:
      '`standard` (30s, 2m, 10m, 1h, 3h, 9h, 27h, 81h), `commcare` (1h, 3h, 9h, 27h, 81h), or a list: the wait after the first failed attempt, after the second, …; after the last comes the dead letter.',
    schema: { anyOf: [{ enum: SCHEDULE_NAMES }, { type: 'array', items: duration, minItems: 1, maxItems: 50 }] },
    default: 'standard',
  },
  retryOn: { description: 'Statuses that are retried although they would be rejected.', schema: statuses },
  rejectOn: {
    description: 'Statuses that are rejected (dead letter) although they would be retried.',
    schema: statuses,
  },
  successWhen: {
    description:
      'What a 2xx answer must hold to count as success, for remote APIs that answer 200 with an error in the body.',
    schema: { $ref: '#/$defs/successWhen' },
  },
  maxAge: {
    description: 'Ends what trouble of the connection keeps waiting: as a dead letter, `exhausted`.',
    schema: duration,
    default: '30d',
  },
} as const satisfies Keys

export const LIMITS_KEYS = {
  concurrency: {
    description: 'Most requests at once, from 1 to 1000.',
    schema: { type: 'integer', minimum: 1, maximum: 1_000 },
    default: 8,
  },
  rate: {
    description: 'Most requests in a time: `50/s`, `3000/m`, `100/h`, or `none`.',
    schema: { type: 'string', pattern: '^(none|\\d{1,9}/[smh])$' },
    default: 'none',
  },
  timeout: { description: 'For one request with its answer, at most 10m.', schema: duration, default: '30s' },
} as const satisfies Keys

export const REPEATER_KEYS = {
  id: {
    description: 'Names the repeater, once in its project. Written as the id of a connection is.',
    schema: id,
    required: true,
  },
  connection: { description: 'The id of a connection of this file.', schema: id, required: true },
  forward: { description: 'What is forwarded.', schema: { enum: FORWARDS }, required: true },
  format: { description: 'Of the payload.', for: ['forms', 'cases'], schema: { enum: FORMATS }, default: 'xml' },
  method: {
    description: 'The HTTP method; the body is the same with each.',
    schema: { enum: METHODS },
    default: 'POST',
  },
  supersede: {
    description:
      '`waiting` (cases only, and their default): the newest state of a case replaces older ones that still wait. `never`: every change is sent.',
    schema: { enum: SUPERSEDES },
  },
  onDeadLetter: {
    description:
      'What a case does after one of its deliveries became a dead letter. `continue`: it goes on with the next change. `hold`: its later changes wait until somebody runs `onward dead-letters requeue` or `cancel`.',
    schema: { enum: ON_DEAD_LETTERS },
    default: 'continue',
  },
  filters: { description: 'Which changes. Without filters: all of the kind.', schema: { $ref: '#/$defs/filters' } },
  includeAppId: {
    description: 'Adds the app id, when the form has one, to the query as `app_id`.',
    for: ['forms'],
    schema: { type: 'boolean' },
    default: true,
  },
  closedCase: {
    description:
      'With format xml: a closed case is sent as `close-only` (just a close block) or `full` (everything, then the close block).',
    for: ['cases'],
    schema: { enum: CLOSED_CASES },
    default: 'close-only',
  },
  version: {
    description: 'With format xml: the version of the case block.',
    for: ['cases'],
    schema: { enum: [...VERSIONS, 1, 2] },
    default: '2.0',
  },
  contentType: {
    description: "Replaces the payload's own Content-Type.",
    schema: { type: 'string', pattern: '^[^/;,\\s]+/[^/;,\\s]+(\\s*;.+)?$' },
  },
} as const satisfies Keys

export const FILTER_KEYS = {
  caseTypes: { description: 'Only cases of these types. Empty: all.', for: ['cases'], schema: texts },
  excludeUsers: {
    description: 'Not what these users (ids) did: the last modifier of a case, the submitter of a form.',
    for: ['cases', 'forms', 'form-stubs'],
    schema: texts,
  },
  formXmlns: {
    description: 'Only forms of these namespaces. Empty: all.',
    for: ['forms', 'form-stubs'],
    schema: texts,
  },
  on: {
    description: '`create` when exactly one form has touched the case, `update` when more have, or `any`.',
    for: ['cases'],
    schema: { enum: TOUCHES },
    default: 'any',
  },
} as const satisfies Keys
