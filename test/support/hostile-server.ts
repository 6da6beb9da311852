// A remote API that does harm, as a process of its own: each path does it in another way. Leaves on standard output its port, then
// ends when its standard input does. Run by hostile.test.ts with `node`.
import { createServer, type Socket } from 'node:net'
import { setPriority } from 'node:os'
import { gzipSync } from 'node:zlib'

// A remote API is on another machine: what it costs itself must not be taken from those whose time is measured here.
setPriority(19)

const canary = process.argv[2] ?? ''

const head = (status: number, lines: string) => `HTTP/1.1 ${status} X\r\n${lines}\r\n\r\n`
/** 256 MB, once it is expanded. */
const EXPLODES = gzipSync(Buffer.alloc(256 * 1024 * 1024))
const BOMB = Buffer.concat([
  Buffer.from(head(500, `Content-Encoding: gzip\r\nContent-Length: ${EXPLODES.length}`)),
  EXPLODES,
])

type Harm = (socket: Socket) => void

/**
 * A beginning, then the same piece for as long as it is read; with a turn between two, so that the sockets' buffers on this machine
 * are not filled with megabytes that nobody reads: that harms whoever runs here, and no forwarder elsewhere.
 */
const pouring = (beginning: string, piece: string): Harm => {
  const bytes = Buffer.from(piece.repeat(Math.ceil((64 * 1024) / piece.length)))
  return (socket) => {
    const pour = () => {
      if (!socket.destroyed) socket.write(bytes, () => setImmediate(pour))
    }
    socket.write(beginning, pour)
  }
}

const CHUNKED = 'Transfer-Encoding: chunked'
const HARMS: Readonly<Record<string, Harm>> = {
  // A byte now and then, for ever.
  drip: (socket) => {
    socket.write(head(500, CHUNKED))
    const timer = setInterval(() => socket.write('1\r\nx\r\n'), 20)
    socket.on('close', () => clearInterval(timer))
  },
  // As much as is read, for ever: of a body, of long and of short header lines, of what is beside both.
  flood: pouring(head(500, 'Content-Type: text/plain'), 'x'),
  'flood-headers': pouring('HTTP/1.1 200 OK\r\n', `X-A: ${'x'.repeat(8_000)}\r\n`),
  'flood-lines': pouring('HTTP/1.1 200 OK\r\n', 'X-A: b\r\n'),
  'flood-trailers': pouring(`${head(200, CHUNKED)}0\r\n`, 'X-A: b\r\n'),
  'flood-extension': pouring(`${head(200, CHUNKED)}1;`, 'x'),
  'flood-interim': pouring('', 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'),
  bomb: (socket) => socket.end(BOMB),
  reset: (socket) => socket.resetAndDestroy(),
  // Answered before the request was read.
  early: (socket) => socket.write(head(500, 'Content-Length: 2') + 'no'),
  redirect: (socket) =>
    socket.write(head(307, `Location: http://169.254.169.254/latest/meta-data/\r\nContent-Length: 0`)),
  'redirect-near': (socket) => socket.write(head(302, `Location: ${canary}\r\nContent-Length: 0`)),
  // Answers, and closes as soon as the socket is idle.
  idle: (socket) => {
    socket.write(head(200, 'Content-Length: 0'))
    setImmediate(() => socket.destroy())
  },
  silence: () => undefined,
}

const server = createServer((socket) => {
  socket.on('error', () => undefined)
  let text = ''
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
    const early = text.startsWith('POST /early')
    const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0)
    const end = text.indexOf('\r\n\r\n')
    if (end === -1 || (!early && text.length < end + 4 + length)) return
    const [, path = ''] = /^POST \/([\w-]*)/.exec(text) ?? []
    text = ''
    HARMS[path]?.(socket)
  })
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  console.log(JSON.stringify({ port: typeof address === 'object' ? address?.port : 0, harms: Object.keys(HARMS) }))
})
process.stdin.resume().on('close', () => process.exit(0))
