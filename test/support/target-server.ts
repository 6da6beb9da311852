// A real HTTP server on a free port that does what a script says: the remote API of a test.
// Enter: a reply for each request, in order; 200 after the last. Leave: the requests as they arrived, byte for byte.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import './root-hook.ts'
import { until } from './until.ts'

export type Reply =
  /** This status, at once, without a body. */
  | number
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string | Buffer }
  /** These bytes as they stand, instead of an answer; then the socket is closed, reset, or kept open. */
  | { readonly raw: string; readonly then: 'close' | 'reset' | 'hold' }
  /** Status and headers at once, then a piece of the body every `every` milliseconds, for ever. */
  | { readonly drip: number; readonly piece: string; readonly every: number }
  /** Status, headers, then a body without an end, as fast as it is read. */
  | { readonly endless: number }
  /** The request is read and the socket reset. */
  | 'reset'
  /** The request is read and never answered. */
  | 'silence'
  /** The answer waits until the test lets it go. */
  | { readonly held: Promise<Reply> }

export type Arrived = {
  readonly method: string
  /** Path and query as they came. */
  readonly path: string
  /** Name, value, name, value, … as they came. */
  readonly rawHeaders: readonly string[]
  readonly body: Buffer
  /** Which of the server's connections it came by, from 1. */
  readonly connection: number
}

/** undefined when it was not sent, or there is no such request. @param name as it was written */
export function headerOf(request: Arrived | undefined, name: string): string | undefined {
  const at = request?.rawHeaders.indexOf(name) ?? -1
  return at === -1 ? undefined : request?.rawHeaders[at + 1]
}

export type TargetServer = {
  readonly port: number
  readonly url: string
  /** In the order in which their last byte arrived. */
  readonly requests: readonly Arrived[]
  /** Bytes of each connection, in order of connecting. */
  readonly wire: readonly (readonly Buffer[])[]
  readonly openConnections: number
  /** The most requests that were unanswered at one instant. */
  readonly mostAtOnce: number
  /** Pieces of dripping bodies that were written so far. */
  readonly written: number
  /** Closes every socket that waits for its next request. */
  closeIdle(): void
  /** Resolves when so many requests have arrived whole. */
  received(count: number): Promise<readonly Arrived[]>
}

type Script = {
  readonly replies?: readonly Reply[]
  /** Asked for each request, instead of the list. */
  readonly reply?: (request: Arrived) => Reply
  /** Raw bytes of an answer that is given as soon as a request's headers are there; its body is read and thrown away. */
  readonly early?: string
}

export async function targetServer(t: TestContext, { replies = [], reply, early }: Script = {}): Promise<TargetServer> {
  const requests: Arrived[] = []
  const wire: Buffer[][] = []
  const sockets = new Map<Socket, number>()
  const stop = new AbortController()
  let atOnce = 0
  let mostAtOnce = 0
  const counts = { open: 0, written: 0 }

  const server = createServer((request, response) => {
    mostAtOnce = Math.max(mostAtOnce, ++atOnce)
    response.on('close', () => atOnce--)
    serve(request, response).catch((error: unknown) => {
      if (!stop.signal.aborted) throw error
    })
  })
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    if (early !== undefined) {
      request.socket.write(early)
      request.resume()
      return
    }
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const arrived: Arrived = {
      method: request.method ?? '',
      path: request.url ?? '',
      rawHeaders: request.rawHeaders,
      body: Buffer.concat(chunks),
      connection: sockets.get(request.socket) ?? 0,
    }
    requests.push(arrived)
    await answer(reply?.(arrived) ?? replies[requests.length - 1] ?? 200, response, counts, stop.signal)
  }
  server.on('connection', (socket) => {
    sockets.set(socket, sockets.size + 1)
    const bytes: Buffer[] = []
    wire.push(bytes)
    socket.on('data', (chunk: Buffer) => bytes.push(chunk))
    socket.on('error', () => undefined)
    counts.open++
    socket.on('close', () => counts.open--)
  })
  server.keepAliveTimeout = 60_000
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(async () => {
    stop.abort()
    for (const socket of sockets.keys()) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  const { port } = server.address() as AddressInfo
  return {
    port,
    url: `http://127.0.0.1:${port}/`,
    requests,
    wire,
    get openConnections() {
      return counts.open
    },
    get written() {
      return counts.written
    },
    get mostAtOnce() {
      return mostAtOnce
    },
    closeIdle: () => server.closeIdleConnections(),
    async received(count) {
      await until(`${count} requests arrive`, () => requests.length >= count)
      return requests.slice(0, count)
    },
  }
}

async function answer(
  reply: Reply,
  response: ServerResponse,
  counts: { written: number },
  signal: AbortSignal,
): Promise<void> {
  const { socket } = response
  if (reply === 'silence' || !socket) return
  if (reply === 'reset') return void socket.resetAndDestroy()
  if (typeof reply === 'number') return void response.writeHead(reply).end()
  if ('held' in reply) return answer(await reply.held, response, counts, signal)
  if ('raw' in reply) {
    socket.write(reply.raw, () => {
      if (reply.then === 'close') socket.end()
      else if (reply.then === 'reset') socket.resetAndDestroy()
    })
  } else if ('drip' in reply) {
    response.writeHead(reply.drip)
    while (!response.destroyed) {
      response.write(reply.piece)
      counts.written++
      await pause(reply.every, undefined, { signal })
    }
  } else if ('endless' in reply) {
    response.writeHead(reply.endless)
    const piece = Buffer.alloc(16 * 1024, 'x')
    const pour = () => {
      while (!response.destroyed && response.write(piece));
    }
    response.on('drain', pour)
    pour()
  } else {
    response.writeHead(reply.status, reply.headers).end(reply.body)
  }
}
