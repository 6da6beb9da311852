// Digest, OAuth, signatures and successWhen over real sockets: what a remote API sees, and what a delivery hears.
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { Webhook } from 'standardwebhooks'
import { PartitionTask } from '../../services/forwarder/partition-task.ts'
import { drain } from '../../services/forwarder/wind-down.ts'
import { systemClock } from '../../services/shared/clock.ts'
import type { Ongoing } from '../../services/forwarder/exchange.ts'
import type { Attempted } from '../../services/forwarder/outcome.ts'
import type { Auth, Connection, OAuth2, SuccessWhen } from '../../services/shared/forwarding/connection.ts'
import { aConnection } from '../support/changes.ts'
import { manualClock } from '../support/clock.ts'
import { digestServer } from '../support/digest-server.ts'
import { openProven } from '../support/proven.ts'
import { headerOf, targetServer, type Reply } from '../support/target-server.ts'
import { until } from '../support/until.ts'

const statusOf = ({ outcome }: Attempted) => (outcome.kind === 'answered' ? outcome.status : outcome.kind)
const wordsOf = ({ outcome }: Attempted) =>
  outcome.kind === 'answered' ? outcome.excerpt : 'error' in outcome ? outcome.error : ''

// ── digest ────────────────────────────────────────────────────────────────────────────────────────────────────────────

const DIGEST: Auth = { type: 'digest', username: 'zoë', password: '${env:PASSWORD}' }
const PASSWORD = 'correct-horse'

for (const algorithm of ['MD5', 'SHA-256', 'MD5-sess', 'SHA-256-sess'] as const) {
  test(`digest ${algorithm}: 200 deliveries at once cost at most one challenge a slot, and each count is used once`, async (t) => {
    const digest = await digestServer(t, { username: 'zoë', password: PASSWORD, algorithm })
    const { post } = openProven(t, { secrets: { PASSWORD } })
    const concurrency = 8
    const connection = aConnection({
      url: `${digest.server.url}in?a=1`,
      auth: DIGEST,
      limits: { concurrency, rate: null, timeout: 30_000 },
    })
    // The hub starts no more at once than there are slots.
    const left = Array.from({ length: 200 }, () => connection)
    const statuses: (number | string)[] = []
    const lane = async () => {
      for (let next = left.pop(); next; next = left.pop()) statuses.push(statusOf(await post(next)))
    }
    await Promise.all(Array.from({ length: concurrency }, lane))
    assert.deepEqual(new Set(statuses), new Set([200]))
    assert.equal(digest.accepted.length, 200)
    assert(digest.challenges <= concurrency, `${digest.challenges} challenges`)
    assert.equal(digest.server.requests.length, 200 + digest.challenges)
    assert.deepEqual(digest.faults, [])
  })
}

test('digest: a nonce that is stale, forgotten or followed by a next one costs no delivery', async (t) => {
  const connectionTo = (url: string) => aConnection({ url, auth: DIGEST })
  const stale = await digestServer(t, { username: 'zoë', password: PASSWORD, nonceLasts: 3 })
  const next = await digestServer(t, { username: 'zoë', password: PASSWORD, nextNonces: true })
  const { post } = openProven(t, { secrets: { PASSWORD } })
  const toStale = connectionTo(stale.server.url)
  for (let i = 0; i < 10; i++) assert.equal(statusOf(await post(toStale)), 200)
  assert.equal(stale.challenges, 4)
  stale.forget()
  assert.equal(statusOf(await post(toStale)), 200)
  const toNext = { ...connectionTo(next.server.url), id: aConnection().id }
  for (let i = 0; i < 5; i++) assert.equal(statusOf(await post(toNext)), 200)
  assert.equal(next.challenges, 1)
  assert.deepEqual([...stale.faults, ...next.faults], [])
})

