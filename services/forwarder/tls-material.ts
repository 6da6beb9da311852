// What TLS is made with: a connection's certificate, key and authorities, as its files hold them now.
// Enter: a connection. Leave: options for a socket, the same object until something changed; or what is wrong, in words that
// never hold a secret. Never: a key that does not fit its certificate, or an authority that has expired, found out only by a
// failed handshake, which says little.
import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto'
import { rootCertificates, type SecureContextOptions } from 'node:tls'
import type { Clock, Millis } from '../shared/clock.ts'
import { errorText } from '../shared/error-text.ts'
import type { Connection, SecretText, Tls } from '../shared/forwarding/connection.ts'
import { resolveSecret, type SecretSource } from '../shared/forwarding/secret.ts'
import type { ConnectionId } from '../shared/ids.ts'

export type TlsMaterial =
  | {
      readonly kind: 'ready'
      readonly options: SecureContextOptions & { readonly rejectUnauthorized: boolean }
      readonly serverName: string | null
      readonly certificates: readonly Certificate[]
    }
  | { readonly kind: 'missing'; readonly error: string }

export type Certificate = {
  readonly what: 'client' | 'authority'
  readonly subject: string
  /** Unix milliseconds. */
  readonly validTo: Millis
}

export type TlsDesk = {
  /** @param foreign for a token endpoint at another host: no server name, verified whatever `verify` says, own authorities beside the machine's */
  (connection: Connection, foreign: boolean): TlsMaterial | null
}

type Read = { readonly [Part in 'cert' | 'key' | 'keyPassphrase' | 'ca']: string | null }

/** Unwinds from a part to `openTlsDesk`; it never leaves this file. */
class Unusable extends Error {}

export function openTlsDesk(source: SecretSource, clock: Clock): TlsDesk {
  const known = new Map<
    ConnectionId | `${ConnectionId} foreign`,
    { readonly stamp: string; readonly material: TlsMaterial }
  >()
  return (connection, foreign) => {
    const { tls, id } = connection
    if (tls === null) return null
    const key = foreign ? (`${id} foreign` as const) : id
    const read = readParts(tls, source)
    if ('error' in read) return { kind: 'missing', error: read.error }
    const stamp = JSON.stringify([read, tls])
    const held = known.get(key)
    // An expiry is looked at again each time: that is what changes by itself.
    if (held?.stamp === stamp && !expired(held.material, clock.now())) return held.material
    const material = make(tls, read, foreign, clock.now())
    known.set(key, { stamp, material })
    return material
  }
}

const expired = (material: TlsMaterial, now: Millis): boolean =>
  material.kind === 'ready' && material.certificates.some(({ validTo }) => validTo < now)

function readParts(tls: Tls, source: SecretSource): Read | { readonly error: string } {
  const parts: Record<keyof Read, string | null> = { cert: null, key: null, keyPassphrase: null, ca: null }
  for (const part of Object.keys(parts) as (keyof Read)[]) {
    const text: SecretText | null = tls[part]
    if (text === null) continue
    const resolved = resolveSecret(text, source)
    if (resolved.kind === 'missing') return { error: `tls.${part}: ${resolved.error}` }
    parts[part] = resolved.value
  }
  return parts
}

function make(tls: Tls, read: Read, foreign: boolean, now: Millis): TlsMaterial {
  try {
    const certificates = [...readClient(read, now), ...readAuthorities(read, now)]
    return {
      kind: 'ready',
      serverName: foreign ? null : tls.serverName,
      certificates,
      options: {
        minVersion: tls.minVersion,
        rejectUnauthorized: foreign || tls.verify,
        ...(read.cert === null || read.key === null ? {} : { cert: read.cert, key: read.key }),
        ...(read.keyPassphrase === null ? {} : { passphrase: read.keyPassphrase }),
        ...(read.ca === null ? {} : { ca: foreign ? [...rootCertificates, read.ca] : read.ca }),
      },
    }
  } catch (error) {
    if (error instanceof Unusable) return { kind: 'missing', error: error.message }
    throw error
  }
}

function readClient({ cert, key, keyPassphrase }: Read, now: Millis): readonly Certificate[] {
  if (cert === null || key === null) return []
  const [own] = readCertificates('cert', cert)
  if (!own)
    throw new Unusable('tls.cert holds no certificate in PEM: put the certificate there, with its chain behind it')
  if (!own.checkPrivateKey(readKey(key, keyPassphrase)))
    throw new Unusable(
      `tls.key does not belong to the certificate of ${nameOf(own)}: put in the pair that was made together`,
    )
  return [checkDates('client', 'cert', own, now)]
}

function readKey(key: string, keyPassphrase: string | null): KeyObject {
  try {
    return createPrivateKey(keyPassphrase === null ? key : { key, passphrase: keyPassphrase })
  } catch (error) {
    if (/passphrase|decrypt|interrupted or cancelled/i.test(errorText(error))) {
      const fix = keyPassphrase === null ? 'add keyPassphrase:' : 'check keyPassphrase'
      throw new Unusable(`tls.key is encrypted and cannot be opened: ${fix}`)
    }
    throw new Unusable('tls.key holds no private key in PEM')
  }
}

/** One of several that has expired does no harm; when all have, nothing can be vouched for. */
function readAuthorities({ ca }: Read, now: Millis): readonly Certificate[] {
  if (ca === null) return []
  const authorities = readCertificates('ca', ca)
  if (authorities.length === 0) throw new Unusable('tls.ca holds no certificate in PEM')
  const living = authorities.filter((each) => Date.parse(each.validTo) >= now)
  const [first] = authorities
  if (living.length === 0 && first) checkDates('authority', 'ca', first, now)
  return living.map((each) => checkDates('authority', 'ca', each, now))
}

function checkDates(
  what: Certificate['what'],
  part: 'cert' | 'ca',
  certificate: X509Certificate,
  now: Millis,
): Certificate {
  const validTo = Date.parse(certificate.validTo)
  if (validTo < now) {
    const ended = new Date(validTo).toISOString().slice(0, 10)
    throw new Unusable(
      `tls.${part}: the certificate of ${nameOf(certificate)} ended on ${ended}: put a current one in its place`,
    )
  }
  return { what, subject: nameOf(certificate), validTo }
}

function readCertificates(part: 'cert' | 'ca', text: string): readonly X509Certificate[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? []
  return blocks.map((block) => {
    try {
      return new X509Certificate(block)
    } catch {
      throw new Unusable(`tls.${part} holds a certificate that cannot be read`)
    }
  })
}

const nameOf = ({ subject }: X509Certificate): string =>
  /CN=([^\n]+)/.exec(subject)?.[1] ?? subject.replaceAll('\n', ', ')
