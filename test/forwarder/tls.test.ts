// TLS as a connection configures it, against a real server that asks for certificates.
import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { TLSSocket } from 'node:tls'
import type { Attempted } from '../../services/forwarder/outcome.ts'
import type { Connection, Tls } from '../../services/shared/forwarding/connection.ts'
import { aConnection } from '../support/changes.ts'
import { makeCertificate, type Certified } from '../support/make-certificate.ts'
import { openProven } from '../support/proven.ts'
import { targetServer } from '../support/target-server.ts'
import { until } from '../support/until.ts'

const DAY = 86_400_000
const authority = makeCertificate({ name: 'Test authority', authority: true })
const host = makeCertificate({ name: '127.0.0.1', hosts: ['127.0.0.1', 'localhost'], issuer: authority })
const client = makeCertificate({ name: 'onward', issuer: authority })
const stranger = makeCertificate({ name: 'Somebody else', authority: true })

type Seen = {
  readonly url: string
  readonly clients: readonly (string | undefined)[]
  readonly names: readonly unknown[]
}

async function tlsServer(
  t: TestContext,
  {
    own = host,
    asks = false,
    maxVersion = 'TLSv1.3',
  }: { own?: Certified; asks?: boolean; maxVersion?: 'TLSv1.2' | 'TLSv1.3' } = {},
): Promise<Seen> {
  const clients: (string | undefined)[] = []
  const names: unknown[] = []
  const server: Server = createServer(
    { cert: own.cert, key: own.key, maxVersion, ...(asks ? { requestCert: true, ca: authority.cert } : {}) },
    (request, response) => {
      const { socket } = request
      assert(socket instanceof TLSSocket)
      clients.push(asks ? socket.getPeerCertificate().subject.CN?.toString() : undefined)
      names.push(socket.servername)
      request.resume().on('end', () => response.end())
    },
  )
  server.on('tlsClientError', () => undefined)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}/`, clients, names }
}

const NO_TLS: Tls = {
  cert: null,
  key: null,
  keyPassphrase: null,
  ca: null,
  verify: true,
  minVersion: 'TLSv1.2',
  serverName: null,
}
const CA = '${file:/ca}'
const PAIR = { cert: '${file:/cert}', key: '${file:/key}' }
const FILES = { '/ca': authority.cert, '/cert': client.cert, '/key': client.key, PASSPHRASE: 'open sesame' }

const connectionTo = (url: string, tls: Partial<Tls> | null): Connection =>
  aConnection({ url, tls: tls && { ...NO_TLS, ...tls } })
const statusOf = ({ outcome }: Attempted) => (outcome.kind === 'answered' ? outcome.status : outcome.kind)
const errorOf = ({ outcome }: Attempted) => ('error' in outcome ? outcome.error : '')

test('an own authority vouches for the remote API, and nobody else does', async (t) => {
  const { url } = await tlsServer(t)
  const { post } = openProven(t, { secrets: { ...FILES, '/other': stranger.cert } })
  assert.equal(statusOf(await post(connectionTo(url, { ca: CA }))), 200)
  for (const tls of [null, { ca: '${file:/other}' }]) {
    const refused = await post(connectionTo(url, tls))
    assert.equal(refused.outcome.kind, 'unreachable')
    assert.match(
      errorOf(refused),
      /if it is an authority of your own, put its certificate into the connection's tls: ca$/,
    )
  }
})

test('the client certificate is shown, with its key encrypted or not, and without one the remote refuses', async (t) => {
  const { url, clients } = await tlsServer(t, { asks: true })
  const { post, secrets } = openProven(t, { secrets: FILES })
  assert.equal(statusOf(await post(connectionTo(url, { ca: CA, ...PAIR }))), 200)
  secrets.set('/key', client.encryptedKey('open sesame'))
  assert.equal(statusOf(await post(connectionTo(url, { ca: CA, ...PAIR, keyPassphrase: '${env:PASSPHRASE}' }))), 200)
  assert.deepEqual(clients, ['onward', 'onward'])
})

for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`a remote that refuses us for want of a certificate took no request, though ${maxVersion} lets it be sent before`, async (t) => {
    const { url, clients } = await tlsServer(t, { asks: true, maxVersion })
    const { post } = openProven(t, { secrets: FILES })
    const bare = await post(connectionTo(url, { ca: CA }))
    assert.equal(bare.outcome.kind, 'unreachable')
    assert.match(
      errorOf(bare),
      /^ERR_SSL_\S+_ALERT_(CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE): [a-z0-9/ ]+: it may ask for a client certificate: tls: cert and key$/,
    )
    assert.deepEqual(clients, [])
  })
}

test('a handshake that the remote ends without a word took no request', async (t) => {
  const { url } = await tlsServer(t, { asks: true, maxVersion: 'TLSv1.2' })
  const own = makeCertificate({ name: 'nobody knows it' })
  const { post } = openProven(t, { secrets: { ...FILES, '/cert': own.cert, '/key': own.key } })
  const { outcome } = await post(connectionTo(url, { ca: CA, ...PAIR }))
  assert.equal(outcome.kind, 'unreachable')
  assert.match(errorOf({ outcome, duration: 0 }), /^it ended the TLS handshake: .*check tls: cert and key$/)
})

test('a certificate that is renewed is used by the next socket, without a restart', async (t) => {
  const { url, clients } = await tlsServer(t, { asks: true })
  const { post, secrets, remotes } = openProven(t, { secrets: FILES })
  const connection = connectionTo(url, { ca: CA, ...PAIR })
  assert.equal(statusOf(await post(connection)), 200)
  const renewed = makeCertificate({ name: 'onward renewed', issuer: authority })
  secrets.set('/cert', renewed.cert).set('/key', renewed.key)
  // The socket that is open serves on; one that is opened beside it has the new certificate.
  await Promise.all([post(connection), post(connection)])
  assert(clients.includes('onward renewed'), clients.join())
  remotes.keepOnly(() => false)
})

test('any certificate is taken where verification is off, and that is said in the log and as a metric', async (t) => {
  const { url } = await tlsServer(t, { own: makeCertificate({ name: 'nobody' }) })
  const proven = openProven(t, { secrets: FILES })
  const connection = connectionTo(url, { verify: false })
  proven.look(connection)
  assert.equal(statusOf(await proven.post(connection)), 200)
  assert.match(await proven.metrics(), /^onward_connection_unverified\{connection="demo\/remote"\} 1$/m)
  assert.deepEqual(
    proven.log.events.filter(({ event }) => event === 'certificate-not-verified').map(({ level }) => level),
    ['warn'],
  )
  proven.look({ ...connection, tls: null })
  assert.doesNotMatch(await proven.metrics(), /^onward_connection_unverified\{/m)
})

test('the server name is asked for and checked in place of the host', async (t) => {
  const other = makeCertificate({ name: 'x', hosts: ['api.example.org'], issuer: authority })
  const { url, names } = await tlsServer(t, { own: other })
  const { post } = openProven(t, { secrets: FILES })
  assert.equal(statusOf(await post(connectionTo(url, { ca: CA, serverName: 'api.example.org' }))), 200)
  assert.deepEqual(names, ['api.example.org'])
  assert.match(
    errorOf(await post(connectionTo(url, { ca: CA }))),
    /write its name as the connection's tls: serverName$/,
  )
})

test('a remote that speaks only an older TLS than is allowed is refused', async (t) => {
  const { url } = await tlsServer(t, { maxVersion: 'TLSv1.2' })
  const { post } = openProven(t, { secrets: FILES })
  assert.equal(statusOf(await post(connectionTo(url, { ca: CA }))), 200)
  const refused = await post(connectionTo(url, { ca: CA, minVersion: 'TLSv1.3' }))
  assert.equal(refused.outcome.kind, 'unreachable')
  assert.match(errorOf(refused), /check tls: minVersion$/)
})

test('http at a port of TLS, and TLS at a port of http, end in a sentence', async (t) => {
  const { url } = await tlsServer(t)
  const { post } = openProven(t, { secrets: FILES })
  const plain = await post(connectionTo(url.replace('https', 'http'), null))
  assert.equal(plain.outcome.kind, 'broken')
  assert.notEqual(errorOf(plain), '')
  const server = await targetServer(t)
  const wrapped = await post(connectionTo(server.url.replace('http:', 'https:'), null))
  assert.equal(wrapped.outcome.kind, 'unreachable')
  assert.match(errorOf(wrapped), /check whether url begins with http or https$/)
})

const ended = makeCertificate({ name: 'Old authority', authority: true, validTo: Date.now() - DAY })
const endedClient = makeCertificate({ name: 'old onward', issuer: authority, validTo: Date.now() - DAY })
const date = new Date(Date.now() - DAY).toISOString().slice(0, 10)
for (const [what, tls, files, words] of [
  ['a file that is not there', { ca: '${file:/gone}' }, {}, /^tls\.ca: \$\{file:\/gone\}: it is not set$/],
  [
    'a key of another certificate',
    PAIR,
    { '/key': host.key },
    /^tls\.key does not belong to the certificate of onward:/,
  ],
  [
    'an encrypted key without its passphrase',
    PAIR,
    { '/key': client.encryptedKey('x') },
    /^tls\.key is encrypted and cannot be opened: add keyPassphrase:$/,
  ],
  [
    'a wrong passphrase',
    { ...PAIR, keyPassphrase: '${env:PASSPHRASE}' },
    { '/key': client.encryptedKey('x') },
    /^tls\.key is encrypted and cannot be opened: check keyPassphrase$/,
  ],
  ['a key that is none', PAIR, { '/key': 'hunter2' }, /^tls\.key holds no private key in PEM$/],
  ['a certificate that is none', PAIR, { '/cert': 'hunter2' }, /^tls\.cert holds no certificate in PEM:/],
  [
    'a certificate that is damaged',
    PAIR,
    { '/cert': client.cert.replace('MII', 'AAA').replace('MIIB', 'AAAA').replace('MI', 'AA') },
    /^tls\.cert holds a certificate that cannot be read$/,
  ],
  [
    'an authority that has ended',
    { ca: CA },
    { '/ca': ended.cert },
    new RegExp(`^tls\\.ca: the certificate of Old authority ended on ${date}: put a current one`),
  ],
  [
    'a client certificate that has ended',
    PAIR,
    { '/cert': endedClient.cert, '/key': endedClient.key },
    /^tls\.cert: the certificate of old onward ended on/,
  ],
  ['an authority that is none', { ca: CA }, { '/ca': '' }, /^tls\.ca holds no certificate in PEM$/],
] as const) {
  test(`${what} is said in one sentence before anything is sent, and costs no delivery`, async (t) => {
    const { url, clients } = await tlsServer(t)
    const { post } = openProven(t, { secrets: { ...FILES, ...files } })
    const attempted = await post(connectionTo(url, tls))
    assert.equal(attempted.outcome.kind, 'unsendable')
    assert.match(errorOf(attempted), words)
    assert.doesNotMatch(errorOf(attempted), /hunter2|sesame/)
    assert.equal(clients.length, 0)
  })
}

test('certificates that end within 14 days are told once, and all of them are metrics', async (t) => {
  const at = (days: number) => Date.now() + days * DAY
  const [soon, later] = [13, 15].map((days) =>
    makeCertificate({ name: `${days} days`, issuer: authority, validTo: at(days) }),
  )
  assert(soon && later)
  const remote = makeCertificate({ name: '127.0.0.1', hosts: ['127.0.0.1'], issuer: authority, validTo: at(13) })
  const long = makeCertificate({ name: 'Test authority', authority: true, validTo: at(15) })
  assert(long)
  const { url } = await tlsServer(t, { own: remote, asks: true })
  const proven = openProven(t, { secrets: { ...FILES, '/cert': soon.cert, '/key': soon.key } })
  const connection = connectionTo(url, { ca: CA, ...PAIR })
  proven.look(connection)
  assert.equal(statusOf(await proven.post(connection)), 200)
  const told = () =>
    proven.log.events
      .filter(({ event }) => event === 'certificate-ends-soon')
      .map(({ fields }) => fields['certificate'])
  // The authority of this file's tests lives a day.
  assert.deepEqual(told().toSorted(), ['authority', 'client', 'remote'])
  proven.secrets.set('/cert', later.cert).set('/key', later.key)
  await Promise.all([proven.post(connection), proven.post(connection)])
  await until('the new certificate is seen', () => told().length === 3)
  const text = await proven.metrics()
  for (const what of ['authority', 'client', 'remote']) {
    const line = new RegExp(
      `^onward_connection_certificate_expiry_timestamp_seconds\\{connection="demo/remote",certificate="${what}"\\} \\d+`,
      'm',
    )
    assert.match(text, line)
  }
})