test('digest: a wrong password is said so, waits as a 401, and is found right once it is put right', async (t) => {
  const digest = await digestServer(t, { username: 'zoë', password: PASSWORD })
  const { post, secrets } = openProven(t, { secrets: { PASSWORD: 'wrong-horse' } })
  const connection = aConnection({ url: digest.server.url, auth: DIGEST })
  const refused = await post(connection)
  assert.equal(statusOf(refused), 401)
  assert.equal(wordsOf(refused), 'digest: the user name or the password is not accepted')
  assert.equal(digest.server.requests.length, 2)
  secrets.set('PASSWORD', PASSWORD)
  assert.equal(statusOf(await post(connection)), 200)
})

for (const [what, reply, words] of [
  ['without a challenge', 401, 'digest: it came without a challenge'],
  [
    'that asks for something else',
    { status: 401, headers: { 'WWW-Authenticate': 'Basic realm="x"' } },
    'digest: it asks for basic, not for digest',
  ],
  [
    'with an unknown algorithm',
    { status: 401, headers: { 'WWW-Authenticate': 'Digest realm="x", nonce="n", qop="auth", algorithm=SHA3' } },
    'digest: its challenge (algorithm SHA3; qop auth) is none that Onward can meet',
  ],
  [
    'that is always stale',
    { status: 401, headers: { 'WWW-Authenticate': 'Digest realm="x", nonce="n", qop="auth", stale=true' } },
    'digest: it goes on asking, whatever it is answered',
  ],
] as const satisfies readonly (readonly [string, Reply, string])[]) {
  test(`digest: a 401 ${what} ends in one sentence`, async (t) => {
    const server = await targetServer(t, { reply: () => reply })
    const { post } = openProven(t, { secrets: { PASSWORD } })
    const attempted = await post(aConnection({ url: server.url, auth: DIGEST }))
    assert.equal(statusOf(attempted), 401)
    assert.equal(wordsOf(attempted), words)
    assert(server.requests.length <= 3)
  })
}

// ── OAuth 2 ───────────────────────────────────────────────────────────────────────────────────────────────────────────

const OAUTH: OAuth2 = {
  type: 'oauth2-client-credentials',
  tokenUrl: '',
  clientId: 'onward',
  clientSecret: '${env:CLIENT_SECRET}',
  clientAuth: 'header',
  scope: null,
  audience: null,
  parameters: {},
}
const CLIENT_SECRET = 'client-secret-1'

/** A token endpoint and the API behind it. Tokens are t1, t2, …; only the newest is good, unless it was revoked. */
async function guarded(t: TestContext, more: { readonly expiresIn?: number; readonly refresh?: boolean } = {}) {
  const state = { tokens: 0, revoked: false, refuses: null as Reply | null, held: null as Promise<void> | null }
  const tokenServer = await targetServer(t, {
    reply: () => {
      if (state.refuses !== null) return state.refuses
      state.revoked = false
      const body = JSON.stringify({
        access_token: `token-${++state.tokens}`,
        token_type: 'Bearer',
        ...(more.expiresIn === undefined ? {} : { expires_in: more.expiresIn }),
        ...(more.refresh ? { refresh_token: `refresh-${state.tokens}` } : {}),
      })
      const reply: Reply = { status: 200, headers: { 'Content-Type': 'application/json' }, body }
      return state.held === null ? reply : { held: state.held.then(() => reply) }
    },
  })
  const api = await targetServer(t, {
    reply: (request) =>
      headerOf(request, 'Authorization') === `Bearer token-${state.tokens}` && !state.revoked ? 200 : 401,
  })
  const connection = aConnection({
    url: api.url,
    auth: { ...OAUTH, tokenUrl: `${tokenServer.url}token` },
    limits: { concurrency: 50, rate: null, timeout: 30_000 },
  })
  return { state, tokenServer, api, connection }
}

