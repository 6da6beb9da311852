// Digest and OAuth 2 through a forwarder, against servers that we did not write: Apache httpd and oidc-provider.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { caseValue } from '../support/changes.ts'
import { openGround, type Ground } from '../support/ground.ts'
import { makeCertificate } from '../support/make-certificate.ts'
import { until } from '../support/until.ts'
import { startApache } from './apache.ts'
import { startOidc } from './start-oidc.ts'

const LONG_ENOUGH_MS = 120_000
const DELIVERIES = 200
const CONCURRENCY = 16

const configure = (ground: Ground, connection: string) =>
  ground.configure(
    `project: demo\nconnections:\n  - { id: api, limits: { concurrency: ${CONCURRENCY} }, ${connection} }\n` +
      'repeaters:\n  - { id: all, connection: api, forward: cases, format: json, supersede: never }\n',
  )

const publish = (ground: Ground, first: number) =>
  ground.producer.send(
    ground.topics.cases,
    Array.from({ length: DELIVERIES }, (_, at) => {
      const caseId = `case-${first + at}`
      return { key: caseId, value: caseValue({ caseId }) }
    }),
  )

test('Apache httpd: 200 deliveries at once over fresh digest cost a challenge a slot at most', async (t) => {
  const authority = makeCertificate({ name: 'Test authority', authority: true })
  const host = makeCertificate({ name: '127.0.0.1', hosts: ['127.0.0.1'], issuer: authority })
  const apache = await startApache(t, { username: 'zoë', password: 'open sesame', host, authority })
  const ground = await openGround(t)
  const auth = 'auth: { type: digest, username: zoë, password: "${env:PASSWORD}" }'
  await configure(ground, `url: "${apache.digest}", ${auth}`)
  await publish(ground, 0)
  const forwarder = await ground.startForwarder({ PASSWORD: 'open sesame' })
  const answered = (status: number) => apache.log().filter((line) => line === `POST /digest ${status}`).length
  await until('Apache has noted them all', () => answered(200) === DELIVERIES, LONG_ENOUGH_MS)
  t.diagnostic(`${DELIVERIES} deliveries over ${CONCURRENCY} slots: ${answered(401)} challenges`)
  assert(answered(401) > 0 && answered(401) <= CONCURRENCY)
  assert.equal(await forwarder.metric('onward_dead_letters_total'), 0)
})

test('oidc-provider: 200 deliveries at once take one token; revoked in mid-traffic, one more, and no dead letter', async (t) => {
  const { tokenUrl, api, counts, revoke } = await startOidc(t)
  const ground = await openGround(t)
  const client = 'clientId: in-header, clientSecret: "${env:CLIENT_SECRET}"'
  await configure(
    ground,
    `url: "${api}", auth: { type: oauth2-client-credentials, tokenUrl: "${tokenUrl}", ${client} }`,
  )
  await publish(ground, 0)
  const forwarder = await ground.startForwarder({ CLIENT_SECRET: 'in-header secret: % + &' })
  const accepted = async () => {
    const { requests, refused } = await counts()
    return requests - refused
  }
  await until('all are accepted', async () => (await accepted()) === DELIVERIES, LONG_ENOUGH_MS)
  assert.equal((await counts()).tokens, 1)
  await publish(ground, DELIVERIES)
  await until('half of the next are', async () => (await accepted()) > DELIVERIES, LONG_ENOUGH_MS)
  await revoke()
  await until('all are', async () => (await accepted()) === 2 * DELIVERIES, LONG_ENOUGH_MS)
  // Whatever it met, the next ones need a good token.
  await publish(ground, 2 * DELIVERIES)
  await until('those after are', async () => (await accepted()) === 3 * DELIVERIES, LONG_ENOUGH_MS)
  const { tokens, requests, refused } = await counts()
  t.diagnostic(`${requests} requests, ${refused} refused, ${tokens} tokens`)
  assert.equal(tokens, 2)
  assert.equal(await forwarder.metric('onward_dead_letters_total'), 0)
  assert.equal((await ground.readOwn('dead-letters')).length, 0)
})
