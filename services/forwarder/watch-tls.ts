// What somebody must know of the connections' TLS before it fails: certificates that end soon, and verification that is off.
// Enter: the connections, and certificates as they are seen. Leave: metrics, and a log line for each new fact.
import type { Clock, Millis } from '../shared/clock.ts'
import type { Connection } from '../shared/forwarding/connection.ts'
import type { ConnectionId } from '../shared/ids.ts'
import type { Log } from '../shared/log.ts'
import type { Metrics } from '../shared/metrics.ts'
import type { TlsDesk } from './tls-material.ts'

const DAY: Millis = 86_400_000
/** Enough to have a certificate renewed by somebody who is on holiday. */
const SOON: Millis = 14 * DAY

type What = 'client' | 'authority' | 'remote'

export type TlsWatch = {
  /** The desk, watched. */
  readonly desk: TlsDesk
  /** A remote showed its certificate. */
  readonly seen: (connection: Connection, validTo: Millis) => void
  /** It is configured so now, or no longer. */
  look(id: ConnectionId, connection: Connection | undefined): void
}

export function watchTls(desk: TlsDesk, metrics: Metrics, log: Log, clock: Clock): TlsWatch {
  const ends = new Map<ConnectionId, Map<What, Millis>>()
  const unverified = new Set<ConnectionId>()
  /** Said once for each certificate, not for each socket. */
  const said = new Map<string, Millis>()

  metrics.gauge(
    'onward_connection_certificate_expiry_timestamp_seconds',
    'When a certificate of a connection ends: our own, the authority we were given, the one that the remote API showed.',
    ['connection', 'certificate'],
    (gauge) => {
      gauge.reset()
      for (const [connection, certificates] of ends) {
        for (const [certificate, validTo] of certificates) gauge.set({ connection, certificate }, validTo / 1_000)
      }
    },
  )
  metrics.gauge(
    'onward_connection_unverified',
    '1 for a connection that takes any certificate.',
    ['connection'],
    (gauge) => {
      gauge.reset()
      for (const connection of unverified) gauge.set({ connection }, 1)
    },
  )

  const note = ({ id }: Connection, certificate: What, validTo: Millis) => {
    if (Number.isNaN(validTo)) return
    let certificates = ends.get(id)
    if (!certificates) ends.set(id, (certificates = new Map<What, Millis>()))
    certificates.set(certificate, validTo)
    const key = `${id} ${certificate}`
    if (validTo - clock.now() > SOON || said.get(key) === validTo) return
    said.set(key, validTo)
    log.warn('certificate-ends-soon', { connection: id, certificate, endsAt: new Date(validTo).toISOString() })
  }
  const watched: TlsDesk = (connection, foreign) => {
    const material = desk(connection, foreign)
    if (material?.kind !== 'ready') return material
    const { certificates } = material
    for (const what of ['client', 'authority'] as const) {
      const dates = certificates.filter((each) => each.what === what).map(({ validTo }) => validTo)
      if (dates.length > 0) note(connection, what, Math.min(...dates))
    }
    return material
  }

  return {
    desk: watched,
    seen: (connection, validTo) => note(connection, 'remote', validTo),
    look(id, connection) {
      ends.delete(id)
      if (connection?.tls?.verify !== false) unverified.delete(id)
      else {
        unverified.add(id)
        const fix = 'remove verify: false, and put the authority that vouches for it into tls: ca'
        log.warn('certificate-not-verified', { connection: id, fix })
      }
      // Read now, so that what is wrong with the files is known before the first delivery.
      const material = connection && watched(connection, false)
      if (material?.kind === 'missing') log.warn('tls-files-unusable', { connection: id, error: material.error })
    },
  }
}
