// The guard where it counts: at the dial. Nothing that is refused is ever connected to, whatever name or spelling leads there,
// by the connection's URL or by its token endpoint; and what is listed is reached.
import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'
import { test, type TestContext } from 'node:test'
import { openAddressGuard } from '../../services/shared/address-guard.ts'
import type { Attempted } from '../../services/forwarder/outcome.ts'
import type { Connection, OAuth2 } from '../../services/shared/forwarding/connection.ts'
import { aConnection } from '../support/changes.ts'
import { nameServer } from '../support/name-server.ts'
import { openProven } from '../support/proven.ts'
import { targetServer } from '../support/target-server.ts'
import { DISGUISED_HOSTS, REFUSED_ADDRESSES } from './refused-addresses.ts'

const SECRETS = { CLIENT_SECRET: 'client-secret' }
const byToken = (url: string, tokenUrl: string): Connection => {
  const auth: OAuth2 = {
    type: 'oauth2-client-credentials',
    tokenUrl,
    clientId: 'onward',
    clientSecret: '${env:CLIENT_SECRET}',
    clientAuth: 'header',
    scope: null,
    audience: null,
    parameters: {},
  }
  return aConnection({ url, auth })
}
const statusOf = ({ outcome }: Attempted) => (outcome.kind === 'answered' ? outcome.status : outcome.kind)
const inUrl = (address: string) => (address.includes(':') ? `[${address}]` : address)

test('the table of refused addresses is as long as it says', () => {
  assert(new Set(REFUSED_ADDRESSES.map(({ address }) => address)).size >= 150)
})

test('every address of the table is refused at the dial, by the URL and by the token endpoint', async (t) => {
  const { post } = openProven(t, { secrets: SECRETS, allow: [] })
  for (const { range, address } of REFUSED_ADDRESSES) {
    for (const scheme of ['http', 'https']) {
      const url = `${scheme}://${inUrl(address)}:9/`
      const direct = await post(aConnection({ url }))
      assert.equal(direct.outcome.kind, 'address-not-allowed', `${url}: ${range}`)
      const token = await post(byToken('http://203.0.113.1/', url))
      assert.equal(token.outcome.kind, 'address-not-allowed', `token endpoint ${url}: ${range}`)
    }
  }
})

test('an address that is spelled in another way is refused, too', async (t) => {
  const { post } = openProven(t, { secrets: SECRETS, allow: [] })
  for (const host of DISGUISED_HOSTS) {
    const url = `http://${host}:9/`
    assert.equal((await post(aConnection({ url }))).outcome.kind, 'address-not-allowed', url)
    assert.equal((await post(byToken('http://203.0.113.1/', url))).outcome.kind, 'address-not-allowed', url)
  }
})

test('a zone does not make an address another one', () => {
  const guard = openAddressGuard([])
  for (const address of ['fe80::1%eth0', '::1%lo', 'fe80::a9fe:a9fe%25eth0']) {
    assert.equal(guard(address).kind, 'refused', address)
  }
})

/** Two places at one port: the one that is open to us, and the inside. */
async function twoPlaces(t: TestContext) {
  const hits = { open: 0, inside: 0 }
  const listen = async (host: string, port: number, count: () => void): Promise<Server> => {
    const server = createServer((request, response) => {
      count()
      request.resume()
      response.end('{"access_token":"t","token_type":"bearer"}')
    })
    await new Promise<void>((resolve, reject) => server.on('error', reject).listen(port, host, resolve))
    t.after(() => {
      server.closeAllConnections()
      server.close()
    })
    return server
  }
  const open = await listen('127.0.0.2', 0, () => hits.open++)
  const { port } = open.address() as AddressInfo
  await listen('127.0.0.1', port, () => hits.inside++)
  return { hits, port }
}

