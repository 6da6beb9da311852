// Certificates as a test needs them: an authority, and what it vouches for, valid for as long as is asked. X.509 in DER
// (RFC 5280), P-256, made of Node's own keys: no program, no package.
import { createSign, generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto'
import { isIP } from 'node:net'

export type Certified = {
  /** PEM. */
  readonly cert: string
  /** PEM, PKCS #8. */
  readonly key: string
  /** The same key, encrypted. */
  encryptedKey(passphrase: string): string
  readonly name: string
  readonly privateKey: KeyObject
}

export type CertificateOptions = {
  /** Common name. */
  readonly name: string
  /** Host names and addresses that it is for. */
  readonly hosts?: readonly string[]
  /** Who signs; itself when absent. */
  readonly issuer?: Certified
  readonly authority?: boolean
  /** Unix milliseconds; a day from now when absent. */
  readonly validTo?: number
}

const DAY = 86_400_000

export function makeCertificate({
  name,
  hosts = [],
  issuer,
  authority = false,
  validTo,
}: CertificateOptions): Certified {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const until = validTo ?? Date.now() + DAY
  const toBeSigned = sequence(
    tagged(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ECDSA_WITH_SHA256,
    nameOf(issuer?.name ?? name),
    sequence(time(Math.min(Date.now(), until) - 2 * DAY), time(until)),
    nameOf(name),
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(...extensions(hosts, authority))),
  )
  const signature = createSign('sha256')
    .update(toBeSigned)
    .sign(issuer?.privateKey ?? privateKey)
  const der = sequence(toBeSigned, ECDSA_WITH_SHA256, bits(signature))
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return {
    name,
    privateKey,
    cert: `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    encryptedKey: (passphrase) =>
      privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase }) as string,
  }
}

function extensions(hosts: readonly string[], authority: boolean): readonly Buffer[] {
  const names = hosts.map((host) =>
    isIP(host) === 4
      ? tagged(0x87, Buffer.from(host.split('.').map(Number)))
      : tagged(0x82, Buffer.from(host, 'ascii')),
  )
  const critical = tagged(0x01, Buffer.from([0xff]))
  return [
    ...(authority ? [sequence(oid(2, 5, 29, 19), critical, octets(sequence(critical)))] : []),
    ...(names.length > 0 ? [sequence(oid(2, 5, 29, 17), octets(sequence(...names)))] : []),
  ]
}

const nameOf = (name: string) =>
  sequence(tagged(0x31, sequence(oid(2, 5, 4, 3), tagged(0x0c, Buffer.from(name, 'utf8')))))

const time = (at: number) => tagged(0x18, Buffer.from(new Date(at).toISOString().replace(/[-:T]|\.\d+/g, ''), 'ascii'))

function tagged(tag: number, content: Buffer): Buffer {
  const { length } = content
  const head =
    length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from(head), content])
}
const sequence = (...parts: readonly Buffer[]) => tagged(0x30, Buffer.concat(parts))
const octets = (content: Buffer) => tagged(0x04, content)
const bits = (content: Buffer) => tagged(0x03, Buffer.concat([Buffer.from([0]), content]))
const integer = (content: Buffer) => tagged(0x02, content)

function oid(first: number, second: number, ...rest: readonly number[]): Buffer {
  const bytes = rest.flatMap((part) => {
    const septets = [part & 0x7f]
    for (let left = part >> 7; left > 0; left >>= 7) septets.unshift((left & 0x7f) | 0x80)
    return septets
  })
  return tagged(0x06, Buffer.from([first * 40 + second, ...bytes]))
}
const ECDSA_WITH_SHA256 = sequence(oid(1, 2, 840, 10_045, 4, 3, 2))
