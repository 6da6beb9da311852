// `onward check` looks at all of it, whatever fails, and never shows a secret.
import { test, type TestContext } from 'node:test'
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mailbox } from '../support/mailbox.ts'
import { runOnward } from '../support/run-onward.ts'
import { targetServer } from '../support/target-server.ts'
import { verbGround } from '../support/verb-ground.ts'

/** No broker listens there: what is asked beside it does not wait for it. */
const AWAY = { KAFKA_BROKERS: '127.0.0.1:1' }
const ask = (environment: Readonly<Record<string, string>>, ...args: string[]) =>
  runOnward(['check', '--timeout', '300ms', ...args], { ...AWAY, ...environment })

/** For what does answer, on a machine that is busy. */
const PATIENT = ['--timeout', '3s']

function addressOf(server: Server): string {
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  return `http://127.0.0.1:${address.port}`
}

async function registry(t: TestContext, answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return addressOf(server)
}

test('check names what is missing on a cluster that answers', async (t) => {
  const { brokers, onward } = await verbGround(t)
  const { code, stdout } = await onward('check')
  assert.equal(code, 1, stdout)
  assert.match(stdout, new RegExp(`KAFKA_BROKERS +${brokers.join(',')}`))
  assert.match(stdout, /^ok +brokers: 1 broker, reached through /m)
  assert.match(stdout, /^wrong +topics: verb-.*\.dead-letters is missing: run npx onward topics$/m)
  assert.match(stdout, /^ok +configuration: 0 connections and 0 repeaters in force$/m)
})

test('check tells of a bad record in the configuration', async (t) => {
  const { producer, topic, onward } = await verbGround(t)
  await producer.send(topic, [{ key: 'connection/demo/a', value: '{}' }])
  const { stdout } = await onward('check')
  assert.match(stdout, /^wrong +configuration: the last record of connection\/demo\/a is not valid/m)
})

test('check looks at every connection in force, and sends nothing', async (t) => {
  const { producer, topic, onward } = await verbGround(t)
  const remote = await targetServer(t)
  const connections = {
    good: { url: remote.url },
    inside: { url: 'http://169.254.169.254/' },
    secret: { url: remote.url, auth: { type: 'bearer', token: '${env:NOT_HERE}' } },
  }
  const records = Object.entries(connections).map(([id, connection]) => ({
    key: `connection/demo/${id}`,
    value: JSON.stringify({ project: 'demo', id, ...connection }),
  }))
  await producer.send(topic, records)
  const { code, stdout } = await onward('check')
  assert.equal(code, 1)
  assert.match(stdout, /^wrong +demo\/inside: .* is link-local: not allowed unless ONWARD_ALLOW_ADDRESSES lists it/m)
  assert.match(stdout, /^note +demo\/secret: \$\{env:NOT_HERE\}: this environment variable is not set/m)
  assert.match(stdout, /^wrong +demo\/good: .* loopback/m)
  assert.equal(remote.requests.length, 0)
})

test('check logs in at the mail server, sends no mail, and says what is wrong without the password', async (t) => {
  const box = await mailbox(t, {
    authOptional: false,
    allowInsecureAuth: true,
    onAuth: ({ password }, _session, done) =>
      password === 'right-hunter2' ? done(null, { user: 'onward' }) : done(new Error('unknown')),
  })
  const from = { ONWARD_MAIL_FROM: 'onward@example.org', SMTP_STARTTLS: 'never' }
  const at = (login: string) => ({ ...from, SMTP_URL: `smtp://${login}127.0.0.1:${box.port}` })
  const right = await ask(at('onward:right-hunter2@'), ...PATIENT)
  assert.match(right.stdout, /^ok +mail server: 127\.0\.0\.1:\d+ answers, and takes the login$/m)
  const wrong = await ask(at('onward:wrong-hunter2@'), ...PATIENT)
  assert.match(wrong.stdout, /^wrong +mail server: .*Invalid login.* Check user and password in SMTP_URL/m)
  assert.doesNotMatch(right.stdout + wrong.stdout, /hunter2/)
  const bare = await ask({ SMTP_URL: `smtp://127.0.0.1:${box.port}`, SMTP_STARTTLS: 'required' }, ...PATIENT)
  assert.match(bare.stdout, /^wrong +mail server: .* Check SMTP_STARTTLS/m)
  assert.match(bare.stdout, /^wrong +mail server: ONWARD_MAIL_FROM is not set/m)
  assert.equal(box.mails.length, 0)
  await box.close()
  const away = await ask(at(''), ...PATIENT)
  assert.match(away.stdout, /^no answer +mail server: 127\.0\.0\.1:\d+: .*ECONNREFUSED.* Check SMTP_URL\.$/m)
  assert.match((await ask({})).stdout, /^note +mail server: SMTP_URL is not set/m)
})