test('a name that is answered twice differently leads where it was judged, and to no other place', async (t) => {
  const { hits, port } = await twoPlaces(t)
  const answers = [['127.0.0.2'], ['127.0.0.1']]
  const names = await nameServer(t, { 'turns.example': answers, 'turns-too.example': answers })
  const { post } = openProven(t, { secrets: SECRETS, allow: ['127.0.0.2/32'] })
  assert.equal(statusOf(await post(aConnection({ url: `http://turns.example:${port}/` }))), 200)
  assert.equal(names.asked.get('turns.example'), 1)
  assert.equal(statusOf(await post(byToken(`http://127.0.0.2:${port}/`, `http://turns-too.example:${port}/`))), 200)
  assert.equal(names.asked.get('turns-too.example'), 1)
  assert.deepEqual(hits, { open: 3, inside: 0 })
})

for (const [what, answers] of [
  ['only inside', [['127.0.0.1']]],
  ['at a good place and inside', [['127.0.0.2', '127.0.0.1']]],
  ['inside and at a good place', [['127.0.0.1', '127.0.0.2']]],
  ['inside first and at a good place when asked again', [['127.0.0.1'], ['127.0.0.2']]],
] as const) {
  test(`a name that is ${what} is not dialled`, async (t) => {
    const { hits, port } = await twoPlaces(t)
    await nameServer(t, { 'name.example': answers })
    const { post } = openProven(t, { secrets: SECRETS, allow: ['127.0.0.2/32'] })
    const url = `http://name.example:${port}/`
    const direct = await post(aConnection({ url }))
    assert(direct.outcome.kind === 'address-not-allowed')
    assert.match(
      direct.outcome.error,
      /^name\.example is at 127\.0\.0\.1, which is loopback: not allowed unless ONWARD_ALLOW_ADDRESSES lists it$/,
    )
    assert.deepEqual(hits, { open: 0, inside: 0 })
  })
}

test('a name that many sockets need at once is looked up once, and each of them is judged by its own guard', async (t) => {
  const { hits, port } = await twoPlaces(t)
  const names = await nameServer(t, { 'busy.example': [['127.0.0.2'], ['127.0.0.1']] })
  const connection = aConnection({
    url: `http://busy.example:${port}/`,
    limits: { concurrency: 8, rate: null, timeout: 30_000 },
  })
  const allowed = openProven(t, { allow: ['127.0.0.2/32'] })
  const refused = openProven(t, { allow: [] })
  const attempts = await Promise.all([
    ...Array.from({ length: 8 }, () => allowed.post(connection)),
    refused.post(connection),
  ])
  assert.deepEqual(attempts.map(statusOf), [...Array.from({ length: 8 }, () => 200), 'address-not-allowed'])
  assert.equal(names.asked.get('busy.example'), 1)
  assert.deepEqual(hits, { open: 8, inside: 0 })
})

test('a name that does not exist is told with what to check', async (t) => {
  await nameServer(t, {})
  const { post } = openProven(t)
  const { outcome } = await post(aConnection({ url: 'http://nobody.example/' }))
  assert(outcome.kind === 'unreachable')
  assert.match(outcome.error, /ENOTFOUND.*: check the host of url$/)
})

test('a host in another script is looked up as it is spelled in DNS', async (t) => {
  const { port } = await twoPlaces(t)
  const names = await nameServer(t, { 'xn--grn-ioa.example': [['127.0.0.2']] })
  const { post } = openProven(t, { allow: ['127.0.0.2/32'] })
  assert.equal(statusOf(await post(aConnection({ url: `http://grün.example:${port}/ä b` }))), 200)
  assert.equal(names.asked.get('xn--grn-ioa.example'), 1)
})

test('what ONWARD_ALLOW_ADDRESSES lists is reached, in every spelling', async (t) => {
  const server = await targetServer(t)
  const { post } = openProven(t)
  for (const host of ['127.0.0.1', '2130706433', '0x7f.1', '[::ffff:127.0.0.1]', 'localhost']) {
    assert.equal(statusOf(await post(aConnection({ url: `http://${host}:${server.port}/` }))), 200, host)
  }
})

