// One connection, from a file or a record. Enter: a located map. Leave: a connection with every default filled in; what is
// wrong is told. The result is of use only when nothing was told.
import type { Millis } from '../clock.ts'
import { connectionId, type ProjectId } from '../ids.ts'
import type { Auth, Connection, Limits, Signing, SuccessWhen, Tls } from './connection.ts'
import { Fields } from './fields.ts'
import { CONNECTION_KEYS, ID, known, LIMITS_KEYS, WEBHOOK } from './forwarding-keys.ts'
import { wayOf } from '../notices/way.ts'
import { readReferences } from './secret.ts'
import type { Located, Report } from './located.ts'
import { auth } from './read-auth.ts'
import { headers } from './read-headers.ts'
import { signing } from './read-signing.ts'
import { successWhen } from './read-success.ts'
import { tls } from './read-tls.ts'
import { remoteUrl } from './read-url.ts'
import { duration, listOf, quoted, rate, text, wholeNumber, type Reader } from './read-values.ts'
import { schedule, SCHEDULES } from './schedule.ts'

const DAY: Millis = 86_400_000
const DEFAULT_LIMITS: Limits = { concurrency: 8, rate: null, timeout: 30_000 }
const DEFAULT_MAX_AGE: Millis = 30 * DAY
/** A lane and a socket are held for as long as a request lasts; a remote API that needs longer should answer 202. */
const LONGEST_TIMEOUT: Millis = 600_000
const LONGEST_MAX_AGE: Millis = 365 * DAY

export function readConnection(node: Located, project: ProjectId, report: Report): Connection | undefined {
  const fields = Fields.of(node, known('a connection', CONNECTION_KEYS), report)
  if (!fields) return undefined
  const id = fields.required('id', localId, 'registry') ?? ''
  const retryOn = fields.optional('retryOn', statuses, [])
  const rejectOn = fields.optional('rejectOn', statuses, [])
  const both = retryOn.find((status) => rejectOn.includes(status))
  if (both !== undefined)
    fields.refuse('rejectOn', `${both} stands in retryOn and in rejectOn`, 'keep it in one of them')
  const url = fields.required('url', remoteUrl, 'https://api.example.org/records') ?? ''
  const proof = fields.optional<Auth>('auth', auth, { type: 'none' })
  if (!encrypted(url) && !('tokenUrl' in proof && encrypted(proof.tokenUrl)))
    fields.refuse('tls', 'tls does nothing for a url that begins with http:', 'write url: https://…, or remove tls')
  return {
    id: connectionId(project, id),
    project,
    name: fields.optional('name', text, id),
    url,
    auth: proof,
    tls: fields.optional<Tls | null>('tls', tls, null),
    signing: fields.optional<Signing | null>('signing', signing, null),
    headers: fields.optional('headers', headers, {}),
    notify: fields.optional('notify', listOf(recipient, 'ops@example.org'), []),
    limits: fields.optional('limits', limits, DEFAULT_LIMITS),
    schedule: fields.optional('schedule', schedule, SCHEDULES.standard),
    retryOn,
    rejectOn,
    successWhen: fields.optional<SuccessWhen | null>('successWhen', successWhen, null),
    maxAge: fields.optional('maxAge', duration(LONGEST_MAX_AGE, '30d'), DEFAULT_MAX_AGE),
  }
}

const encrypted = (url: string): boolean => /^https:/i.test(url)

const limits: Reader<Limits> = (node, _name, report) => {
  const fields = Fields.of(node, known('limits', LIMITS_KEYS), report)
  return (
    fields && {
      concurrency: fields.optional(
        'concurrency',
        wholeNumber(1, 1_000, DEFAULT_LIMITS.concurrency),
        DEFAULT_LIMITS.concurrency,
      ),
      rate: fields.optional('rate', rate, DEFAULT_LIMITS.rate),
      timeout: fields.optional('timeout', duration(LONGEST_TIMEOUT, '30s'), DEFAULT_LIMITS.timeout),
    }
  )
}

export const ID_SHAPE = new RegExp(`^${ID}$`)

export const localId: Reader<string> = (node, name, report) => {
  const written = text(node, name, report)
  if (written === undefined || ID_SHAPE.test(written)) return written
  const plain = written
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+|-+$/g, '')
    .slice(0, 64)
  report(
    node.place,
    `${name} ${quoted(written)} may hold only a-z, 0-9, ".", "_" and "-", begins with a letter or digit, and has at most 64 characters`,
    `write ${name}: ${plain === '' ? 'registry' : plain}`,
  )
  return undefined
}

/**
 * Letters of the local part are ASCII: what lies beyond (RFC 6531) most mail servers refuse, and two that look alike are two
 * people. Nothing in it could end a line or begin another address.
 */
const ADDRESS = /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[\p{L}\p{N}-]{1,63}\.)+[\p{L}\p{N}-]{2,63}$/u
const WEBHOOK_SHAPE = new RegExp(WEBHOOK)

const recipient: Reader<string> = (node, name, report) => {
  const written = text(node, name, report)
  if (written === undefined) return undefined
  if (wayOf(written) === 'mail') {
    if (ADDRESS.test(written)) return written
    report(node.place, `${name} ${quoted(written)} is no e-mail address`, `write ${name}: [ops@example.org]`)
    return undefined
  }
  // Not quoted: the URL of a webhook is often a secret.
  const references = readReferences(written)
  const refused = references.find((reference) => reference.kind === 'refused')
  if (refused) report(node.place, `${name}: ${refused.why}`, refused.fix)
  else if (WEBHOOK_SHAPE.test(written) && (references.length > 0 || URL.canParse(written))) return written
  else report(node.place, `${name} holds a webhook that is no URL`, `write ${name}: [https://hooks.example.org/…]`)
  return undefined
}

const status: Reader<number> = (node, name, report) => {
  const value = node.kind === 'scalar' && typeof node.value === 'number' ? node.value : Number.NaN
  if (Number.isInteger(value) && value >= 300 && value <= 599) return value
  const tell = (message: string) => report(node.place, message, `write statuses from 300 to 599: ${name}: [409, 423]`)
  if (value >= 200 && value < 300) tell(`${name}: ${value} means that the delivery was accepted, and that stands`)
  else if (value >= 100 && value < 200) tell(`${name}: ${value} is never a final answer`)
  else tell(`${name} holds what is no HTTP status`)
  return undefined
}
const statuses = listOf(status, '409')
