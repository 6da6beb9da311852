// Text of the environment → the value of a setting. Pure; the table of settings names one of these for each.
// Enter: the text. Leave: the value, or what is wrong with it. Never: a password in what is wrong.
import { isIP } from 'node:net'
import type { Millis } from './clock.ts'
import { readDuration } from './duration.ts'

/** A value, or what is wrong with the text, said so that it can stand behind the setting's name. */
export type Reading<Value> = { readonly value: Value } | { readonly wrong: string }

export const anyText = (text: string): Reading<string> => ({ value: text })
export const oneOf =
  <const Word extends string>(words: readonly Word[]) =>
  (text: string): Reading<Word> => {
    const value = words.find((word) => word === text)
    return value === undefined ? { wrong: `must be one of ${words.join(', ')}, not ${quoted(text)}` } : { value }
  }
export const matching =
  (shape: RegExp, wrong: string) =>
  (text: string): Reading<string> =>
    shape.test(text) ? { value: text } : { wrong: `${wrong}, not ${quoted(text)}` }

/** The broker's own rule for topic names. */
const TOPIC = /^[a-zA-Z0-9._-]{1,249}$/
const readTopic = matching(TOPIC, 'must be a topic name (letters, digits, ".", "_", "-"; at most 249)')
export const readPath = matching(/^\//, 'must be an absolute path')

export function readBrokers(text: string): Reading<readonly string[]> {
  // Not quoted: it holds a password.
  if (text.includes('@')) return { wrong: 'must not hold credentials: use KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD' }
  const brokers = listed(text)
  const wrong = brokers.find((broker) => !/^(\[[0-9a-fA-F:.]+\]|[^\s:/,@]+):\d{1,5}$/.test(broker))
  if (wrong !== undefined)
    return { wrong: `must be a list of host:port, and ${quoted(wrong)} is not (write kafka.example:9092)` }
  return brokers.length > 0 ? { value: brokers } : { wrong: 'names no broker' }
}

export function readSwitch(text: string): Reading<boolean> {
  return text === 'true' || text === 'false'
    ? { value: text === 'true' }
    : { wrong: `must be true or false, not ${quoted(text)}` }
}

export function readSourceTopic(text: string): Reading<string | null> {
  return text === '' ? { value: null } : readTopic(text)
}

export function readHttpUrl(text: string): Reading<string> {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !/^https?:$/.test(url.protocol)) return { wrong: 'must be a URL that begins with http:// or https://' }
  // Not quoted: it holds a password.
  if (url.username !== '' || url.password !== '') {
    return { wrong: 'must not hold credentials: use SCHEMA_REGISTRY_USERNAME and SCHEMA_REGISTRY_PASSWORD' }
  }
  return { value: text.replace(/\/+$/, '') }
}

export function readProxy(text: string): Reading<string> {
  const url = URL.canParse(text) ? new URL(text) : undefined
  // Not quoted: it may hold a password.
  if (!url || !/^https?:$/.test(url.protocol) || url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    return { wrong: 'must be a proxy such as http://proxy.example:3128, with nothing behind the port' }
  }
  return { value: text }
}

export function readWhole(text: string, least: number, most: number): Reading<number> {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
  return value >= least && value <= most
    ? { value }
    : { wrong: `must be a whole number from ${least} to ${most}, not ${quoted(text)}` }
}

export function readWait(text: string, most: Millis): Reading<Millis> {
  const value = readDuration(text)
  if (value === undefined) return { wrong: `must be a duration such as 500ms, 20s or 2m, not ${quoted(text)}` }
  return value <= most ? { value } : { wrong: `must be at most ${most / 60_000}m` }
}

/** Each is a topic, and each partition of one is fetched. */
const MOST_TIERS = 10

export function readTiers(text: string): Reading<readonly Millis[]> {
  const tiers = listed(text).map(readDuration)
  const delays = tiers.filter((delay) => delay !== undefined && delay >= 100 && delay <= 7 * 86_400_000)
  if (delays.length !== tiers.length || new Set(delays).size !== tiers.length) {
    return {
      wrong: `must be a list of different durations from 100ms to 7d such as 1m,5m,30m,2h,6h, not ${quoted(text)}`,
    }
  }
  if (delays.length === 0 || delays.length > MOST_TIERS) return { wrong: `must name from 1 to ${MOST_TIERS} tiers` }
  return { value: delays as readonly Millis[] }
}

