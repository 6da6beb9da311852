// Random connections and repeaters, as a forwarding file may say them: for properties of what reads and writes them.
import fc from 'fast-check'
import type { Auth, Connection, Signing, SuccessWhen, Tls } from '../../services/shared/forwarding/connection.ts'
import type { Repeater } from '../../services/shared/forwarding/repeater.ts'
import { connectionId, projectId, repeaterId } from '../../services/shared/ids.ts'

const PROJECT = projectId('Demo.1')
const ids = fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,63}$/)
/** Text that YAML would take for something else is the interesting kind. */
const words = fc.oneof(
  fc.constantFrom('true', 'null', '1.10', '2026-01-02', '- a', 'a: b', '#x', '"', "'", '{a}', '${env:A}', 'é\u{1f600}'),
  fc.string({ unit: 'grapheme' }).filter((text) => text.trim() !== '' && !/[\ufdd0-\ufdd4]/.test(text)),
)
const secrets = fc.constantFrom('${env:API_KEY}', '${file:/run/secrets/key}', 'Scheme ${env:A}, ${env:B}')
/** A record as JSON.parse makes it, and not one without a prototype. */
const plain = <Shape>(model: { [Key in keyof Shape]: fc.Arbitrary<Shape[Key]> }): fc.Arbitrary<Shape> =>
  fc.record<Shape>(model, { noNullPrototype: true })
const distinct = <Item>(item: fc.Arbitrary<Item>) => fc.uniqueArray(item, { maxLength: 3 })
const durations = (most: number) => fc.integer({ min: 1, max: most })
const statuses = fc.integer({ min: 300, max: 449 })

const maybe = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: null })
const client = () => ({
  tokenUrl: fc.constant('https://login.example.org/oauth/token'),
  clientId: fc.constant('onward'),
  clientSecret: secrets,
  clientAuth: fc.constantFrom('header' as const, 'body' as const),
  scope: maybe(words),
  audience: maybe(words),
  parameters: fc.dictionary(fc.stringMatching(/^[a-z]{1,8}_x$/), fc.constantFrom('a', '${env:A}'), {
    noNullPrototype: true,
  }),
})

const auths: fc.Arbitrary<Auth> = fc.oneof(
  fc.constant({ type: 'none' } as const),
  plain({
    type: fc.constant('basic' as const),
    username: fc.constant('onward'),
    password: fc.oneof(secrets, fc.constant('')),
  }),
  plain({ type: fc.constant('bearer' as const), token: secrets }),
  plain({
    type: fc.constant('api-key' as const),
    header: fc.constantFrom('X-Api-Key', 'Authorization'),
    value: secrets,
  }),
  plain({ type: fc.constant('digest' as const), username: fc.constant('zoë'), password: secrets }),
  plain({ type: fc.constant('oauth2-client-credentials' as const), ...client() }),
  plain({ type: fc.constant('oauth2-password' as const), username: words, password: secrets, ...client() }),
  fc
    .tuple(fc.boolean(), fc.constantFrom('HMAC-SHA1' as const, 'HMAC-SHA256' as const), maybe(words))
    .map(([withToken, method, realm]) => ({
      type: 'oauth1' as const,
      consumerKey: 'key',
      consumerSecret: '${env:API_CONSUMER_SECRET}',
      token: withToken ? 'token' : null,
      tokenSecret: withToken ? '${env:API_TOKEN_SECRET}' : null,
      method,
      realm,
    })),
)

const tls: fc.Arbitrary<Tls> = fc
  .tuple(fc.constantFrom('none', 'pair', 'opened'), maybe(secrets), fc.boolean(), maybe(fc.constant('api.example.org')))
  .map(([pair, ca, verify, serverName]) => ({
    cert: pair === 'none' ? null : '${file:/run/secrets/c.pem}',
    key: pair === 'none' ? null : '${file:/run/secrets/k.pem}',
    keyPassphrase: pair === 'opened' ? '${env:API_KEY_PASSPHRASE}' : null,
    ca,
    verify,
    minVersion: verify ? 'TLSv1.2' : 'TLSv1.3',
    serverName,
  }))