test('OAuth 2: however many deliveries wait, one token is asked for; revoked in mid-traffic, one more', async (t) => {
  const { state, tokenServer, connection } = await guarded(t)
  const { post } = openProven(t, { secrets: { CLIENT_SECRET } })
  const all = () => Promise.all(Array.from({ length: 200 }, () => post(connection)))
  assert.deepEqual(new Set((await all()).map(statusOf)), new Set([200]))
  assert.equal(tokenServer.requests.length, 1)
  state.revoked = true
  assert.deepEqual(new Set((await all()).map(statusOf)), new Set([200]))
  assert.equal(tokenServer.requests.length, 2)
})

test('OAuth 2: a token is renewed at 80 % of its life, beside the deliveries, by its refresh token', async (t) => {
  const clock = manualClock(t)
  const { state, tokenServer, connection } = await guarded(t, { expiresIn: 100, refresh: true })
  const { post } = openProven(t, { secrets: { CLIENT_SECRET }, clock })
  await post(connection)
  await clock.advance(79_999)
  await post(connection)
  assert.equal(tokenServer.requests.length, 1)
  await clock.advance(2)
  // The old one is still good: nobody waits for the new one. (The server takes only the newest, so it may say 401 once.)
  await post(connection)
  await until('the token is renewed', () => state.tokens === 2)
  assert.equal(statusOf(await post(connection)), 200)
  assert.equal(tokenServer.requests.length, 2)
  const [, renewal] = tokenServer.requests
  assert.equal(String(renewal?.body), 'grant_type=refresh_token&refresh_token=refresh-1')
})

test('OAuth 2: a refresh token that is refused is followed by the grant itself', async (t) => {
  const clock = manualClock(t)
  const { state, tokenServer, connection } = await guarded(t, { expiresIn: 100, refresh: true })
  const { post } = openProven(t, { secrets: { CLIENT_SECRET }, clock })
  await post(connection)
  await clock.advance(100_000)
  state.refuses = { status: 400, headers: { 'Content-Type': 'application/json' }, body: '{"error":"invalid_grant"}' }
  const waiting = post(connection)
  await tokenServer.received(2)
  const refused = await waiting
  assert.match(wordsOf(refused), /^token endpoint: it answered 400 invalid_grant/)
  assert.deepEqual(
    tokenServer.requests.map(({ body }) => new URLSearchParams(String(body)).get('grant_type')),
    ['client_credentials', 'refresh_token', 'client_credentials'],
  )
})

test('OAuth 2: a token endpoint that fails hears of it once a while, not once a delivery, and costs no try', async (t) => {
  const clock = manualClock(t)
  const { state, tokenServer, connection } = await guarded(t)
  const { post } = openProven(t, { secrets: { CLIENT_SECRET }, clock })
  state.refuses = {
    status: 401,
    headers: { 'Content-Type': 'application/json' },
    body: `{"error":"invalid_client","error_description":"the secret ${CLIENT_SECRET} is wrong"}`,
  }
  for (let i = 0; i < 20; i++) {
    const attempted = await post(connection)
    assert.equal(attempted.outcome.kind, 'unsendable')
    assert.equal(
      wordsOf(attempted),
      'token endpoint: it answered 401 invalid_client: check clientId, clientSecret and clientAuth (the secret *** is wrong)',
    )
  }
  assert.equal(tokenServer.requests.length, 1)
  await clock.advance(1_000)
  state.refuses = null
  assert.equal(statusOf(await post(connection)), 200)
  assert.equal(tokenServer.requests.length, 2)
})

test('OAuth 2: an API that refuses every token is not answered with a token a delivery', async (t) => {
  const { tokenServer, connection } = await guarded(t)
  const api = await targetServer(t, { reply: () => ({ status: 401, body: 'no' }) })
  const { post } = openProven(t, { secrets: { CLIENT_SECRET } })
  for (let i = 0; i < 10; i++) {
    const attempted = await post({ ...connection, url: api.url })
    assert.equal(statusOf(attempted), 401)
    assert.equal(wordsOf(attempted), 'the remote API refuses a token that was just given (no)')
  }
  assert.equal(tokenServer.requests.length, 1)
})

