// Digest and OAuth 2 at once, through a forwarder: many deliveries over a fresh connection, and credentials that end in mid-traffic.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { caseValue } from '../support/changes.ts'
import { digestServer } from '../support/digest-server.ts'
import { openGround, type Ground } from '../support/ground.ts'
import { targetServer, type Arrived } from '../support/target-server.ts'
import { until } from '../support/until.ts'

const LONG_ENOUGH_MS = 60_000
const DELIVERIES = 200
const CONCURRENCY = 16
const SECRETS = { PASSWORD: 'correct-horse', CLIENT_SECRET: 'client-secret' }

const configure = (ground: Ground, connection: string) =>
  ground.configure(
    `project: demo\nconnections:\n  - { id: api, limits: { concurrency: ${CONCURRENCY} }, ${connection} }\n` +
      'repeaters:\n  - { id: all, connection: api, forward: cases, format: json, supersede: never }\n',
  )

/** A case each, so that nothing but the slots keeps one back. */
const publish = (ground: Ground, first: number, count: number) =>
  ground.producer.send(
    ground.topics.cases,
    Array.from({ length: count }, (_, at) => {
      const caseId = `case-${first + at}`
      return { key: caseId, value: caseValue({ caseId }) }
    }),
  )

test('200 deliveries at once over fresh digest: a challenge a socket at most, each count once and in order', async (t) => {
  const digest = await digestServer(t, { username: 'zoë', password: SECRETS.PASSWORD })
  const ground = await openGround(t)
  await configure(
    ground,
    `url: "${digest.server.url}in", auth: { type: digest, username: zoë, password: "\${env:PASSWORD}" }`,
  )
  await publish(ground, 0, DELIVERIES)
  const forwarder = await ground.startForwarder(SECRETS)
  await until('all are accepted', () => digest.accepted.length >= DELIVERIES, LONG_ENOUGH_MS)
  // Nonces that the server forgot cost a challenge each, and no delivery.
  const { challenges } = digest
  const sockets = digest.server.wire.length
  digest.forget()
  await publish(ground, DELIVERIES, DELIVERIES)
  await until('these are, too', () => digest.accepted.length >= 2 * DELIVERIES, LONG_ENOUGH_MS)
  t.diagnostic(
    `${challenges} challenges over ${sockets} sockets; ${digest.challenges - challenges} after all were forgotten`,
  )
  assert(challenges <= sockets && sockets <= CONCURRENCY, `${challenges} challenges over ${sockets} sockets`)
  assert(digest.challenges - challenges <= CONCURRENCY)
  assert.equal(digest.accepted.length, 2 * DELIVERIES)
  assert.deepEqual(digest.faults, [])
  assert.equal(await forwarder.metric('onward_dead_letters_total'), 0)
})

test('200 deliveries at once over fresh OAuth 2 take one token; revoked in mid-traffic, one more, and no dead letter', async (t) => {
  let tokens = 0
  let revoked = false
  const authority = await targetServer(t, {
    reply: () => {
      revoked = false
      const body = JSON.stringify({ access_token: `token-${++tokens}`, token_type: 'Bearer', expires_in: 3_600 })
      return { status: 200, headers: { 'Content-Type': 'application/json' }, body }
    },
  })
  const accepted = new Set<string>()
  let refused = 0
  const reply = ({ rawHeaders, body }: Arrived) => {
    const proof = rawHeaders[rawHeaders.indexOf('Authorization') + 1]
    if (revoked || proof !== `Bearer token-${tokens}`) {
      refused++
      return 401
    }
    accepted.add(Reflect.get(JSON.parse(String(body)) as object, 'case_id') as string)
    // From now on the token is refused, with others of its slots on the wire.
    if (accepted.size === DELIVERIES * 1.5) revoked = true
    return 200
  }
  const api = await targetServer(t, { reply })
  const ground = await openGround(t)
  await configure(
    ground,
    `url: "${api.url}", auth: { type: oauth2-client-credentials, tokenUrl: "${authority.url}token", clientId: onward, clientSecret: "\${env:CLIENT_SECRET}" }`,
  )
  await publish(ground, 0, DELIVERIES)
  const forwarder = await ground.startForwarder(SECRETS)
  await until('all are accepted', () => accepted.size === DELIVERIES, LONG_ENOUGH_MS)
  assert.equal(tokens, 1)
  await publish(ground, DELIVERIES, DELIVERIES)
  await until('these are, too', () => accepted.size === 2 * DELIVERIES, LONG_ENOUGH_MS)
  t.diagnostic(`${api.requests.length} requests, ${refused} refused, ${tokens} tokens`)
  assert.equal(tokens, 2)
  assert(refused > 0)
  assert.equal(api.requests.length, 2 * DELIVERIES + refused, 'none was accepted twice')
  assert.equal(await forwarder.metric('onward_dead_letters_total'), 0)
  assert.equal((await ground.readOwn('dead-letters')).length, 0)
})
