// What HTTP lets a server send without an end, and no bound of headers or bodies sees: read as far as an answer may go, and no
// further. The clock stands still, so no deadline ends it.
import assert from 'node:assert/strict'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { aConnection } from '../support/changes.ts'
import { manualClock } from '../support/clock.ts'
import { openProven } from '../support/proven.ts'
import { targetServer } from '../support/target-server.ts'

/** What both ends of a socket hold on this machine, several times over. */
const MOST_BYTES = 32 * 1024 * 1024

const MOST_DROPS = 100_000

/** Answers with a beginning, then pours the same piece for as long as anybody reads. */
async function pouringServer(t: TestContext, beginning: string, piece: string) {
  const sockets = new Set<Socket>()
  const poured = { bytes: 0 }
  const bytes = Buffer.from(piece.repeat(Math.ceil((64 * 1024) / piece.length)), 'latin1')
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('data', () => {
      socket.write(beginning)
      const pour = () => {
        while (!socket.destroyed && socket.write(bytes)) poured.bytes += bytes.length
        if (poured.bytes > MOST_BYTES) socket.destroy()
      }
      socket.on('drain', pour)
      pour()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, poured }
}

const CHUNKED = 'X\r\nTransfer-Encoding: chunked\r\n\r\n'
const NO_END = 'the remote API sends without an end what is no answer'
for (const [what, beginning, piece, outcome] of [
  ['interim answers', '', 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n', NO_END],
  ['line breaks', '', '\r\n', NO_END],
  ['a reason phrase', 'HTTP/1.1 500 ', 'x', NO_END],
  ['header lines', 'HTTP/1.1 500 X\r\n', 'X-A: b\r\n', NO_END],
  ['one header', 'HTTP/1.1 500 X\r\nX-A: ', 'b', NO_END],
  ['a chunk extension', `HTTP/1.1 500 ${CHUNKED}1;`, 'x', 500],
  ['a chunk extension behind 200', `HTTP/1.1 200 ${CHUNKED}1;`, 'x', 200],
  ["zeros before a chunk's size", `HTTP/1.1 500 ${CHUNKED}`, '0', 500],
  ['trailer lines', `HTTP/1.1 200 ${CHUNKED}0\r\n`, 'X-A: b\r\n', 200],
  ['chunks of one byte', `HTTP/1.1 200 ${CHUNKED}`, '1\r\nx\r\n', 200],
] as const) {
  test(`${what} without an end: the socket ends, and the outcome is what was heard`, async (t) => {
    const { url, poured } = await pouringServer(t, beginning, piece)
    const { post } = openProven(t, { clock: manualClock(t) })
    const attempted = await post(aConnection({ url }))
    if (outcome === NO_END) assert.deepEqual(attempted.outcome, { kind: 'broken', error: NO_END })
    else assert.equal(attempted.outcome.kind === 'answered' && attempted.outcome.status, outcome)
    assert(poured.bytes <= MOST_BYTES, `${poured.bytes} bytes were poured`)
  })
}

test('a drip of the smallest pieces ends, too, whatever each of them is', async (t) => {
  let dripped = 0
  const server = createServer((socket) => {
    socket.on('error', () => undefined).setNoDelay(true)
    socket.write(`HTTP/1.1 200 ${CHUNKED}1;`)
    const drip = () => {
      if (++dripped > MOST_DROPS) socket.destroy()
      if (!socket.destroyed) socket.write('x', () => setImmediate(drip))
    }
    socket.once('data', drip)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => new Promise((resolve) => server.close(resolve)))
  const { post } = openProven(t, { clock: manualClock(t) })
  const attempted = await post(aConnection({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` }))
  assert.equal(attempted.outcome.kind === 'answered' && attempted.outcome.status, 200)
  assert(dripped <= MOST_DROPS, `${dripped} pieces`)
})

test('each answer of a socket has the whole bound: what came before does not count', async (t) => {
  const body = Buffer.alloc(60 * 1024, 'x')
  const server = await targetServer(t, { reply: () => ({ status: 200, body }) })
  const { post } = openProven(t, { clock: manualClock(t) })
  const connection = aConnection({ url: server.url, limits: { concurrency: 1, rate: null, timeout: 30_000 } })
  for (let i = 0; i < 20; i++) {
    const { outcome } = await post(connection)
    assert.equal(outcome.kind === 'answered' && outcome.status, 200)
  }
  assert.equal(server.wire.length, 1)
})
