// One HTTP attempt: request → outcome. The last room before the socket, and the only one that knows the HTTP client.
// Enter: a connection and a rendered request. Leave: a tagged outcome; it never throws for what a remote may answer.
// Each connection has its own pool, so that a slow or broken one takes no socket from another.
import { Pool, type Dispatcher } from 'undici'
import type { Clock, Millis } from '../shared/clock.ts'
import { errorText } from '../shared/error-text.ts'
import type { Connection } from '../shared/forwarding/connection.ts'
import type { ConnectionId } from '../shared/ids.ts'
import type { AddressGuard } from '../shared/address-guard.ts'
import { ANSWER_BYTES } from './bound-answers.ts'
import { openDial } from './dial.ts'
import { Exchange, type Conceal, type Ongoing, type Reply } from './exchange.ts'
import type { Attempted, Outcome } from './outcome.ts'
import type { Proxy } from './proxy.ts'
import type { Request } from './render-request.ts'
import type { TlsDesk } from './tls-material.ts'

export type Remotes = AsyncDisposable & {
  /**
   * @param connection the definition in force: the same object until it changes
   * @param running the exchange is in it while it lasts, so that a revocation can end what it started
   */
  attempt(connection: Connection, request: Request, running: Set<Ongoing>): Promise<Attempted>
  /** Closes the pools of connections that are no longer configured. */
  keepOnly(configured: (id: ConnectionId) => boolean): void
}

/** Takes the outcome of a request as its answer ends. @returns the attempt's outcome: the same, another, or that of another round */
export type Hear = (outcome: Outcome) => Outcome | Promise<Outcome>

/** For whoever proves who we are: in rounds, and by tokens. */
export type RemotesWithTokens = Omit<Remotes, 'attempt'> & {
  /** @param reply filled while the answer arrives @param hear may send the request again from within: no promise of its own is made for it */
  attempt(
    connection: Connection,
    request: Request,
    running: Set<Ongoing>,
    reply?: Reply,
    hear?: Hear,
  ): Promise<Attempted>
  /** An attempt at the connection's token endpoint, over sockets of its own: it may be another host. */
  askForToken(connection: Connection, request: Request, running: Set<Ongoing>, reply: Reply): Promise<Attempted>
}

/** How sockets are made, beside what the guard says. */
export type Way = {
  readonly tls?: TlsDesk
  readonly proxy?: Proxy | null
  /** Takes what is secret of a connection out of a remote's words. */
  readonly conceal?: Conceal
  /** Told of the certificate that a remote showed. */
  readonly onCertificate?: (connection: Connection, validTo: Millis) => void
}

/** Connecting takes at most this, whatever the connection's own deadline: a black hole shows within seconds. */
const LONGEST_CONNECT: Millis = 10_000
/** One token for all, so one request at a time; a second socket for the one that follows a hung one. */
const TOKEN_SOCKETS = 2

/** A pool serves one definition of its connection: a change of any part (its limits, its TLS) opens another. */
type Remote = { readonly pool: Pool; readonly origin: string; readonly connection: Connection }

export function openRemotes(guard: AddressGuard, clock: Clock, way: Way = {}): RemotesWithTokens {
  const remotes = new Map<ConnectionId, Remote>()
  const tokenEndpoints = new Map<ConnectionId, Remote>()
  const closing = new Set<Promise<void>>()

  const retire = ({ pool }: Remote) => {
    // Requests under way end by themselves; the new pool serves from now on.
    const closed = pool.close().finally(() => closing.delete(closed))
    closing.add(closed)
  }
  const poolOf = (connection: Connection, origin: string, sockets: number, among: Map<ConnectionId, Remote>): Pool => {
    const { id, tls } = connection
    const known = among.get(id)
    if (known?.connection === connection && known.origin === origin) return known.pool
    if (known) retire(known)
    const foreign = among === tokenEndpoints && new URL(origin).hostname !== new URL(connection.url).hostname
    const pool = new Pool(origin, {
      connections: sockets,
      pipelining: 1,
      allowH2: false,
      // The total deadline of the exchange bounds them both; two timers fewer for each request.
      // The socket's own bound is as large and comes first. The client's would make an error for each header line beyond it,
      // with a stack: one piece of many short lines then held the whole process up for 70 ms.
      maxHeaderSize: ANSWER_BYTES,
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: openDial({
        guard,
        clock,
        timeout: Math.min(connection.limits.timeout, LONGEST_CONNECT),
        material: tls === null ? undefined : () => way.tls?.(connection, foreign) ?? NO_MATERIAL,
        onCertificate: (validTo) => way.onCertificate?.(connection, validTo),
        proxy: way.proxy ?? null,
      }),
    })
    among.set(id, { pool, origin, connection })
    return pool
  }
  const since = (startedAt: Millis, outcome: Outcome): Attempted => ({
    outcome,
    duration: clock.monotonic() - startedAt,
  })
  const send = (
    connection: Connection,
    request: Request,
    running: Set<Ongoing>,
    reply: Reply | undefined,
    hear: Hear | undefined,
    sockets: number,
    among: Map<ConnectionId, Remote>,
  ): Promise<Attempted> => {
    const startedAt = clock.monotonic()
    return new Promise((resolve, reject) => {
      const settle = (outcome: Outcome) => {
        running.delete(exchange)
        if (hear === undefined) {
          resolve(since(startedAt, outcome))
          return
        }
        try {
          const heard = hear(outcome)
          if (heard instanceof Promise) heard.then((last) => resolve(since(startedAt, last)), reject)
          else resolve(since(startedAt, heard))
        } catch (error) {
          // The client would take it for a fault of the answer.
          reject(new Error(`what was heard could not be taken: ${errorText(error)}`, { cause: error }))
        }
      }
      const exchange = new Exchange(clock, connection, settle, reply, way.conceal)
      running.add(exchange)
      try {
        poolOf(connection, request.origin, sockets, among).dispatch(optionsOf(request), exchange)
      } catch (error) {
        // The client checks what it is given before it sends: nothing reached the remote.
        exchange.refuse(errorText(error))
      }
    })
  }

  return {
    attempt: (connection, request, running, reply, hear) =>
      send(connection, request, running, reply, hear, connection.limits.concurrency, remotes),
    askForToken: (connection, request, running, reply) =>
      send(connection, request, running, reply, undefined, TOKEN_SOCKETS, tokenEndpoints),
    keepOnly(configured) {
      for (const among of [remotes, tokenEndpoints]) {
        for (const [id, remote] of among) {
          if (configured(id)) continue
          among.delete(id)
          retire(remote)
        }
      }
    },
    async [Symbol.asyncDispose]() {
      const open = [...remotes.values(), ...tokenEndpoints.values()]
      await Promise.all(open.map(({ pool }) => pool.destroy()))
      await Promise.all(closing)
    },
  }
}

const NO_MATERIAL = { kind: 'missing', error: 'tls: nothing reads its files here' } as const

const optionsOf = (request: Request): Dispatcher.DispatchOptions => ({
  method: request.method,
  path: request.path,
  headers: request.headers,
  body: request.body,
})
