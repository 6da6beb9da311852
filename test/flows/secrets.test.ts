// Secrets, over the whole way: planted in every field that may hold one, with remote APIs that say back whatever they are sent,
// they are found in no topic, log, metric, dead letter, output of the command line or command line of a process; and they can
// be replaced while requests go out.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { caseValue } from '../support/changes.ts'
import { digestServer } from '../support/digest-server.ts'
import { openGround, type Ground } from '../support/ground.ts'
import { makeCertificate } from '../support/make-certificate.ts'
import { runOnward } from '../support/run-onward.ts'
import { targetServer, type Arrived, type Reply } from '../support/target-server.ts'
import { until } from '../support/until.ts'

const LONG_ENOUGH_MS = 60_000

/** Their forms in Base64 and in URLs are looked for, too. */
const SECRETS = {
  BASIC_USER: 'planted-basic-user',
  BASIC_PASSWORD: 'planted:basic password',
  DIGEST_PASSWORD: 'planted-digest "password"',
  BEARER: 'planted-bearer-token',
  API_KEY: 'planted-api-key',
  CLIENT_SECRET: 'planted-client&secret',
  USER_PASSWORD: 'planted-user+password',
  PARAMETER: 'planted-parameter',
  CONSUMER_SECRET: 'planted-consumer-secret',
  TOKEN_SECRET: 'planted-token-secret',
  HEADER: 'planted-header',
  PASSPHRASE: 'planted-passphrase',
  SIGNING: `whsec_${Buffer.from('planted-signing-secret-of-32-byt').toString('base64')}`,
} as const
const GIVEN = ['planted-access-token', 'planted-refresh-token']

const formsOf = (secret: string): readonly string[] => [
  secret,
  encodeURIComponent(secret),
  new URLSearchParams([['', secret]]).toString().slice(1),
  Buffer.from(secret).toString('base64').replace(/=+$/, ''),
  JSON.stringify(secret).slice(1, -1),
]
const WANTED = [...Object.values(SECRETS), ...GIVEN, `${SECRETS.BASIC_USER}:${SECRETS.BASIC_PASSWORD}`]
  .flatMap(formsOf)
  // Half of one is one, too.
  .flatMap((form) => [form, form.slice(0, 12)])
function assertNothingPlanted(where: string, text: string): void {
  for (const form of WANTED) {
    const at = text.indexOf(form)
    assert.equal(at, -1, `${where}: ${text.slice(Math.max(0, at - 80), at + form.length + 20)}`)
  }
}

/** Says back everything: as a refusal for good, so that it stands in a dead letter. */
const echo = ({ rawHeaders, path, body }: Arrived): Reply => ({
  status: 422,
  headers: { 'Content-Type': 'text/plain' },
  body: `${rawHeaders.slice(-8).join(' ')} ${path} ${body.subarray(0, 100).toString()}`,
})

async function openScene(t: TestContext, ground: Ground, folder: string) {
  const api = await targetServer(t, { reply: echo })
  const digest = await digestServer(t, { username: 'u', password: SECRETS.DIGEST_PASSWORD })
  const refusing = await targetServer(t, {
    reply: ({ body }) => ({
      status: 400,
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ error: 'invalid_grant', error_description: String(body) }),
    }),
  })
  const giving = await targetServer(t, {
    reply: () => ({
      status: 200,
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ access_token: GIVEN[0], refresh_token: GIVEN[1], token_type: 'bearer' }),
    }),
  })
  const key = makeCertificate({ name: 'onward' })
  writeFileSync(join(folder, 'cert.pem'), key.cert)
  writeFileSync(join(folder, 'key.pem'), key.encryptedKey('another'))
  const env = (name: keyof typeof SECRETS) => `"\${env:${name}}"`
  const client = (tokenUrl: string) =>
    `tokenUrl: "${tokenUrl}", clientId: c, clientSecret: ${env('CLIENT_SECRET')}, clientAuth: body, parameters: { api_key: ${env('PARAMETER')} }`
  const ways: Readonly<Record<string, string>> = {
    basic: `auth: { type: basic, username: ${env('BASIC_USER')}, password: ${env('BASIC_PASSWORD')} }`,
    bearer: `auth: { type: bearer, token: ${env('BEARER')} }`,
    key: `auth: { type: api-key, header: X-Api-Key, value: "Key ${env('API_KEY').slice(1)} }`,
    token: `auth: { type: oauth2-client-credentials, ${client(giving.url)} }`,
    refused: `auth: { type: oauth2-password, username: u, password: ${env('USER_PASSWORD')}, ${client(refusing.url)} }`,
    oauth1: `auth: { type: oauth1, consumerKey: c, consumerSecret: ${env('CONSUMER_SECRET')}, token: t, tokenSecret: ${env('TOKEN_SECRET')} }`,
    header: `headers: { X-Token: ${env('HEADER')} }`,
    signed: `signing: { type: standard-webhooks, secrets: [ ${env('SIGNING')} ] }`,
    body: `auth: { type: bearer, token: ${env('BEARER')} }, successWhen: { text: OK, otherwise: 422 }`,
  }
  const lines = Object.entries(ways).map(
    ([id, rest]) => `  - { id: ${id}, url: "${api.url}", schedule: [1s], ${rest} }`,
  )
  lines.push(
    `  - { id: digest, url: "${digest.server.url}", schedule: [1s], auth: { type: digest, username: u, password: ${env('DIGEST_PASSWORD')} } }`,
    `  - { id: tls, url: "https://127.0.0.1:1/", schedule: [1s], tls: { cert: "\${file:${folder}/cert.pem}", key: "\${file:${folder}/key.pem}", keyPassphrase: ${env('PASSPHRASE')} } }`,
  )
  const ids = [...Object.keys(ways), 'digest', 'tls']
  const repeaters = ids.map(
    (id) => `  - { id: r-${id}, connection: ${id}, forward: cases, format: json, supersede: never }`,
  )
  await ground.configure(`project: demo\nconnections:\n${lines.join('\n')}\nrepeaters:\n${repeaters.join('\n')}\n`)
  return { ids, api, digest, refusing }
}

