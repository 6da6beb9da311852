// What the remote sees, byte for byte, and where the client refuses to go.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { test, type TestContext } from 'node:test'
import { openAddressGuard } from '../../services/shared/address-guard.ts'
import { openRemotes } from '../../services/forwarder/attempt.ts'
import { openCredentials } from '../../services/forwarder/credentials.ts'
import type { Payload } from '../../services/forwarder/render-payload/render-payload.ts'
import { renderRequest } from '../../services/forwarder/render-request.ts'
import { systemClock } from '../../services/shared/clock.ts'
import type { Connection } from '../../services/shared/forwarding/connection.ts'
import type { Repeater } from '../../services/shared/forwarding/repeater.ts'
import { USER_AGENT } from '../../services/shared/version.ts'
import { aConnection, aDelivery, aSourceRecord } from '../support/changes.ts'
import { targetServer } from '../support/target-server.ts'
import { TLS_CERTIFICATE, TLS_KEY } from '../support/tls-pair.ts'
import { aRepeater } from './render-payload/changes.ts'

const credentials = openCredentials({
  variable: (name) =>
    name === 'BAD' ? { kind: 'found', value: 'top-secret\r\nX-Evil: 1' } : { kind: 'found', value: 'pässwort' },
  file: () => ({ kind: 'absent', why: 'there is no such file' }),
})

type Sent = {
  readonly connection?: Partial<Connection>
  readonly repeater?: Partial<Repeater>
  readonly body?: Buffer
  readonly allow?: readonly string[]
}

/** Renders and sends one form, the whole way that the hub takes. */
const send = async (
  t: TestContext,
  url: string,
  { connection: some, repeater, body = Buffer.from('<data/>'), allow = ['127.0.0.0/8'] }: Sent = {},
) => {
  const connection = aConnection({ url, ...some })
  const remotes = openRemotes(openAddressGuard(allow), systemClock)
  t.after(() => remotes[Symbol.asyncDispose]())
  const payload: Extract<Payload, { kind: 'rendered' }> = {
    kind: 'rendered',
    body,
    contentType: 'text/xml',
    headers: [['Received-On', '2015-04-17T20:14:34.046462Z']],
    appId: 'app 1',
  }
  const record = aSourceRecord({
    topic: 'forms',
    partition: 3,
    offset: 42,
    traceparent: '00-aa-bb-01',
    tracestate: 'a=1,b=2',
  })
  const proof = credentials(connection)
  assert(proof.kind === 'ready')
  const request = renderRequest(aDelivery(record), aRepeater(repeater), connection, payload, 'request-1', proof.lines)
  return (await remotes.attempt(connection, request, new Set())).outcome
}

/** Bytes of the first request on the wire; the answer is 204. */
const wireOf = async (t: TestContext, path: string, sent: Sent = {}): Promise<string> => {
  const server = await targetServer(t, { replies: [204] })
  const outcome = await send(t, `http://127.0.0.1:${server.port}${path}`, sent)
  assert(outcome.kind === 'answered' && outcome.status === 204)
  return Buffer.concat(server.wire.flat()).toString('utf8').replaceAll(`:${server.port}`, ':PORT')
}

test('a request is on the wire as the contract says, byte for byte', async (t) => {
  const wire = await wireOf(t, '/a/../b?x=a%20b&y=&x=+', {
    connection: { auth: { type: 'basic', username: 'onward', password: '${env:P}' }, headers: { 'X-Site': 'north' } },
  })
  const [head = '', body] = wire.split('\r\n\r\n')
  const [first, ...lines] = head.split('\r\n')
  assert.equal(first, 'POST /a/../b?x=a%20b&y=&x=+&app_id=app%201 HTTP/1.1')
  assert.deepEqual(lines.toSorted(), [
    `Authorization: Basic ${Buffer.from('onward:pässwort').toString('base64')}`,
    'Content-Type: text/xml',
    'Idempotency-Key: "demo/all:forms:3:42"',
    'Onward-Attempt: 1',
    'Onward-Version: 42',
    'Received-On: 2015-04-17T20:14:34.046462Z',
    `User-Agent: ${USER_AGENT}`,
    'X-Request-Id: request-1',
    'X-Site: north',
    'connection: keep-alive',
    'content-length: 7',
    'host: 127.0.0.1:PORT',
    'traceparent: 00-aa-bb-01',
    'tracestate: a=1,b=2',
  ])
  assert.equal(body, '<data/>')
})

