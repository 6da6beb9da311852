// The remote API of a benchmark, a process of its own: one raw HTTP/1.1 server, since it must never be what is measured.
// Enter: POST requests with a Content-Length whose body names a case and its `version` property (1, 2, 3, … a case).
// Leave: `200` after a fixed time, for some paths much later or `503` at once; counters on a second, ordinary HTTP port.
// Never: pipelining, chunked bodies or TLS; nobody measured here sends them.
import { createServer as createHttpServer } from 'node:http'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { parseArgs } from 'node:util'
import { createCaseBook, textAfter } from './case-book.ts'
import { LateAnswers } from './late-answers.ts'
import { createLatencies } from './latencies.ts'
import type { ReceiverFigures } from './open-receiver.ts'
import { createRefusalBook } from './refusal-book.ts'
import { SENT_AT } from './stamp.ts'
import type { Errand } from './troubles.ts'

/** Longest head looked at: a sender that writes more is not one of ours. */
const HEAD_LIMIT = 16 * 1024
const END_OF_HEAD = '\r\n\r\n'
const CONTENT_LENGTH = /\r\ncontent-length: *(\d+)/i
const OK = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
const REFUSAL = Buffer.from('HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n')

const AUTHORIZATION = /\r\nauthorization:/i
const CHALLENGE = Buffer.from(
  'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Digest realm="bench", nonce="bench", qop="auth", algorithm=SHA-256\r\nContent-Length: 0\r\n\r\n',
)
const TOKEN_BODY = '{"access_token":"bench","token_type":"bearer","expires_in":3600}'
const TOKEN = Buffer.from(
  `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${TOKEN_BODY.length}\r\n\r\n${TOKEN_BODY}`,
)

const { values } = parseArgs({
  options: { latency: { type: 'string', default: '5' }, 'hang-for': { type: 'string', default: '5000' } },
})

/** What arrived at paths that answer as they should, and at those that hang. */
const well = createCaseBook()
const hung = createCaseBook()
const refusals = createRefusalBook()
const latencies = createLatencies()
let errand: Errand = { hang: [], refuse: [] }
let hangs = new Set<string>()
let refuses = new Set<string>()
let requests = 0
let sockets = 0
let mostSockets = 0
let firstAt = 0
let lastAt = 0

const onAnswered = (now: number): void => {
  lastAt = now
}
const soon = new LateAnswers(Number(values.latency), OK, onAnswered)
const late = new LateAnswers(Number(values['hang-for']), OK, onAnswered)

function take(socket: Socket, path: string, bytes: Buffer, bodyStart: number, bodyEnd: number): void {
  const now = performance.now()
  requests += 1
  if (requests === 1) firstAt = now
  if (refuses.has(path)) {
    refusals.enter(path, now)
    socket.write(REFUSAL)
    return
  }
  const body = bytes.toString('latin1', bodyStart, bodyEnd)
  const sentAt = textAfter(body, SENT_AT)
  if (sentAt !== '') latencies.enter((Number(process.hrtime.bigint() / 1_000n) - Number(sentAt)) / 1_000)
  const isHung = hangs.has(path)
  const book = isHung ? hung : well
  const answers = isHung ? late : soon
  book.enter(body)
  answers.add(socket, now)
}

/** @returns true when it asked for proof, or gave a token: that is no delivery. It believes every proof. */
function answerProof(socket: Socket, head: string): boolean {
  const answer = head.startsWith('POST /token ')
    ? TOKEN
    : head.startsWith('POST /digest/') && !AUTHORIZATION.test(head)
      ? CHALLENGE
      : undefined
  if (answer === undefined) return false
  socket.write(answer)
  return true
}

function serve(socket: Socket): void {
  sockets += 1
  mostSockets = Math.max(mostSockets, sockets)
  let held: Buffer | undefined
  socket.setNoDelay(true)
  socket.on('data', (chunk: Buffer) => {
    const bytes = held === undefined ? chunk : Buffer.concat([held, chunk])
    held = undefined
    const endOfHead = bytes.indexOf(END_OF_HEAD)
    if (endOfHead < 0) {
      if (bytes.length > HEAD_LIMIT) socket.destroy()
      else held = bytes
      return
    }
    const head = bytes.toString('latin1', 0, endOfHead + 2)
    const length = CONTENT_LENGTH.exec(head)?.[1]
    const bodyStart = endOfHead + END_OF_HEAD.length
    const bodyEnd = bodyStart + Number(length ?? 0)
    if (bytes.length < bodyEnd) held = bytes
    else if (!answerProof(socket, head)) take(socket, pathOf(head), bytes, bodyStart, bodyEnd)
  })
  socket.on('error', () => socket.destroy())
  socket.on('close', () => {
    sockets -= 1
  })
}

/** `POST /p07 HTTP/1.1` */
const pathOf = (head: string): string => head.slice(head.indexOf(' ') + 1, head.indexOf(' HTTP/'))

function begin(next: Errand): void {
  errand = next
  hangs = new Set(errand.hang)
  refuses = new Set(errand.refuse)
  for (const book of [well, hung, refusals, latencies]) book.clear()
  requests = 0
  lastAt = firstAt = 0
  mostSockets = sockets
}

function figures(): ReceiverFigures {
  const [ofWell, ofHung] = [well.figures(), hung.figures()]
  return {
    requests,
    settled: ofWell.settled + ofHung.settled,
    wellSettled: ofWell.settled,
    outOfOrder: ofWell.outOfOrder + ofHung.outOfOrder,
    repeated: ofWell.repeated + ofHung.repeated,
    skipped: ofWell.skipped + ofHung.skipped,
    unnamed: ofWell.unnamed + ofHung.unnamed,
    refusals: refusals.figures(performance.now()),
    latency: latencies.figures(),
    mostSockets,
    span: Math.max(lastAt - firstAt, 0),
  }
}

const control = createHttpServer((request, response) => {
  response.setHeader('Content-Type', 'application/json')
  if (request.method === 'GET') return void response.end(JSON.stringify(figures()))
  if (request.url === '/forget-latencies') {
    latencies.clear()
    return void response.end('{}')
  }
  text(request)
    .then((body) => {
      begin(JSON.parse(body) as Errand)
      response.end('{}')
    })
    .catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined))
})
const remote = createServer(serve)
remote.listen(0, '127.0.0.1', 4_096, () => {
  control.listen(0, '127.0.0.1', () => {
    const portOf = (address: AddressInfo | string | null): number =>
      typeof address === 'object' && address !== null ? address.port : 0
    process.stdout.write(
      `${JSON.stringify({ port: portOf(remote.address()), controlPort: portOf(control.address()) })}\n`,
    )
  })
})
