import assert from 'node:assert/strict'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { test, type TestContext } from 'node:test'
import { gzipSync } from 'node:zlib'
import { openAddressGuard } from '../../services/shared/address-guard.ts'
import { openRemotes } from '../../services/forwarder/attempt.ts'
import { emptyReply, type Ongoing } from '../../services/forwarder/exchange.ts'
import type { Outcome } from '../../services/forwarder/outcome.ts'
import type { Request } from '../../services/forwarder/render-request.ts'
import { systemClock, type Clock } from '../../services/shared/clock.ts'
import type { Connection } from '../../services/shared/forwarding/connection.ts'
import { aConnection } from '../support/changes.ts'
import { manualClock } from '../support/clock.ts'
import { targetServer, type Reply } from '../support/target-server.ts'
import { until } from '../support/until.ts'

const ALLOW_LOOPBACK = ['127.0.0.0/8', '::1/128']

const remotesFor = (t: TestContext, clock: Clock = systemClock, allow: readonly string[] = ALLOW_LOOPBACK) => {
  const remotes = openRemotes(openAddressGuard(allow), clock)
  t.after(() => remotes[Symbol.asyncDispose]())
  return remotes
}
const aRequest = (url: string, overrides: Partial<Request> = {}): Request => {
  const { origin, pathname, search } = new URL(url)
  return {
    method: 'POST',
    origin,
    path: pathname + search,
    headers: ['Content-Type', 'text/xml'],
    body: Buffer.from('<a/>'),
    ...overrides,
  }
}

type Asked = { readonly connection?: Partial<Connection>; readonly request?: Partial<Request>; readonly clock?: Clock }

/** One request to a server that answers with `reply`. */
const ask = async (t: TestContext, reply: Reply, { connection, request, clock }: Asked = {}) => {
  const server = await targetServer(t, { replies: [reply] })
  const running = new Set<Ongoing>()
  const attempt = remotesFor(t, clock).attempt(aConnection(connection), aRequest(server.url, request), running)
  const { outcome } = await attempt
  assert.equal(running.size, 0)
  return { outcome, server }
}
const statusOf = (outcome: Outcome): number | string => (outcome.kind === 'answered' ? outcome.status : outcome.kind)

for (const status of [200, 201, 202, 204, 299]) {
  test(`${status} without a body is an answer`, async (t) => {
    const { outcome } = await ask(t, status)
    assert.deepEqual(outcome, { kind: 'answered', status, retryAfter: null, excerpt: '' })
  })
}

test('200 with an empty body and no length ends when the socket does', async (t) => {
  const { outcome } = await ask(t, { raw: 'HTTP/1.1 200 OK\r\n\r\n', then: 'close' })
  assert.equal(statusOf(outcome), 200)
})

test('a 2xx whose body never ends is delivered once 64 KiB of it are read, and its socket is closed', async (t) => {
  const { outcome, server } = await ask(t, { endless: 200 })
  assert.equal(statusOf(outcome), 200)
  await until('the socket is closed', () => server.openConnections === 0)
})