for (const method of ['POST', 'PUT', 'DELETE'] as const) {
  test(`${method} carries its body with its length, and is never chunked`, async (t) => {
    const body = Buffer.from('é'.repeat(100_000))
    const wire = await wireOf(t, '/', { repeater: { method }, body })
    const [head = '', sent = ''] = wire.split('\r\n\r\n')
    assert.match(head, new RegExp(`^${method} /`))
    assert.match(head, /\r\ncontent-length: 200000$/i)
    assert.doesNotMatch(head, /transfer-encoding|content-encoding|expect/i)
    assert.equal(Buffer.byteLength(sent), 200_000)
  })
}

test('an empty body is sent with length 0', async (t) => {
  assert.match(await wireOf(t, '/', { body: Buffer.alloc(0) }), /\r\ncontent-length: 0\r\n/i)
})

test('bytes that are no text arrive untouched', async (t) => {
  const server = await targetServer(t)
  const body = Buffer.from([0xff, 0xfe, 0, 0x0d, 0x0a, 0x80])
  await send(t, server.url, { body })
  assert.deepEqual(server.requests[0]?.body, body)
})

test('a secret that no header can hold is our own trouble, is not named, and is not sent', async (t) => {
  const server = await targetServer(t)
  const outcome = await send(t, server.url, {
    connection: { auth: { type: 'api-key', header: 'X-Key', value: '${env:BAD}' } },
  })
  assert.deepEqual(outcome, { kind: 'unsendable', error: 'the request cannot be sent: invalid X-Key header' })
  assert.equal(server.wire.length, 0)
})

test('an address that is not allowed is not dialled: literals in any spelling, and names', async (t) => {
  const server = await targetServer(t)
  const hosts = [
    '127.0.0.1',
    '127.1',
    '0x7f000001',
    '2130706433',
    '0177.0.0.1',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[::]',
    'localhost',
    '0.0.0.0',
  ]
  for (const host of hosts) {
    const outcome = await send(t, `http://${host}:${server.port}/`, { allow: [] })
    assert.equal(outcome.kind, 'address-not-allowed', `${host}: ${JSON.stringify(outcome)}`)
  }
  assert.equal(server.wire.length, 0)
})

test('a name is dialled at an address that is allowed', async (t) => {
  const server = await targetServer(t)
  const outcome = await send(t, `http://localhost:${server.port}/`, { allow: ['127.0.0.0/8', '::1/128'] })
  assert(outcome.kind === 'answered')
  assert.equal(server.requests.length, 1)
})

test('a refused connection is unreachable, by address and by name', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const { port } = taken.address() as AddressInfo
  await new Promise((resolve) => taken.close(resolve))
  for (const host of ['127.0.0.1', 'localhost']) {
    const outcome = await send(t, `http://${host}:${port}/`, { allow: ['127.0.0.0/8', '::1/128'] })
    assert(outcome.kind === 'unreachable', JSON.stringify(outcome))
    assert.match(outcome.error, /ECONNREFUSED/)
  }
})

test('a name that nobody has is unreachable', async (t) => {
  const outcome = await send(t, 'http://nobody.invalid/')
  assert(outcome.kind === 'unreachable', JSON.stringify(outcome))
  assert.match(outcome.error, /ENOTFOUND|EAI_AGAIN/)
})

test('a certificate that nobody vouches for is unreachable, and nothing is sent', async (t) => {
  let bytes = 0
  const server = createTlsServer({ cert: TLS_CERTIFICATE, key: TLS_KEY }, (socket) => {
    socket.on('data', (chunk: Buffer) => (bytes += chunk.length))
    socket.on('error', () => undefined)
  })
  server.on('tlsClientError', () => undefined)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => new Promise((resolve) => server.close(resolve)))
  const { port } = server.address() as AddressInfo
  const outcome = await send(t, `https://127.0.0.1:${port}/`)
  assert(outcome.kind === 'unreachable', JSON.stringify(outcome))
  assert.match(outcome.error, /SELF_SIGNED|self-signed/)
  assert.equal(bytes, 0)
})

test('plain HTTP where TLS is expected is unreachable', async (t) => {
  const server = await targetServer(t)
  const outcome = await send(t, server.url.replace('http:', 'https:'))
  assert.equal(outcome.kind, 'unreachable', JSON.stringify(outcome))
  assert.equal(server.requests.length, 0)
})
