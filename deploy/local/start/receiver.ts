// The remote API of `npm start`: a real HTTP server that keeps what it got and can be told to fail.
// Enter: how each path behaves. Leave: every request as it came, with the answer it was given.
// Never: an opinion about what it got; check-order.ts and account.ts have those.
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Clock, Millis } from '../../../services/shared/clock.ts'

export type Behaviour =
  | { readonly kind: 'accept' }
  /** Counted from the path's first request on. */
  | { readonly kind: 'fail-for'; readonly status: number; readonly millis: Millis; readonly body: string }
  | { readonly kind: 'fail-times'; readonly status: number; readonly times: number; readonly body: string }
  | { readonly kind: 'refuse'; readonly status: number; readonly body: string }

export type ReceivedRequest = {
  /** Since the receiver opened. */
  readonly at: Millis
  readonly method: string
  /** Path and query as they came. */
  readonly target: string
  /** Names in small letters. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: Buffer
  /** What it was answered. */
  readonly status: number
}

export type Receiver = AsyncDisposable & {
  /** `http://127.0.0.1:<port>`. */
  readonly origin: string
  /** In the order in which they were answered. */
  readonly requests: readonly ReceivedRequest[]
  behave(path: string, behaviour: Behaviour): void
}

type Answer = { readonly status: number; readonly body: string }
const ACCEPTED: Answer = { status: 200, body: '' }

/** Pure. @param earlier requests of this path before this one @param sinceFirst since the first of them */
export function decideAnswer(behaviour: Behaviour, earlier: number, sinceFirst: Millis): Answer {
  switch (behaviour.kind) {
    case 'accept':
      return ACCEPTED
    case 'fail-for':
      return sinceFirst < behaviour.millis ? behaviour : ACCEPTED
    case 'fail-times':
      return earlier < behaviour.times ? behaviour : ACCEPTED
    case 'refuse':
      return behaviour
  }
}

/** @param onRequest told of each request once it is answered @param at where it listens */
export async function openReceiver(
  clock: Clock,
  onRequest: (request: ReceivedRequest) => void,
  at: { readonly host: string; readonly port: number } = { host: '127.0.0.1', port: 0 },
): Promise<Receiver> {
  const openedAt = clock.monotonic()
  const requests: ReceivedRequest[] = []
  const behaviours = new Map<string, Behaviour>()
  const paths = new Map<string, { readonly firstAt: Millis; count: number }>()

  const answer = (path: string, at: Millis): Answer => {
    const seen = paths.get(path) ?? { firstAt: at, count: 0 }
    paths.set(path, seen)
    return decideAnswer(behaviours.get(path) ?? { kind: 'accept' }, seen.count++, at - seen.firstAt)
  }
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const since = clock.monotonic() - openedAt
      const { method = '', url = '' } = request
      const { status, body } = answer(url.split('?')[0] ?? '', since)
      response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' }).end(body)
      const headers = headersOf(request)
      const received = { at: since, method, target: url, headers, body: Buffer.concat(chunks), status }
      requests.push(received)
      onRequest(received)
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(at.port, at.host, resolve)
  })
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    behave: (path, behaviour) => void behaviours.set(path, behaviour),
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** A header that came several times is shown as one line, as HTTP lets a proxy do. */
const headersOf = ({ headers }: IncomingMessage): ReadonlyMap<string, string> =>
  new Map(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value]],
    ),
  )