test('a forbidden port is not dialled, wherever it leads, nor asked for tokens; the next one is', async (t) => {
  const server = await targetServer(t)
  const { port } = server
  const at = (host: string) => aConnection({ url: `http://${host}:${port}/` })
  const forbidden = openProven(t, { secrets: SECRETS, forbidPorts: [[port - 1, port]] })
  for (const connection of [
    at('127.0.0.1'),
    at('localhost'),
    byToken('http://203.0.113.1/', `http://127.0.0.1:${port}/`),
  ]) {
    const { outcome } = await forbidden.post(connection)
    assert(outcome.kind === 'address-not-allowed')
    assert.match(outcome.error, new RegExp(`is asked for at port ${port}, which ONWARD_FORBID_PORTS lists$`))
  }
  const { outcome } = await openProven(t, { forbidPorts: [[443, 443]] }).post(
    aConnection({ url: 'https://localhost/' }),
  )
  assert.equal(outcome.kind, 'address-not-allowed')
  assert.equal(server.wire.length, 0)
  const beside = openProven(t, { forbidPorts: [[port + 1, 65_535]] })
  assert.equal(statusOf(await beside.post(at('127.0.0.1'))), 200)
})

// ── through a proxy ───────────────────────────────────────────────────────────────────────────────────────────────────

type ProxySeen = {
  readonly url: string
  readonly lines: readonly string[]
  readonly proofs: readonly (string | undefined)[]
}

async function proxyServer(t: TestContext, answer = 200): Promise<ProxySeen> {
  const lines: string[] = []
  const proofs: (string | undefined)[] = []
  const server = createServer((_request, response) => void response.writeHead(500).end())
  server.on('connect', (request, socket) => {
    lines.push(request.url ?? '')
    proofs.push(request.headers['proxy-authorization'])
    socket.on('error', () => undefined)
    if (answer !== 200) return void socket.end(`HTTP/1.1 ${answer} No\r\nContent-Length: 0\r\n\r\n`)
    const [host = '', port = ''] = (request.url ?? '').split(':')
    const onward = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      onward.pipe(socket).pipe(onward)
    })
    onward.on('error', () => socket.destroy())
    t.after(() => {
      onward.destroy()
      socket.destroy()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => void server.close())
  return { url: `http://u:p%40ss@127.0.0.1:${(server.address() as AddressInfo).port}`, lines, proofs }
}

test('through a proxy the address that was judged is asked for, and what is refused is not', async (t) => {
  const { port } = await twoPlaces(t)
  const proxy = await proxyServer(t)
  await nameServer(t, { 'turns.example': [['127.0.0.2'], ['127.0.0.1']], 'inside.example': [['10.0.0.1']] })
  const { post } = openProven(t, { proxy: proxy.url, allow: ['127.0.0.1/32', '127.0.0.2/32'] })
  assert.equal(statusOf(await post(aConnection({ url: `http://turns.example:${port}/` }))), 200)
  assert.deepEqual(proxy.lines, [`127.0.0.2:${port}`])
  assert.deepEqual(proxy.proofs, [`Basic ${Buffer.from('u:p@ss').toString('base64')}`])
  for (const host of ['inside.example', '169.254.169.254', '[fd00::1]']) {
    assert.equal((await post(aConnection({ url: `http://${host}/` }))).outcome.kind, 'address-not-allowed', host)
  }
  assert.equal(proxy.lines.length, 1)
})

test('a proxy at an address that is not allowed is not dialled', async (t) => {
  const proxy = await proxyServer(t)
  const { post } = openProven(t, { proxy: proxy.url, allow: ['127.0.0.2/32'] })
  const { outcome } = await post(aConnection({ url: 'http://127.0.0.2:9/' }))
  assert(outcome.kind === 'address-not-allowed')
  assert.match(outcome.error, /^the proxy 127\.0\.0\.1 is at 127\.0\.0\.1/)
  assert.equal(proxy.lines.length, 0)
})

test('a proxy that wants credentials, or is none, is told in words', async (t) => {
  const proxy = await proxyServer(t, 407)
  const { post } = openProven(t, { proxy: proxy.url })
  const { outcome } = await post(aConnection({ url: 'http://127.0.0.2:9/' }))
  assert.deepEqual(outcome, {
    kind: 'unreachable',
    error:
      'the proxy 127.0.0.1 refuses the tunnel with 407 No: put its user name and password into ONWARD_OUTBOUND_PROXY',
  })
})