test('OAuth 2: a delivery that waits for a token can be ended, and the next one has it', async (t) => {
  const { state, tokenServer, api, connection } = await guarded(t)
  const { post } = openProven(t, { secrets: { CLIENT_SECRET } })
  let release: () => void = () => undefined
  state.held = new Promise((resolve) => (release = resolve))
  const running = new Set<Ongoing>()
  const waiting = post(connection, { running })
  await tokenServer.received(1)
  assert.equal(running.size, 1)
  for (const each of running) each.abort()
  assert.deepEqual((await waiting).outcome, { kind: 'aborted' })
  assert.equal(running.size, 0)
  release()
  assert.equal(statusOf(await post(connection)), 200)
  assert.equal(tokenServer.requests.length, 1)
  assert.equal(api.requests.length, 1)
})

for (const [what, auth, words] of [
  [
    'at an address that is not allowed',
    { tokenUrl: 'http://169.254.169.254/token' },
    /^token endpoint: 169\.254\.169\.254 is at/,
  ],
  ['that nobody listens at', { tokenUrl: 'http://127.0.0.1:1/token' }, /^token endpoint: .*ECONNREFUSED/],
  ['without its secret', { clientSecret: '${env:GONE}' }, /^\$\{env:GONE\}: it is not set$/],
] as const) {
  test(`OAuth 2: a token endpoint ${what} is the connection's trouble`, async (t) => {
    const { api, connection } = await guarded(t)
    const { post } = openProven(t, { secrets: { CLIENT_SECRET } })
    const attempted = await post({ ...connection, auth: { ...OAUTH, tokenUrl: `${api.url}t`, ...auth } })
    assert.match(wordsOf(attempted), words)
    assert(['unsendable', 'address-not-allowed'].includes(attempted.outcome.kind))
    assert.equal(api.requests.length, 0)
  })
}

test('OAuth 2: a configuration that changes gets its own token', async (t) => {
  const { tokenServer, connection } = await guarded(t)
  const { post } = openProven(t, { secrets: { CLIENT_SECRET } })
  await post(connection)
  const changed: Connection = { ...connection, auth: { ...(connection.auth as OAuth2), scope: 'more' } }
  assert.equal(statusOf(await post(changed)), 200)
  assert.equal(tokenServer.requests.length, 2)
})

// ── signatures ────────────────────────────────────────────────────────────────────────────────────────────────────────

test('a signed request is verified by the reference library, beside whatever authentication there is', async (t) => {
  const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
  const old = `whsec_${Buffer.alloc(32, 8).toString('base64')}`
  const digest = await digestServer(t, { username: 'zoë', password: PASSWORD })
  const { post, secrets } = openProven(t, { secrets: { PASSWORD, NEW: secret, OLD: old } })
  const signing = { type: 'standard-webhooks', secrets: ['${env:NEW}', '${env:OLD}'] } as const
  const connection = aConnection({ url: digest.server.url, auth: DIGEST, signing })
  assert.equal(statusOf(await post(connection, { body: '<größe/>' })), 200)
  for (const request of digest.server.requests) {
    const names = ['webhook-id', 'webhook-timestamp', 'webhook-signature']
    const headers = Object.fromEntries(names.map((name) => [name, headerOf(request, name) ?? '']))
    for (const each of [secret, old]) new Webhook(each).verify(request.body, headers, { jsonParse: false })
    assert.throws(() => new Webhook(secret).verify(Buffer.from('other'), headers, { jsonParse: false }))
  }
  secrets.set('OLD', 'whsec_short')
  const attempted = await post(connection)
  assert.deepEqual(attempted.outcome, {
    kind: 'unsendable',
    error: 'signing: secret 2 is not whsec_ and 24 to 64 bytes in Base64',
  })
})

// ── success ───────────────────────────────────────────────────────────────────────────────────────────────────────────

const success = (condition: Partial<SuccessWhen>): SuccessWhen => ({
  json: null,
  text: null,
  equals: null,
  exists: true,
  otherwise: 422,
  ...condition,
})