test('check asks for a token where a connection needs one, and says what the endpoint answers', async (t) => {
  const { brokers, producer, topic } = await verbGround(t)
  const remote = await targetServer(t)
  const authority = await targetServer(t, {
    reply: ({ path }) =>
      path === '/good'
        ? { status: 200, headers: { 'Content-Type': 'application/json' }, body: '{"access_token":"planted-token"}' }
        : { status: 401, headers: { 'Content-Type': 'application/json' }, body: '{"error":"invalid_client"}' },
  })
  for (const id of ['good', 'bad']) {
    const auth = {
      type: 'oauth2-client-credentials',
      tokenUrl: `${authority.url}${id}`,
      clientId: 'onward',
      clientSecret: '${env:CLIENT_SECRET}',
    }
    const value = JSON.stringify({ project: 'demo', id, url: remote.url, auth })
    await producer.send(topic, [{ key: `connection/demo/${id}`, value }])
  }
  const { code, stdout } = await runOnward(['check'], {
    KAFKA_BROKERS: brokers.join(','),
    ONWARD_TOPIC_PREFIX: topic.replace(/config$/, ''),
    ONWARD_ALLOW_ADDRESSES: '127.0.0.0/8',
    CLIENT_SECRET: 'planted-secret',
  })
  assert.equal(code, 1, stdout)
  assert.match(
    stdout,
    /^wrong +demo\/bad: token endpoint: it answered 401 invalid_client: check clientId, clientSecret/m,
  )
  assert.match(stdout, /^ok +connections: 1 connection can be reached$/m)
  assert.doesNotMatch(stdout, /planted/)
  assert.equal(authority.requests.length, 2)
  assert.equal(remote.requests.length, 0)
})

test('check says which address does not answer, within its time limit', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = addressOf(server)
  server.close()
  const { code, stdout } = await ask({ SCHEMA_REGISTRY_URL: url })
  assert.equal(code, 3)
  assert.match(stdout, /^no answer +brokers: no answer from Kafka at 127\.0\.0\.1:1 within 300ms/m)
  assert.ok(stdout.includes(`no answer  registry: ${url}: connect ECONNREFUSED`), stdout)
  assert.match(stdout, /Check SCHEMA_REGISTRY_URL/)
})

test('check says that a registry hangs', async (t) => {
  const environment = { SCHEMA_REGISTRY_URL: await registry(t, () => undefined) }
  const { stdout } = await ask(environment)
  assert.match(stdout, /^no answer +registry: .*no answer within 300ms/m)
})

test('check tells a registry from another server, and a refused login from both', async (t) => {
  const other = await registry(t, (_request, response) => response.end('<html>'))
  const answered = await ask({ SCHEMA_REGISTRY_URL: other }, ...PATIENT)
  assert.match(answered.stdout, /^wrong +registry: .*answers 200 and no list: check SCHEMA_REGISTRY_URL/m)
  const closed = await registry(t, (_request, response) => response.writeHead(401).end('{}'))
  const refused = await ask({ SCHEMA_REGISTRY_URL: closed }, ...PATIENT)
  assert.match(refused.stdout, /answers 401 and no list: check SCHEMA_REGISTRY_USERNAME/)
})

test('check logs in to the registry, and shows the password nowhere', async (t) => {
  const url = await registry(t, (request, response) => {
    const expected = `Basic ${Buffer.from('reader:hunter2').toString('base64')}`
    response.writeHead(request.headers.authorization === expected ? 200 : 401).end('["cases-value"]')
  })
  const environment = {
    SCHEMA_REGISTRY_URL: url,
    SCHEMA_REGISTRY_USERNAME: 'reader',
    SCHEMA_REGISTRY_PASSWORD: 'hunter2',
  }
  const { stdout, stderr } = await ask(environment, ...PATIENT)
  assert.match(stdout, /^ok +registry: .* answers, 1 subject$/m)
  assert.match(stdout, /SCHEMA_REGISTRY_PASSWORD +\(secret\)/)
  assert.doesNotMatch(stdout + stderr, /hunter2/)
})

test('check lists every problem of the settings, and asks nobody then', async () => {
  const environment = { ONWARD_HTTP_PORT: 'x', ONWARD_DRAIN_TIMEOUT: 'y' }
  const { code, stdout } = await ask(environment)
  assert.equal(code, 1)
  assert.match(stdout, /^wrong +settings: ONWARD_HTTP_PORT must be/m)
  assert.match(stdout, /^wrong +settings: ONWARD_DRAIN_TIMEOUT must be/m)
  assert.doesNotMatch(stdout, /no answer/)
})

test('check validates files, and notes variables that are not set here', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'onward-check-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const good = join(folder, 'good.yaml')
  const bad = join(folder, 'bad.yaml')
  const connection = '{ id: a, url: "https://a.example", auth: { type: bearer, token: "${env:NOBODY_SET_THIS}" } }'
  writeFileSync(good, `project: demo\nconnections: [${connection}]\n`)
  writeFileSync(bad, 'project: demo\nconnection: []\n')
  const fine = await ask({}, '-f', good)
  assert.ok(fine.stdout.includes(`${good}: project demo, 1 connection, 0 repeaters`), fine.stdout)
  assert.match(fine.stdout, /^note .*the forwarder needs the variable NOBODY_SET_THIS, and here it is not set$/m)
  const wrong = await ask({}, '-f', bad, '--json')
  const { findings } = JSON.parse(wrong.stdout) as {
    findings: readonly { kind: string; about: string; text: string }[]
  }
  assert.ok(
    findings.some(({ kind, text }) => kind === 'bad' && text.startsWith(`${bad}:2:1: `)),
    wrong.stdout,
  )
})
