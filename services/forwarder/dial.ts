// Opens sockets for the HTTP client, at addresses the guard allows and no others.
// Enter: a host from a connection's URL. Leave: a connected socket, or an error with a code before a byte of a request was sent.
// TLS is made with what the connection's files hold now: new sockets use a renewed certificate, old ones end by themselves.
import type { LookupFunction } from 'node:net'
import { TLSSocket } from 'node:tls'
import { buildConnector } from 'undici'
import type { AddressGuard } from '../shared/address-guard.ts'
import type { Clock, Millis } from '../shared/clock.ts'
import { CodedError } from '../shared/coded-error.ts'
import { guardedLookup, refuseLiteral, refusePort, resolveHost } from '../shared/guarded-lookup.ts'
import { boundAnswers } from './bound-answers.ts'
import { openTunnel } from './open-tunnel.ts'
import { isExcepted, type Proxy } from './proxy.ts'
import { CERTIFICATE_REFUSED } from './read-failure.ts'
import type { TlsMaterial } from './tls-material.ts'

export type DialOptions = {
  readonly guard: AddressGuard
  readonly clock: Clock
  /** Bounds name resolution, connect, tunnel and TLS together. */
  readonly timeout: Millis
  /** Asked for each socket; absent: the machine's own authorities, and no certificate of ours. */
  readonly material?: (() => TlsMaterial) | undefined
  /** Told of the certificate that the remote showed. */
  readonly onCertificate?: ((validTo: Millis) => void) | undefined
  readonly proxy?: Proxy | null
}

type Dial = buildConnector.connector
type DialTarget = buildConnector.Options

export function openDial(options: DialOptions): Dial {
  const { guard, timeout, proxy = null } = options
  const lookup = guardedLookup(guard)
  const plain = buildConnector({ timeout, allowH2: false, lookup })
  const overTls = openTlsConnector(options, lookup, plain)
  return (target, done) => {
    const callback: typeof done = (...result) => {
      const [, socket] = result
      if (socket) boundAnswers(socket)
      done(...result)
    }
    // A literal never goes through the lookup, so it is judged here.
    const literal = target.hostname.replace(/^\[|\]$/g, '')
    const refusal = refusePort(guard, target.hostname, portOf(target)) ?? refuseLiteral(guard, target.hostname)
    if (refusal) return callback(refusal, null)
    if (proxy && !isExcepted(proxy, literal, portOf(target)))
      return throughProxy(target, proxy, options, overTls, callback)
    overTls(target, callback)
  }
}

/** A connector is made for each state of the files, so that no session of an old certificate is taken up again. */
function openTlsConnector(
  { material, timeout, onCertificate }: DialOptions,
  lookup: LookupFunction,
  plain: Dial,
): Dial {
  let made: { readonly from: TlsMaterial; readonly connect: Dial } | undefined
  return (target, callback) => {
    if (target.protocol !== 'https:') return plain(target, callback)
    const told: typeof callback = (...result) => {
      const [, socket] = result
      if (socket instanceof TLSSocket) {
        heedRefusal(socket)
        onCertificate?.(Date.parse(socket.getPeerCertificate().valid_to))
      }
      callback(...result)
    }
    const now = material?.()
    if (!now) return plain(target, told)
    if (now.kind === 'missing') return callback(new CodedError('TLS_MATERIAL', now.error), null)
    if (made?.from !== now) {
      made = { from: now, connect: buildConnector({ timeout, allowH2: false, lookup, ...now.options }) }
    }
    made.connect(now.serverName === null ? target : { ...target, servername: now.serverName }, told)
  }
}

/**
 * With TLS 1.3 our handshake is done before the remote has looked at our certificate: its refusal comes as an alert, and the end of the
 * socket right behind it. The HTTP client tells of the end, as if the request had been cut; of a socket that ends by the alert it
 * tells the alert, and read-failure.ts knows that nothing was taken.
 */
function heedRefusal(socket: TLSSocket): void {
  socket.once('error', (error: Error & { readonly code?: unknown }) => {
    if (typeof error.code === 'string' && CERTIFICATE_REFUSED.test(error.code)) socket.destroy(error)
  })
}

/** The name is resolved and judged here, and the proxy is asked for the address: it cannot be given another one there. */
function throughProxy(
  target: DialTarget,
  proxy: Proxy,
  { guard, clock, timeout }: DialOptions,
  overTls: Dial,
  callback: buildConnector.Callback,
): void {
  resolveHost(target.hostname, guard, (error, address) => {
    if (error) return callback(error, null)
    openTunnel({ proxy, address, port: portOf(target), guard, clock, timeout }, (failure, socket) => {
      if (failure) callback(failure, null)
      else if (target.protocol === 'https:') overTls({ ...target, httpSocket: socket }, callback)
      else callback(null, socket)
    })
  })
}

const portOf = ({ port, protocol }: DialTarget): number => Number(port) || (protocol === 'https:' ? 443 : 80)