const BYTE_UNITS: Readonly<Record<string, number>> = { '': 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 }
/** Below this a single large form would stop a partition. */
const LEAST_HELD_BYTES = 16 * 1024 ** 2

export function readBytes(text: string): Reading<number> {
  const match = /^(\d{1,12}) ?(KiB|MiB|GiB|)$/.exec(text)
  if (!match) return { wrong: `must be a number of bytes such as 134217728, 128 MiB or 1 GiB, not ${quoted(text)}` }
  const value = Number(match[1]) * (BYTE_UNITS[match[2] ?? ''] ?? 1)
  return value >= LEAST_HELD_BYTES ? { value } : { wrong: 'must be at least 16 MiB' }
}

export function readNetworks(text: string): Reading<readonly string[]> {
  const networks: string[] = []
  for (const written of listed(text)) {
    const [address = '', bits, ...more] = written.split('/')
    const longest = { 4: 32, 6: 128 }[isIP(address)] ?? -1
    const length = bits === undefined ? longest : /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN
    if (more.length > 0 || address.includes('%') || !(length >= 0 && length <= longest)) {
      return { wrong: `must be a list of networks such as 10.0.0.0/8 or fd00::/8, and ${quoted(written)} is not one` }
    }
    networks.push(`${address}/${length}`)
  }
  return { value: networks }
}

export type PortRange = readonly [first: number, last: number]

export function readPorts(text: string): Reading<readonly PortRange[]> {
  const ranges: PortRange[] = []
  for (const written of listed(text)) {
    const [, first, last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(written) ?? []
    const range: PortRange = [Number(first), Number(last)]
    if (!(range[0] >= 1 && range[0] <= range[1] && range[1] <= 65_535))
      return { wrong: `must be a list of ports such as 25,6000-6063, and ${quoted(written)} is not one` }
    ranges.push(range)
  }
  return { value: ranges }
}

export const listed = (text: string): string[] =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')

const quoted = (text: string): string => JSON.stringify(text.length > 80 ? `${text.slice(0, 79)}…` : text)

export function readHttpsOrigin(text: string): Reading<string> {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !/^https?:$/.test(url.protocol)) return { wrong: 'must be a URL that begins with https:// (or http://)' }
  // Not quoted: it might hold a password.
  if (url.username !== '' || url.password !== '') return { wrong: 'must not hold credentials' }
  if (url.search !== '' || url.hash !== '') return { wrong: 'must have neither a query nor a fragment' }
  return { value: text.replace(/\/+$/, '') }
}

/** Sent to as it is written: `/token/` and `/token` may be two places. */
export function readTokenUrl(text: string): Reading<string> {
  const read = readHttpsOrigin(text)
  return 'wrong' in read ? read : { value: text }
}

type SmtpUrl = {
  readonly host: string
  readonly port: number
  readonly tls: boolean
  readonly user: string
  readonly password: string
}

/** Never quoted: it holds a password. */
export function readSmtpUrl(text: string): Reading<SmtpUrl> {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !/^smtps?:$/.test(url.protocol) || url.hostname === '') {
    return { wrong: 'must be a URL such as smtp://mail.example:587 or smtps://mail.example:465' }
  }
  if (url.pathname.length > 1 || url.search !== '' || url.hash !== '') {
    return { wrong: 'must end after the port: everything else has a setting of its own' }
  }
  try {
    const tls = url.protocol === 'smtps:'
    const port = url.port === '' ? (tls ? 465 : 587) : Number(url.port)
    const host = url.hostname.replace(/^\[|\]$/g, '')
    return {
      value: { host, port, tls, user: decodeURIComponent(url.username), password: decodeURIComponent(url.password) },
    }
  } catch {
    return { wrong: 'has a % in user or password that is not followed by two digits: write it %25' }
  }
}

export function readPrivateKey(text: string): Reading<string> {
  return /-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text) ? { value: text } : { wrong: 'must be a private key as PEM' }
}

/** Shorter ones could be guessed: 16 random bytes, written in hexadecimal. */
export const SHORTEST_SECRET = 32

export function readSecrets(text: string): Reading<readonly string[]> {
  const secrets = listed(text)
  return secrets.every((secret) => secret.length >= SHORTEST_SECRET)
    ? { value: secrets }
    : { wrong: `must have at least ${SHORTEST_SECRET} characters, each of several` }
}