const signings: fc.Arbitrary<Signing> = plain({
  type: fc.constant('standard-webhooks' as const),
  secrets: fc.uniqueArray(secrets, { minLength: 1, maxLength: 3 }),
})

const success: fc.Arbitrary<SuccessWhen> = fc.oneof(
  fc
    .tuple(fc.oneof(words, fc.integer(), fc.boolean()), fc.integer({ min: 400, max: 599 }))
    .map(([equals, otherwise]) => ({ json: '/a~1b/0', text: null, equals, exists: true, otherwise })),
  fc
    .tuple(fc.boolean(), fc.boolean(), words)
    .map(([json, exists, text]) =>
      json
        ? { json: '/error', text: null, equals: null, exists, otherwise: 422 }
        : { json: null, text, equals: null, exists, otherwise: 500 },
    ),
)

export const connections: fc.Arbitrary<Connection> = plain({
  id: ids.map((id) => connectionId(PROJECT, id)),
  project: fc.constant(PROJECT),
  name: words,
  url: fc.webUrl({ withQueryParameters: true }).map((url) => url.replace(/^http:/, 'https:')),
  auth: auths,
  tls: maybe(tls),
  signing: maybe(signings),
  headers: fc.dictionary(fc.stringMatching(/^X-Source-[a-z0-9]{1,8}$/), fc.constantFrom('a', 'b c', '${env:A}'), {
    noNullPrototype: true,
  }),
  notify: distinct(fc.constantFrom('ops@example.org', 'a.b+c@example.co.uk')),
  limits: plain({
    concurrency: fc.integer({ min: 1, max: 1_000 }),
    rate: fc.oneof(
      fc.constant(null),
      fc
        .tuple(fc.integer({ min: 1, max: 999_999_999 }), fc.constantFrom(1, 60, 3_600))
        .map(([count, unit]) => count / unit),
    ),
    timeout: durations(600_000),
  }),
  schedule: fc.array(durations(86_400_000), { minLength: 1, maxLength: 8 }),
  retryOn: distinct(statuses),
  rejectOn: distinct(statuses.map((status) => status + 150)),
  successWhen: maybe(success),
  maxAge: durations(86_400_000),
})

const anyRepeater: fc.Arbitrary<Repeater> = plain({
  id: ids.map((id) => repeaterId(PROJECT, id)),
  project: fc.constant(PROJECT),
  connection: ids.map((id) => connectionId(PROJECT, id)),
  forward: fc.constantFrom('forms', 'cases', 'form-stubs', 'apps'),
  format: fc.constantFrom('xml', 'json'),
  method: fc.constantFrom('POST', 'PUT', 'DELETE'),
  supersede: fc.constantFrom('waiting', 'never'),
  onDeadLetter: fc.constantFrom('continue', 'hold'),
  filters: plain({
    caseTypes: distinct(words),
    excludeUsers: distinct(words),
    formXmlns: distinct(words),
    on: fc.constantFrom('any', 'create', 'update'),
  }),
  includeAppId: fc.boolean(),
  closedCase: fc.constantFrom('close-only', 'full'),
  version: fc.constantFrom('1.0', '2.0'),
  contentType: fc.constantFrom(null, 'application/json', 'text/xml; charset=utf-8'),
})

/** What does not apply to what a repeater forwards has its default: nobody can have written it. */
export const repeaters: fc.Arbitrary<Repeater> = anyRepeater.map((repeater): Repeater => {
  const { forward, filters } = repeater
  const cases = forward === 'cases'
  const forms = forward === 'forms'
  const format = forward === 'form-stubs' ? 'json' : forward === 'apps' ? 'xml' : repeater.format
  return {
    ...repeater,
    format,
    supersede: cases ? repeater.supersede : 'never',
    includeAppId: forms ? repeater.includeAppId : true,
    closedCase: cases && format === 'xml' ? repeater.closedCase : 'close-only',
    version: cases && format === 'xml' ? repeater.version : '2.0',
    filters: {
      caseTypes: cases ? filters.caseTypes : [],
      excludeUsers: forward === 'apps' ? [] : filters.excludeUsers,
      formXmlns: forms || forward === 'form-stubs' ? filters.formXmlns : [],
      on: cases ? filters.on : 'any',
    },
  }
})
