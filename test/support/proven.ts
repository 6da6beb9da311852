// The whole way of a request below the hub, as main.ts wires it: proofs, pools, guard, TLS. Enter: secrets and a clock.
// Leave: attempts at real servers, and what an operator would see of them.
import { randomBytes } from 'node:crypto'
import type { TestContext } from 'node:test'
import { openAddressGuard } from '../../services/shared/address-guard.ts'
import { openRemotes } from '../../services/forwarder/attempt.ts'
import { openConceal } from '../../services/forwarder/conceal.ts'
import { openCredentials } from '../../services/forwarder/credentials.ts'
import type { Ongoing } from '../../services/forwarder/exchange.ts'
import type { Attempted } from '../../services/forwarder/outcome.ts'
import { openProvenRemotes, type ProvenRemotes } from '../../services/forwarder/proven-remotes.ts'
import { readProxy } from '../../services/forwarder/proxy.ts'
import { targetOf } from '../../services/forwarder/render-request.ts'
import { openTlsDesk } from '../../services/forwarder/tls-material.ts'
import { watchTls } from '../../services/forwarder/watch-tls.ts'
import { systemClock, type Clock } from '../../services/shared/clock.ts'
import type { Connection } from '../../services/shared/forwarding/connection.ts'
import type { Found, SecretSource } from '../../services/shared/forwarding/secret.ts'
import type { PortRange } from '../../services/shared/setting-readers.ts'
import { openMetrics } from '../../services/shared/metrics.ts'
import { keptLog, type KeptLog } from './kept-log.ts'

export type Proven = {
  readonly remotes: ProvenRemotes
  readonly secrets: Map<string, string>
  readonly log: KeptLog
  readonly metrics: () => Promise<string>
  /** The connection is configured now. */
  readonly look: (connection: Connection) => void
  /** One POST to the connection's URL. */
  readonly post: (connection: Connection, options?: PostOptions) => Promise<Attempted>
}

type PostOptions = { readonly body?: string; readonly running?: Set<Ongoing> }

type Options = {
  readonly secrets?: Readonly<Record<string, string>>
  readonly clock?: Clock
  readonly allow?: readonly string[]
  readonly forbidPorts?: readonly PortRange[]
  readonly proxy?: string
}

export function openProven(t: TestContext, options: Options = {}): Proven {
  const { clock = systemClock, allow = ['127.0.0.0/8', '::1/128'], forbidPorts, proxy } = options
  const values = new Map(Object.entries(options.secrets ?? {}))
  const find = (name: string): Found => {
    const value = values.get(name)
    return value === undefined ? { kind: 'absent', why: 'it is not set' } : { kind: 'found', value }
  }
  const secrets: SecretSource = { variable: find, file: find }
  const log = keptLog()
  const metrics = openMetrics('forwarder')
  const conceal = openConceal(secrets, (id) => remotes.secretsOf(id))
  const tls = watchTls(openTlsDesk(secrets, clock), metrics, log, clock)
  const sent = openRemotes(openAddressGuard(allow, forbidPorts), clock, {
    tls: tls.desk,
    onCertificate: tls.seen,
    conceal,
    proxy: proxy === undefined ? null : readProxy(proxy, []),
  })
  const randomHex = (bytes: number) => randomBytes(bytes).toString('hex')
  const remotes = openProvenRemotes({ remotes: sent, secrets, conceal, clock, randomHex })
  t.after(() => remotes[Symbol.asyncDispose]())
  const credentials = openCredentials(secrets)
  return {
    remotes,
    secrets: values,
    log,
    metrics: () => metrics.render(),
    look: (connection) => tls.look(connection.id, connection),
    post(connection, { body = '<a/>', running = new Set<Ongoing>() } = {}) {
      const proof = credentials(connection)
      if (proof.kind === 'missing')
        return Promise.resolve({ outcome: { kind: 'unsendable', error: proof.error }, duration: 0 })
      const { origin, path } = targetOf(connection.url)
      const headers = ['Content-Type', 'text/xml', 'Idempotency-Key', '"demo/all:cases:0:1"', ...proof.lines.flat()]
      return remotes.attempt(connection, { method: 'POST', origin, path, headers, body: Buffer.from(body) }, running)
    },
  }
}
