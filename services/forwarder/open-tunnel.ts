// A socket through an HTTP proxy (RFC 9110, 9.3.6: CONNECT). Enter: the proxy and an address. Leave: a socket that leads there,
// or an error before a byte of a request was sent. The proxy's own address is judged like any other.
import { isIP, type Socket } from 'node:net'
import { buildConnector } from 'undici'
import type { Clock, Millis } from '../shared/clock.ts'
import type { AddressGuard } from '../shared/address-guard.ts'
import { CodedError } from '../shared/coded-error.ts'
import { guardedLookup, refuse } from '../shared/guarded-lookup.ts'
import type { Proxy } from './proxy.ts'
import { safeText } from '../shared/safe-text.ts'

export type TunnelOptions = {
  readonly proxy: Proxy
  readonly address: string
  readonly port: number
  readonly guard: AddressGuard
  readonly clock: Clock
  readonly timeout: Millis
}

/** An answer's head that is longer is no proxy's. */
const LONGEST_HEAD = 16 * 1024

export function openTunnel(
  { proxy, address, port, guard, clock, timeout }: TunnelOptions,
  done: (...result: [null, Socket] | [Error, null]) => void,
): void {
  const refusal = isIP(proxy.host) ? refuse(guard, `the proxy ${proxy.host}`, [proxy.host]) : undefined
  if (refusal) return done(refusal, null)
  const connect = buildConnector({ timeout, allowH2: false, lookup: guardedLookup(guard) })
  const at = { hostname: proxy.host, host: proxy.host, protocol: proxy.encrypted ? 'https:' : 'http:' }
  connect({ ...at, port: String(proxy.port) }, (error, socket) => {
    if (error) return done(error, null)
    ask(socket, proxy, isIP(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`, clock, timeout, done)
  })
}

function ask(
  socket: Socket,
  { host, credentials }: Proxy,
  authority: string,
  clock: Clock,
  timeout: Millis,
  done: (...result: [null, Socket] | [Error, null]) => void,
): void {
  let head = ''
  const end = (failure: Error | null) => {
    cancel()
    socket.off('readable', read).off('error', end).off('close', closed)
    if (failure) {
      socket.on('error', () => undefined)
      socket.destroy()
      done(failure, null)
    } else done(null, socket)
  }
  const refused = (what: string) => end(new CodedError('PROXY_REFUSED', `the proxy ${host} ${what}`))
  const closed = () => refused('closed the connection')
  const read = () => {
    const chunk = socket.read() as Buffer | null
    if (chunk === null) return
    head += chunk.toString('latin1')
    const wrong = mistakeOf(head)
    if (wrong !== null) refused(wrong)
    else if (head.includes(END_OF_HEAD)) end(null)
  }
  const cancel = clock.after(timeout, () => refused(`did not answer within ${timeout} ms`))
  socket.on('readable', read).on('error', end).on('close', closed)
  const proof =
    credentials === null ? '' : `Proxy-Authorization: Basic ${Buffer.from(credentials, 'utf8').toString('base64')}\r\n`
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${proof}\r\n`)
}

const END_OF_HEAD = '\r\n\r\n'

/** @param head as much as has come @returns null while nothing is wrong with it */
function mistakeOf(head: string): string | null {
  const length = head.indexOf(END_OF_HEAD)
  if (length === -1) return head.length > LONGEST_HEAD ? 'answers what is no HTTP' : null
  const status = /^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1]
  if (status === undefined) return 'answers what is no HTTP'
  if (!status.startsWith('2')) return refusalOf(status, head)
  // The remote speaks only when it is spoken to: what comes behind the head is not its.
  return head.length > length + END_OF_HEAD.length ? 'sends more than its answer' : null
}

function refusalOf(status: string, head: string): string {
  const reason = safeText(/^HTTP\/1\.[01] \d{3} ?([^\r\n]*)/.exec(head)?.[1] ?? '')
  const advice = status === '407' ? ': put its user name and password into ONWARD_OUTBOUND_PROXY' : ''
  return `refuses the tunnel with ${status} ${reason}${advice}`
}
