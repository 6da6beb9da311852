// `onward test connection` as a person runs it: a file, an environment, a remote API that says yes or no.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Tried } from '../../services/shared/connection-try.ts'
import { digestServer } from '../support/digest-server.ts'
import { runOnward } from '../support/run-onward.ts'
import { targetServer, type Reply } from '../support/target-server.ts'

const ENVIRONMENT = { ONWARD_ALLOW_ADDRESSES: '127.0.0.0/8', PASSWORD: 'planted-password', OTHER: 'planted-other' }

function fileWith(t: TestContext, connection: string, repeaters = ''): string {
  const folder = mkdtempSync(join(tmpdir(), 'onward-test-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'forwarding.yaml')
  writeFileSync(file, `project: demo\nconnections:\n  - ${connection}\n${repeaters}`)
  return file
}

async function tryIt(
  t: TestContext,
  connection: string,
  {
    options = [],
    repeaters,
    environment = ENVIRONMENT,
  }: { options?: string[]; repeaters?: string; environment?: Record<string, string> } = {},
) {
  const ran = await runOnward(
    ['test', 'connection', 'a', '-f', fileWith(t, connection, repeaters), ...options],
    environment,
  )
  assert.doesNotMatch(ran.stdout + ran.stderr, /planted/, 'a secret is shown')
  return ran
}

test('a connection that is right is shown step by step, with the request as it was sent, secrets masked', async (t) => {
  const digest = await digestServer(t, { username: 'u', password: ENVIRONMENT.PASSWORD })
  const url = `${digest.server.url}in?x=1`
  const { code, stdout } = await tryIt(
    t,
    `{ id: a, url: "${url}", auth: { type: digest, username: u, password: "\${env:PASSWORD}" } }`,
  )
  assert.equal(code, 0, stdout)
  for (const line of [
    /ok secrets +[\d.]+ ms {2}1 found/,
    /ok payload +[\d.]+ ms {2}POST \/in\?x=1, 523 bytes for the repeater demo\/test/,
    /ok address .* 127\.0\.0\.1 is at 127\.0\.0\.1/,
    /ok connect .* connected/,
    /ok request .* answered 401/,
    /< www-authenticate: Digest realm=/,
    /> Authorization: Digest username="u"/,
    /> Idempotency-Key: "demo\/test:test-/,
    /ok verdict .* The remote API accepted it with 200\./,
  ])
    assert.match(stdout, line)
  assert.equal(digest.accepted.length, 1)
})

test('the payload of a repeater is sent, and --json gives the steps', async (t) => {
  const server = await targetServer(t)
  const { code, stdout } = await tryIt(t, `{ id: a, url: "${server.url}" }`, {
    options: ['--json', '--repeater', 'forms'],
    repeaters: `repeaters:
  - { id: cases, connection: a, forward: cases }
  - { id: forms, connection: a, forward: forms, method: PUT }
`,
  })
  assert.equal(code, 0)
  const tried = JSON.parse(stdout) as Tried
  assert.deepEqual(
    tried.steps.map(({ name }) => name),
    ['secrets', 'payload', 'address', 'connect', 'request', 'verdict'],
  )
  const [request] = server.requests
  assert.deepEqual([request?.method, request?.body.length], ['PUT', 1135])
})

test('--dry-run shows the request and sends nothing', async (t) => {
  const server = await targetServer(t)
  const { code, stdout } = await tryIt(
    t,
    `{ id: a, url: "${server.url}", auth: { type: basic, username: u, password: "\${env:PASSWORD}" }, headers: { X-Token: "t \${env:OTHER}" } }`,
    { options: ['--dry-run'] },
  )
  assert.equal(code, 0)
  assert.match(stdout, /> Authorization: Basic \*\*\*/)
  assert.match(stdout, /> X-Token: t \*\*\*/)
  assert.match(stdout, /Nothing was sent\.\n$/)
  assert.equal(server.wire.length, 0)
})

const ANSWERS: readonly (readonly [Reply, RegExp])[] = [
  [
    { status: 302, headers: { Location: 'https://new.example/in' } },
    /redirects to https:\/\/new\.example\/in \(302\).* write it as url/,
  ],
  [
    { status: 403, body: 'no' },
    /request \(403\)\. .*: ask for the right\. Or it is the credentials: .*write auth:\. It says: no/,
  ],
  [404, /\(404\): check the path of url/],
  [405, /\(405\): check method of the repeater/],
  [415, /\(415\): check format and contentType/],
  [{ status: 401, body: 'who?' }, /refuses the credentials \(401\): it asks who we are; write auth:\. It says: who\?/],
  ['reset', /The connection broke: /],
]
for (const [reply, words] of ANSWERS) {
  test(`${typeof reply === 'object' && 'status' in reply ? reply.status : JSON.stringify(reply)} ends in what to change`, async (t) => {
    const server = await targetServer(t, { reply: () => reply })
    const { code, stdout } = await tryIt(t, `{ id: a, url: "${server.url}" }`)
    assert.equal(code, 1)
    assert.match(stdout, words)
  })
}

for (const [what, connection, words] of [
  [
    'a variable that is missing',
    '{ id: a, url: "http://127.0.0.1:1/", auth: { type: bearer, token: "${env:GONE}" } }',
    /!! secrets .*\$\{env:GONE\}: this environment variable is not set/,
  ],
  [
    'an address that is not allowed',
    '{ id: a, url: "http://169.254.169.254/" }',
    /!! address .* is link-local: not allowed unless ONWARD_ALLOW_ADDRESSES lists it/,
  ],
  [
    'a port that nobody listens at',
    '{ id: a, url: "http://127.0.0.1:1/" }',
    /!! connect .*ECONNREFUSED.*: nothing listens there; check host and port of url/,
  ],
  [
    'a certificate that is not there',
    '{ id: a, url: "https://127.0.0.1:1/", tls: { ca: "${env:GONE}" } }',
    /!! secrets /,
  ],
  [
    'a certificate that is none',
    '{ id: a, url: "https://127.0.0.1:1/", tls: { ca: "${env:OTHER}" } }',
    /!! tls files .*tls\.ca holds no certificate in PEM/,
  ],
] as const) {
  test(`${what} is found before anything is sent`, async (t) => {
    const { code, stdout } = await tryIt(t, connection)
    assert.equal(code, 1)
    assert.match(stdout, words)
    assert.doesNotMatch(stdout, /verdict/)
  })
}

test('what is not understood is told with the nearest', async (t) => {
  const file = fileWith(t, '{ id: registry, url: "http://127.0.0.1:1/" }')
  const mistyped = await runOnward(['test', 'connection', 'demo/regstry', '-f', file], ENVIRONMENT)
  assert.equal(mistyped.code, 1)
  assert.match(mistyped.stderr, /there is no connection demo\/regstry \(did you mean demo\/registry\?\)/)
  assert.equal((await runOnward(['test', 'registry'], ENVIRONMENT)).code, 2)
  const broken = fileWith(t, '{ id: a, url: "ftp://x" }')
  const invalid = await runOnward(['test', 'connection', 'a', '-f', broken], ENVIRONMENT)
  assert.equal(invalid.code, 1)
  assert.match(invalid.stderr, /:3:\d+: url has the scheme ftp/)
})