test('planted secrets are found nowhere', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'onward-secrets-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const ground = await openGround(t, 1)
  const { ids, digest, refusing } = await openScene(t, ground, folder)
  const environment = { ...SECRETS, ONWARD_SECRETS_DIR: folder }
  const log: string[] = []
  const forwarder = await ground.startForwarder(environment, (line) => log.push(line))
  await ground.producer.send(ground.topics.cases, [{ key: 'c1', value: caseValue({ caseId: 'c1' }) }])

  const dead = ids.filter((id) => !['digest', 'tls', 'refused'].includes(id))
  const isDead = (id: string) =>
    log.some((line) => line.includes('"event":"dead-lettered"') && line.includes(`"connection":"demo/${id}"`))
  await until('dead letters are written', () => dead.every(isDead), LONG_ENOUGH_MS)
  await until('digest is accepted', () => digest.accepted.length > 0, LONG_ENOUGH_MS)
  await until('the token endpoint has refused', () => refusing.requests.length > 0, LONG_ENOUGH_MS)
  await until(
    'all are told of',
    () =>
      ids.every((id) => log.some((line) => line.includes(`"connection":"demo/${id}"`) && line.includes('"attempted"'))),
    LONG_ENOUGH_MS,
  )

  // What must be there is: else the search would find nothing because there is nothing.
  const text = log.join('\n')
  for (const words of [
    '***',
    'token endpoint: it answered 400 invalid_grant',
    'tls.key is encrypted and cannot be opened',
  ])
    assert.ok(text.includes(words), words)

  assertNothingPlanted('log', text)
  assertNothingPlanted('metrics', await (await fetch(`http://127.0.0.1:${forwarder.port}/metrics`)).text())
  assertNothingPlanted('command line of the process', readFileSync(`/proc/${forwarder.pid}/cmdline`, 'utf8'))
  for (const topic of ['config', 'dead-letters', 'deliveries', 'failures'] as const) {
    await until(`something is in ${topic}`, async () => (await ground.readOwn(topic)).length > 0, LONG_ENOUGH_MS)
    const records = await ground.readOwn(topic)
    for (const { key, value, headers } of records) {
      const parts = [key, value, ...Object.entries(headers).flat()]
      assertNothingPlanted(topic, parts.map(String).join('\n'))
    }
  }
  const shell = { ...ground.environment, ...environment }
  for (const args of [
    ['get', '--json'],
    ['get', '--project', 'demo', '--yaml'],
    ['check'],
    ...ids.map((id) => ['test', 'connection', id]),
  ]) {
    const { stdout, stderr } = await runOnward(args, shell)
    assert.notEqual(stdout, '', args.join(' '))
    assertNothingPlanted(`onward ${args.join(' ')}`, stdout + stderr)
  }
  assert.equal(await forwarder.stop('SIGTERM'), 0)
  assertNothingPlanted('log', log.join('\n'))
  t.diagnostic(
    `${WANTED.length} forms of ${Object.keys(SECRETS).length + GIVEN.length} secrets, ${log.length} lines of log, ${dead.length} dead letters`,
  )
})

test('a secret in a file is replaced while requests go out: none is lost, none is refused for long', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'onward-rotation-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'token')
  writeFileSync(file, 'first\n')
  const good = new Set(['Bearer first'])
  const seen: string[] = []
  const api = await targetServer(t, {
    reply: ({ rawHeaders }) => {
      const token = rawHeaders[rawHeaders.indexOf('Authorization') + 1] ?? ''
      if (good.has(token)) seen.push(token)
      return good.has(token) ? 200 : 401
    },
  })
  const ground = await openGround(t, 1)
  await ground.configure(`project: demo
connections:
  - { id: remote, url: "${api.url}", schedule: [100ms, 1s], auth: { type: bearer, token: "\${file:${file}}" } }
repeaters:
  - { id: cases, connection: remote, forward: cases, format: json, supersede: never }
`)
  const forwarder = await ground.startForwarder({ ONWARD_SECRETS_DIR: folder })
  let sent = 0
  const publish = async (count: number) => {
    const records = Array.from({ length: count }, () => `c${sent++}`).map((caseId) => ({
      key: caseId,
      value: caseValue({ caseId }),
    }))
    await ground.producer.send(ground.topics.cases, records)
  }
  await publish(200)
  await until('some went with the first', () => seen.length > 50, LONG_ENOUGH_MS)
  // As an operator does it: the remote takes both, the file turns over at once, the remote forgets the old one.
  good.add('Bearer second')
  writeFileSync(join(folder, 'next'), 'second\n')
  renameSync(join(folder, 'next'), file)
  for (let tries = 0; tries < 500 && !seen.includes('Bearer second'); tries++) await publish(10)
  good.delete('Bearer first')
  await publish(200)
  await until('all are delivered', () => seen.length >= sent, LONG_ENOUGH_MS)
  assert.equal(await forwarder.metric('onward_dead_letters_total'), 0)
  assert.equal(seen.lastIndexOf('Bearer first') < seen.length - 200, true)
  t.diagnostic(`${seen.filter((token) => token === 'Bearer first').length} with the first, then the second, of ${sent}`)
})