test('a 2xx whose body is reset is delivered', async (t) => {
  const { outcome } = await ask(t, { raw: 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc', then: 'reset' })
  assert.equal(statusOf(outcome), 200)
})

test('a 2xx whose body is cut short is delivered', async (t) => {
  const { outcome } = await ask(t, { raw: 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc', then: 'close' })
  assert.equal(statusOf(outcome), 200)
})

test('a 2xx whose body is no valid chunk is delivered', async (t) => {
  const { outcome } = await ask(t, {
    raw: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\n',
    then: 'close',
  })
  assert.equal(statusOf(outcome), 200)
})

test('a 2xx whose body drips is delivered at the total deadline, not after it', async (t) => {
  const clock = manualClock(t)
  const server = await targetServer(t, { replies: [{ drip: 200, piece: 'x', every: 1 }] })
  const attempt = remotesFor(t, clock).attempt(aConnection(), aRequest(server.url), new Set())
  for (let at = 0; at < 30_000; at += 7_500) {
    const before = server.written
    await until('more of the body is written, and read', () => server.written > before + 50)
    await clock.advance(7_500)
  }
  assert.equal(statusOf((await attempt).outcome), 200)
  assert.equal((await attempt).duration, 30_000)
})

for (const status of [200, 503]) {
  test(`${status} whose body stops and goes silent is an answer ten seconds later, long before the total deadline`, async (t) => {
    const clock = manualClock(t)
    const raw = `HTTP/1.1 ${status} X\r\nContent-Length: 100\r\n\r\nwords`
    const server = await targetServer(t, { replies: [{ raw, then: 'hold' }] })
    const connection = aConnection({ limits: { concurrency: 1, rate: null, timeout: 600_000 } })
    const reply = emptyReply()
    const attempt = remotesFor(t, clock).attempt(connection, aRequest(server.url), new Set(), reply)
    await until('the answer begins', () => reply.pieces.length > 0)
    await clock.advance(10_000)
    const { outcome, duration } = await attempt
    assert.deepEqual(outcome, { kind: 'answered', status, retryAfter: null, excerpt: status === 200 ? '' : 'words' })
    assert.equal(duration, 10_000)
    await until('the socket is closed', () => server.openConnections === 0)
  })
}

test('an answer that begins late is waited for as long as the total deadline allows', async (t) => {
  const clock = manualClock(t)
  let answer: (reply: Reply) => void = () => undefined
  const held = new Promise<Reply>((resolve) => (answer = resolve))
  const server = await targetServer(t, { replies: [{ held }] })
  const attempt = remotesFor(t, clock).attempt(aConnection(), aRequest(server.url), new Set())
  await server.received(1)
  await clock.advance(29_999)
  answer(200)
  assert.equal(statusOf((await attempt).outcome), 200)
})

test('an error keeps the beginning of its body, made safe', async (t) => {
  const { outcome } = await ask(t, { status: 422, body: 'no such\r\n\u001b[31mcase' })
  assert.deepEqual(outcome, { kind: 'answered', status: 422, retryAfter: null, excerpt: 'no such [31mcase' })
  const long = await ask(t, { status: 500, body: 'x'.repeat(300_000) })
  assert(long.outcome.kind === 'answered' && long.outcome.excerpt.length <= 256)
})

test('an error whose body is cut keeps its status', async (t) => {
  const { outcome } = await ask(t, {
    raw: 'HTTP/1.1 503 No\r\nRetry-After: 7\r\nContent-Length: 99\r\n\r\nwords',
    then: 'reset',
  })
  assert.deepEqual(outcome, { kind: 'answered', status: 503, retryAfter: '7', excerpt: 'words' })
})

test('the first of several Retry-After headers is heard', async (t) => {
  const { outcome } = await ask(t, {
    raw: 'HTTP/1.1 503 No\r\nRetry-After: 7\r\nRetry-After: 9\r\nContent-Length: 0\r\n\r\n',
    then: 'hold',
  })
  assert(outcome.kind === 'answered')
  assert.equal(outcome.retryAfter, '7')
})

test('a redirect is an answer and is not followed', async (t) => {
  const other = await targetServer(t)
  const { outcome, server } = await ask(t, { status: 307, headers: { Location: other.url } })
  assert.equal(statusOf(outcome), 307)
  assert.equal(server.requests.length, 1)
  assert.equal(other.requests.length, 0)
})

test('an interim status is passed over: the final one counts', async (t) => {
  const interim = 'HTTP/1.1 103 Early Hints\r\nRetry-After: 9\r\nLink: </a>\r\n\r\n'
  const final = 'HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n'
  const { outcome } = await ask(t, { raw: interim + interim + final, then: 'hold' })
  assert.deepEqual(outcome, { kind: 'answered', status: 503, retryAfter: null, excerpt: '' })
})

test('an interim status alone is no answer', async (t) => {
  const { outcome } = await ask(t, { raw: 'HTTP/1.1 102 Processing\r\n\r\n', then: 'close' })
  assert.equal(outcome.kind, 'broken')
})

test('switching protocols is no answer', async (t) => {
  const { outcome } = await ask(t, {
    raw: 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
    then: 'hold',
  })
  assert.equal(outcome.kind, 'broken')
})

for (const [what, reply] of [
  ['a socket that is reset before an answer', 'reset'],
  ['a socket that is closed before an answer', { raw: '', then: 'close' }],
  ['an answer that is no HTTP', { raw: 'SSH-2.0-OpenSSH_9.6\r\n\r\n', then: 'hold' }],
  ['headers without an end', { raw: `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100_000)}`, then: 'close' }],
] as const satisfies readonly (readonly [string, Reply])[]) {
  test(`${what} is broken: the remote may have processed the request`, async (t) => {
    const { outcome } = await ask(t, reply)
    assert.equal(outcome.kind, 'broken')
  })
}

test('silence ends with the total deadline', async (t) => {
  const clock = manualClock(t)
  const server = await targetServer(t, { replies: ['silence'] })
  const remotes = remotesFor(t, clock)
  const attempt = remotes.attempt(
    aConnection({ limits: { concurrency: 1, rate: null, timeout: 700 } }),
    aRequest(server.url),
    new Set(),
  )
  await server.received(1)
  await clock.advance(699)
  await clock.advance(1)
  const { outcome, duration } = await attempt
  assert.deepEqual(outcome, { kind: 'broken', error: 'no complete answer within 700 ms' })
  assert.equal(duration, 700)
  await until('the socket is closed', () => server.openConnections === 0)
})

test('an answer that comes while the body is still being sent counts', async (t) => {
  const server = await targetServer(t, { early: 'HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig' })
  const request = aRequest(server.url, { body: Buffer.alloc(8 * 1024 * 1024, 'x') })
  const { outcome } = await remotesFor(t).attempt(aConnection(), request, new Set())
  assert.deepEqual(outcome, { kind: 'answered', status: 413, retryAfter: null, excerpt: 'big' })
})

test('many requests of a connection go over one socket when they follow each other', async (t) => {
  const server = await targetServer(t)
  const remotes = remotesFor(t)
  const connection = aConnection({ limits: { concurrency: 1, rate: null, timeout: 30_000 } })
  for (let i = 0; i < 50; i++) {
    const { outcome } = await remotes.attempt(connection, aRequest(server.url), new Set())
    assert.equal(statusOf(outcome), 200)
  }
  assert.equal(server.wire.length, 1)
})

test('requests at once take no more sockets than the connection has slots', async (t) => {
  const server = await targetServer(t)
  const remotes = remotesFor(t)
  const connection = aConnection({ limits: { concurrency: 3, rate: null, timeout: 30_000 } })
  await Promise.all(Array.from({ length: 30 }, () => remotes.attempt(connection, aRequest(server.url), new Set())))
  assert.equal(server.requests.length, 30)
  assert(server.wire.length <= 3, `${server.wire.length} sockets`)
})

test('an attempt that we end is neither an answer nor a failure, and its socket is closed', async (t) => {
  const server = await targetServer(t, { replies: ['silence'] })
  const running = new Set<Ongoing>()
  const attempt = remotesFor(t).attempt(aConnection(), aRequest(server.url), running)
  await server.received(1)
  for (const exchange of running) exchange.abort()
  assert.deepEqual((await attempt).outcome, { kind: 'aborted' })
  await until('the socket is closed', () => server.openConnections === 0)
})

test('an attempt that we end after its 2xx arrived is delivered', async (t) => {
  const server = await targetServer(t, { replies: [{ drip: 200, piece: 'x', every: 1 }] })
  const running = new Set<Ongoing>()
  const attempt = remotesFor(t).attempt(aConnection(), aRequest(server.url), running)
  await until('some of the body is written', () => server.written > 3)
  for (let turn = 0; turn < 20; turn++) await nextTurn()
  for (const exchange of running) exchange.abort()
  assert.equal(statusOf((await attempt).outcome), 200)
})

test('an attempt that we end while it waits for a socket sends nothing', async (t) => {
  const server = await targetServer(t, { replies: ['silence'] })
  const remotes = remotesFor(t)
  const connection = aConnection({ limits: { concurrency: 1, rate: null, timeout: 30_000 } })
  const first = new Set<Ongoing>()
  const second = new Set<Ongoing>()
  const one = remotes.attempt(connection, aRequest(server.url), first)
  await server.received(1)
  const other = remotes.attempt(connection, aRequest(server.url, { path: '/second' }), second)
  for (const exchange of second) exchange.abort()
  assert.deepEqual((await other).outcome, { kind: 'aborted' })
  for (const exchange of first) exchange.abort()
  await one
  const third = await remotes.attempt(connection, aRequest(server.url, { path: '/third' }), new Set())
  assert.equal(statusOf(third.outcome), 200)
  assert.deepEqual(
    server.requests.map(({ path }) => path),
    ['/', '/third'],
  )
})

test('closing the pools of a connection that is gone lets its requests end', async (t) => {
  let answer: (reply: Reply) => void = () => undefined
  const held = new Promise<Reply>((resolve) => (answer = resolve))
  const server = await targetServer(t, { replies: [{ held }] })
  const remotes = remotesFor(t)
  const attempt = remotes.attempt(aConnection(), aRequest(server.url), new Set())
  await server.received(1)
  remotes.keepOnly(() => false)
  answer(200)
  assert.equal(statusOf((await attempt).outcome), 200)
  await until('the socket is closed', () => server.openConnections === 0)
})

test('sockets of a connection as it was before a change serve no more, and close', async (t) => {
  const server = await targetServer(t)
  const remotes = remotesFor(t)
  const connection = aConnection({ limits: { concurrency: 1, rate: null, timeout: 30_000 } })
  for (let i = 0; i < 3; i++) await remotes.attempt(connection, aRequest(server.url), new Set())
  assert.equal(server.wire.length, 1)
  await remotes.attempt({ ...connection }, aRequest(server.url), new Set())
  assert.equal(server.wire.length, 2)
  await until('the old socket is closed', () => server.openConnections === 1)
})

test('a keep-alive socket that the peer closed while it was idle costs no attempt', async (t) => {
  const server = await targetServer(t)
  const remotes = remotesFor(t)
  const connection = aConnection({ limits: { concurrency: 1, rate: null, timeout: 30_000 } })
  for (let i = 0; i < 20; i++) {
    const { outcome } = await remotes.attempt(connection, aRequest(server.url), new Set())
    assert.equal(statusOf(outcome), 200)
    server.closeIdle()
    await until('the socket is closed', () => server.openConnections === 0)
  }
  assert.equal(server.requests.length, 20)
})

test('an error in problem details, compressed, is told in its words', async (t) => {
  const body = gzipSync(JSON.stringify({ title: 'No credit', detail: 'Your balance\u202e is 30.' }))
  const headers = { 'Content-Type': 'application/problem+json', 'Content-Encoding': 'gzip' }
  const { outcome } = await ask(t, { status: 403, headers, body })
  assert.deepEqual(outcome, {
    kind: 'answered',
    status: 403,
    retryAfter: null,
    excerpt: 'No credit: Your balance is 30.',
  })
})

test('an endless flood of interim answers ends with the total deadline', async (t) => {
  const clock = manualClock(t)
  const interim = 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'.repeat(1_000)
  const server = await targetServer(t, { replies: [{ raw: interim, then: 'hold' }] })
  const attempt = remotesFor(t, clock).attempt(aConnection(), aRequest(server.url), new Set())
  await server.received(1)
  await clock.advance(30_000)
  assert.equal((await attempt).outcome.kind, 'broken')
})

// ── hearers ───────────────────────────────────────────────────────────────────────────────────────────────────────────

for (const [what, first] of [
  ['whole', 401],
  ['cut in its body', { raw: 'HTTP/1.1 401 X\r\nContent-Length: 100\r\n\r\nabc', then: 'close' }],
] as const satisfies readonly (readonly [string, Reply])[]) {
  test(`who hears an answer that came ${what} may send again from within it: what comes of that is the attempt's`, async (t) => {
    const server = await targetServer(t, { replies: [first, 204] })
    const remotes = remotesFor(t)
    const connection = aConnection({ limits: { concurrency: 1, rate: null, timeout: 30_000 } })
    const running = new Set<Ongoing>()
    const heard: Outcome[] = []
    const { outcome } = await remotes.attempt(connection, aRequest(server.url), running, undefined, async (answer) => {
      heard.push(answer)
      return (await remotes.attempt(connection, aRequest(server.url), running)).outcome
    })
    assert.equal(statusOf(outcome), 204)
    assert.deepEqual(heard.map(statusOf), [401])
    assert.equal(server.requests.length, 2)
    assert.equal(running.size, 0)
  })
}

test('a hearer that throws fails its attempt and no other, and its socket serves on', async (t) => {
  const server = await targetServer(t, { replies: [200, 200] })
  const remotes = remotesFor(t)
  const connection = aConnection({ limits: { concurrency: 1, rate: null, timeout: 30_000 } })
  const failed = remotes.attempt(connection, aRequest(server.url), new Set(), undefined, () => {
    throw new Error('cannot be read')
  })
  await assert.rejects(failed, /cannot be read/)
  assert.equal(statusOf((await remotes.attempt(connection, aRequest(server.url), new Set())).outcome), 200)
  assert.equal(server.openConnections, 1)
})