test('a 200 with an error in its body counts as the status that was chosen, and its words are told', async (t) => {
  const bodies = ['{"status":"ok"}', '{"status":"error","message":"no such case"}', 'not json', '']
  const server = await targetServer(t, { replies: bodies.map((body) => ({ status: 200, body })) })
  const { post } = openProven(t)
  const connection = aConnection({ url: server.url, successWhen: success({ json: '/status', equals: 'ok' }) })
  assert.equal(statusOf(await post(connection)), 200)
  const failed = await post(connection)
  assert.equal(statusOf(failed), 422)
  assert.equal(
    wordsOf(failed),
    'it answered 200, but /status of the answer is not "ok": {"status":"error","message":"no such case"}',
  )
  assert.equal(wordsOf(await post(connection)), 'it answered 200, but the answer is no whole JSON document: not json')
  assert.equal(statusOf(await post(connection)), 422)
})

test('a condition has no say where the status is no 2xx, and a body is read no further than the bound', async (t) => {
  const server = await targetServer(t, { replies: [503, { endless: 200 }] })
  const { post } = openProven(t)
  const connection = aConnection({ url: server.url, successWhen: success({ text: 'OK' }) })
  assert.equal(statusOf(await post(connection)), 503)
  const endless = await post(connection)
  assert.equal(statusOf(endless), 422)
  assert.match(wordsOf(endless), /^it answered 200, but the answer lacks "OK": x+…$/)
})

// ── secrets ───────────────────────────────────────────────────────────────────────────────────────────────────────────

test('an API that says back what it was sent does not bring secrets into the log', async (t) => {
  const server = await targetServer(t, {
    reply: (request) => ({ status: 400, body: `you sent ${headerOf(request, 'Authorization') ?? ''} ${request.path}` }),
  })
  const { post } = openProven(t, { secrets: { PASSWORD, TOKEN: 'a-token-of-mine' } })
  const basic = await post(
    aConnection({ url: server.url, auth: { type: 'basic', username: 'u', password: '${env:PASSWORD}' } }),
  )
  assert.equal(wordsOf(basic), 'you sent Basic *** /')
  const bearer = await post(aConnection({ url: server.url, auth: { type: 'bearer', token: '${env:TOKEN}' } }))
  assert.equal(wordsOf(bearer), 'you sent Bearer *** /')
})

// ── attempts that are ended ───────────────────────────────────────────────────────────────────────────────────────────

for (const [scheme, auth] of [
  ['digest', () => DIGEST],
  ['OAuth 2', (tokenUrl: string) => ({ ...OAUTH, tokenUrl })],
] as const satisfies readonly (readonly [string, (tokenUrl: string) => Auth])[]) {
  test(`${scheme}: what is given up while a 401 hangs in its body does not go again`, async (t) => {
    const granted = '{"access_token":"t1","token_type":"bearer","expires_in":3600}'
    const challenge = 'WWW-Authenticate: Digest realm="x", nonce="n", qop="auth"'
    const hanging = { raw: `HTTP/1.1 401 X\r\n${challenge}\r\nContent-Length: 9\r\n\r\nabc`, then: 'hold' } as const
    let asked = 0
    const server = await targetServer(t, {
      // The first delivery proves the token: one that never was would not be fetched anew.
      reply: ({ path }) => (path === '/token' ? { status: 200, body: granted } : ++asked === 2 ? hanging : 200),
    })
    const { post } = openProven(t, { secrets: { PASSWORD, CLIENT_SECRET } })
    const connection = aConnection({ url: `${server.url}in`, auth: auth(`${server.url}token`) })
    assert.equal(statusOf(await post(connection)), 200)
    const task = new PartitionTask(0)
    const attempt = post(connection, { running: task.running })
    await until('the 401 begins', () => asked === 2)
    await drain([task], 50, systemClock)
    assert.equal(statusOf(await attempt), 'aborted')
    assert.equal(asked, 2)
    assert.equal(task.running.size, 0)
  })
}
