// The remote APIs of a chaos run: each a real HTTP server on a port of its own that is in one mood at a time.
// Enter: requests. Leave: each noted down when its last byte has arrived, in one order over all remotes, in memory and in a file.
import { createWriteStream } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { assertNever } from '../../services/shared/assert-never.ts'
import type { Request } from './judge-history.ts'
import type { Mood } from './plan-faults.ts'

export type Remote = AsyncDisposable & {
  readonly name: string
  readonly url: string
  become(mood: Mood): Promise<void>
}

export type Arrivals = AsyncDisposable & {
  readonly requests: readonly Request[]
  /** @param refuses answers 410 to about one in so many changes, always the same ones; 0 for none */
  openRemote(name: string, refuses: number): Promise<Remote>
}

const ANSWERS_AFTER_MS = 5
const SLOW_MS = 1_200
const FLAPS_EVERY_MS = 400
/** Between two pieces of an answer that drips, and how many there are: longer than a request may take. */
const DRIPS = { every: 500, pieces: 20 }

const KEY = /^"([^/]+\/[^:]+):(.+):(\d+):(\d+)"$/
/** JSON of a case, JSON of a form's case list is not sent: a form's case is what its key says; here both carry `case_id`. */
const CASE = /case_id\\?"?[:=] ?\\?"([^"\\]+)/

/** @param onAnswered told the port of whoever asked when a 2xx has left for it */
export function openArrivals(file: string, startedAt: number, onAnswered: (port: number) => void): Arrivals {
  const requests: Request[] = []
  const written = createWriteStream(file)
  const remotes: Remote[] = []
  const now = () => performance.now() - startedAt
  return {
    requests,
    async openRemote(name, refuses) {
      const note: Note = (request, response, body, accepts, isAwaited) => {
        const [, repeater = '', topic = '', partition, offset] =
          KEY.exec(String(request.headers['idempotency-key'])) ?? []
        const isRefused = refuses > 0 && (Number(offset) * 7 + Number(partition)) % refuses === 0
        const noted = {
          repeater,
          topic,
          partition: Number(partition),
          offset: Number(offset),
          caseId: CASE.exec(body)?.[1] ?? '',
          version: Number(request.headers['onward-version']),
          accepted: accepts && !isRefused,
          at: now(),
          endedAt: isAwaited ? Infinity : null,
        }
        requests.push(noted)
        // One that is killed, or gives up, closes its socket.
        response.once('close', () => {
          if (noted.endedAt === Infinity) noted.endedAt = now()
        })
        written.write(`${JSON.stringify({ ...noted, attempt: request.headers['onward-attempt'], remote: name })}\n`)
        return {
          isRefused,
          end: () => {
            if (noted.endedAt === Infinity) noted.endedAt = now()
          },
        }
      }
      const remote = await openRemote(name, note, onAnswered)
      remotes.push(remote)
      return remote
    },
    async [Symbol.asyncDispose]() {
      for (const remote of remotes) await remote[Symbol.asyncDispose]()
      await new Promise<void>((resolve) => written.end(resolve))
    },
  }
}

/**
 * @param isAwaited its answer is one that whoever asked waits for to its end
 * @returns whether this change is refused for good, where the mood would accept it; and what is to be called as it is answered
 */
type Note = (
  request: IncomingMessage,
  response: ServerResponse,
  body: string,
  accepts: boolean,
  isAwaited: boolean,
) => { readonly isRefused: boolean; readonly end: () => void }

async function openRemote(name: string, note: Note, onAnswered: (port: number) => void): Promise<Remote> {
  let mood: Mood = 'well'
  const sockets = new Set<Socket>()
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('error', () => undefined)
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const now =
        mood === 'flap' ? (Math.floor(performance.now() / FLAPS_EVERY_MS) % 2 === 0 ? 'well' : 'unavailable') : mood
      const body = Buffer.concat(chunks).toString('utf8')
      const { isRefused, end } = note(request, response, body, ACCEPTING.has(now), AWAITED.has(now))
      const port = request.socket.remotePort ?? 0
      answer(isRefused && ACCEPTING.has(now) ? 'gone' : now, response, end, () => onAnswered(port))
    })
  })
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
  })
  server.keepAliveTimeout = 60_000
  const listen = (port: number) => new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  await listen(0)
  const { port } = server.address() as AddressInfo
  const shut = async () => {
    const closed = new Promise((resolve) => server.close(resolve))
    for (const socket of sockets) socket.destroy()
    await closed
  }
  return {
    name,
    url: `http://127.0.0.1:${port}/`,
    async become(next) {
      const before = mood
      mood = next
      if (next === 'refuse' && before !== 'refuse') await shut()
      else if (next !== 'refuse' && before === 'refuse') await listen(port)
      // What hangs would otherwise hang on, whatever the remote has become.
      if (before === 'hang') for (const socket of sockets) socket.destroy()
    },
    async [Symbol.asyncDispose]() {
      if (server.listening) await shut()
    },
  }
}

/** Those whose headers say 200. */
const ACCEPTING: ReadonlySet<Mood> = new Set(['well', 'slow', 'drip', 'cut'])

/** Those that are answered whole: of the others a client may have enough before they end, or never hears that they did. */
const AWAITED: ReadonlySet<Mood> = new Set(['well', 'slow', 'unavailable', 'busy'])

/** @param end called before the answer leaves @param accepted called when a 2xx has left */
function answer(
  mood: Exclude<Mood, 'flap'> | 'gone',
  response: ServerResponse,
  end: () => void,
  accepted: () => void,
): void {
  const { socket } = response
  const say = (status: number, after: number, headers: Readonly<Record<string, string>> = {}) => {
    setTimeout(() => {
      end()
      response.writeHead(status, { 'Content-Length': '0', ...headers }).end(() => {
        if (status < 300) accepted()
      })
    }, after)
  }
  switch (mood) {
    case 'well':
      return say(200, ANSWERS_AFTER_MS)
    case 'slow':
      return say(200, SLOW_MS)
    case 'gone':
      return say(410, ANSWERS_AFTER_MS)
    case 'unavailable':
      return say(503, ANSWERS_AFTER_MS)
    case 'busy':
      return say(429, ANSWERS_AFTER_MS, { 'Retry-After': '2' })
    case 'hang':
      return
    case 'refuse':
    case 'reset':
      return void socket?.resetAndDestroy()
    case 'cut':
      response.writeHead(200, { 'Content-Length': '1000' }).write('half', () => socket?.resetAndDestroy())
      return
    case 'drip':
      response.writeHead(200)
      return drip(response, DRIPS.pieces)
    default:
      return assertNever(mood)
  }
}

function drip(response: ServerResponse, left: number): void {
  if (response.destroyed) return
  if (left === 0) return void response.end()
  response.write('.')
  setTimeout(() => drip(response, left - 1), DRIPS.every)
}
