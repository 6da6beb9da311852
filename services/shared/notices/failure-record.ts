// What the forwarders tell of failing connections: the records of `onward.failures`. Pure: rendered here, read here, so that the
// two cannot drift apart. Enter and leave: both ways. Never: a secret, or a remote's words that were not made safe and short.
// Counts only ever rise within a streak (dead letters: within a run of the member), so that a record that is read twice, or one
// that was lost, changes no sum.
import { connectionId, projectId, type ConnectionId, type ProjectId } from '../ids.ts'
import type { Millis } from '../clock.ts'
import { safeText } from '../safe-text.ts'

/**
 * | kind | says |
 * |---|---|
 * | `failing` | a streak has lasted so long that memory alone will not see its end |
 * | `open` | the breaker opened: nothing but probes is sent |
 * | `recovering` | the first success after that |
 * | `recovered` | successes only, or nothing left that waits |
 * | `dead-letters` | deliveries were given up; the connection may be well |
 * | `streak` | nothing changed but the counts; after a recovery, how many still wait |
 */
export const FAILURE_KINDS = ['failing', 'open', 'recovering', 'recovered', 'dead-letters', 'streak'] as const
export type FailureKind = (typeof FAILURE_KINDS)[number]

/** Where the connection stands on that member; `kind` says what is new. */
export const CONNECTION_STATES = ['well', 'failing', 'open', 'recovering'] as const
export type ConnectionState = (typeof CONNECTION_STATES)[number]

/** A form, a case or an app by its id, and the repeater that it was for (empty where there is none). */
export type Sample = {
  readonly what: 'form' | 'case' | 'app'
  readonly id: string
  readonly repeater: string
}

/** What the remote API, or the way to it, said last. */
export type Words = {
  readonly outcome: string
  /** null without an answer. */
  readonly status: number | null
  readonly text: string
  readonly at: Millis
}

export type Letter = Sample & {
  readonly reason: string
  readonly text: string
  /** Later changes of its case wait until an operator ends that; absent where they do not. */
  readonly held?: true
}

export type FailureRecord = {
  readonly kind: FailureKind
  readonly state: ConnectionState
  readonly connection: ConnectionId
  readonly project: ProjectId
  /** `<host>:<pid>` of the forwarder. */
  readonly member: string
  /** When that process began, in Unix milliseconds: a process id comes again. */
  readonly run: Millis
  /** Rises with each record of this run and connection: what was read already is known by it. */
  readonly sequence: number
  readonly at: Millis
  /** Begin of the streak that lasts, or ended with this record; null when there was none. */
  readonly since: Millis | null
  /** Failed attempts of the streak. */
  readonly failed: number
  /** Deliveries of the streak that failed at least once. */
  readonly affected: number
  /** Attempts of the streak that were accepted. */
  readonly delivered: number
  readonly lastFailedAt: Millis | null
  /** Dead letters of this run. */
  readonly deadLettered: number
  /** Deliveries of the connection that this member holds and that have not ended. */
  readonly waiting: number
  /** When the next request will be made, as far as is known. */
  readonly nextTryAt: Millis | null
  /** Why the breaker opened; null else. */
  readonly reason: string | null
  readonly last: Words | null
  /** A few that failed in this streak. */
  readonly samples: readonly Sample[]
  /** A few of the newest dead letters. */
  readonly letters: readonly Letter[]
}

/** Samples of a record: enough to look one up, however many failed. */
export const SAMPLES_LIMIT = 5
const VERSION = 1
/** Of an id that stands in a record or a mail: longer ones are cut. */
const LONGEST_ID = 200

export const renderFailureRecord = (record: FailureRecord): { readonly key: string; readonly value: string } => ({
  key: record.connection,
  value: JSON.stringify({ v: VERSION, ...record }),
})

export type ReadFailure =
  | { readonly kind: 'read'; readonly record: FailureRecord }
  /** A later version wrote it: counted and passed over. */
  | { readonly kind: 'newer'; readonly version: number }
  | { readonly kind: 'unreadable'; readonly why: string }

/** Other hands may write to the topic: nothing is taken on trust, and text is made safe again. */
export function readFailureRecord(value: Buffer | null): ReadFailure {
  const fields = parse(value)
  if (fields === undefined) return unreadable('no JSON object')
  const version = fields['v']
  if (typeof version === 'number' && version > VERSION) return { kind: 'newer', version }
  if (version !== VERSION) return unreadable('no version')
  const kind = FAILURE_KINDS.find((known) => known === fields['kind'])
  const state = CONNECTION_STATES.find((known) => known === fields['state'])
  if (kind === undefined || state === undefined) return unreadable('an unknown kind or state')
  const [project, id, ...rest] = textOf(fields['connection']).split('/')
  if (!project || !id || rest.length > 0) return unreadable('no connection')
  const numbers = ['run', 'sequence', 'at', 'failed', 'affected', 'delivered', 'deadLettered', 'waiting'] as const
  const wrong = numbers.find((name) => !isCount(fields[name]))
  if (wrong !== undefined) return unreadable(`${wrong} is no count`)
  if (instantOf(fields['at']) === null || instantOf(fields['run']) === null) return unreadable('no instant')
  const count = (name: (typeof numbers)[number]): number => Number(fields[name])
  return {
    kind: 'read',
    record: {
      kind,
      state,
      connection: connectionId(projectId(project), id),
      project: projectId(project),
      member: safeText(textOf(fields['member'])),
      run: count('run'),
      sequence: count('sequence'),
      at: count('at'),
      since: instantOf(fields['since']),
      failed: count('failed'),
      affected: count('affected'),
      delivered: count('delivered'),
      lastFailedAt: instantOf(fields['lastFailedAt']),
      deadLettered: count('deadLettered'),
      waiting: count('waiting'),
      nextTryAt: instantOf(fields['nextTryAt']),
      reason: typeof fields['reason'] === 'string' ? safeText(fields['reason']) : null,
      last: readWords(fields['last']),
      samples: readList(fields['samples'], readSample),
      letters: readList(fields['letters'], readLetter),
    },
  }
}

/** Makes a sample safe to write: ids come from upstream. */
export const sampleOf = (what: Sample['what'], id: string, repeater: string): Sample => ({
  what,
  id: safeText(id.slice(0, LONGEST_ID)),
  repeater,
})

type Fields = Readonly<Record<string, unknown>>

function parse(value: Buffer | null): Fields | undefined {
  try {
    const parsed: unknown = JSON.parse(value?.toString('utf8') ?? '')
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? (parsed as Fields) : undefined
  } catch {
    return undefined
  }
}

const unreadable = (why: string): ReadFailure => ({ kind: 'unreadable', why })
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0
/** Beyond it a date cannot be written with four digits of a year. */
const LAST_INSTANT: Millis = 253_402_300_799_999
const instantOf = (value: unknown): Millis | null => (isCount(value) && value <= LAST_INSTANT ? value : null)

function readWords(value: unknown): Words | null {
  if (typeof value !== 'object' || value === null) return null
  const { outcome, status, text, at } = value as Fields
  return {
    outcome: safeText(textOf(outcome)),
    status: isCount(status) ? status : null,
    text: safeText(textOf(text)),
    at: instantOf(at) ?? 0,
  }
}

function readList<Item>(value: unknown, read: (item: unknown) => Item | undefined): readonly Item[] {
  if (!Array.isArray(value)) return []
  return value
    .slice(0, SAMPLES_LIMIT)
    .map(read)
    .filter((item) => item !== undefined)
}

function readSample(value: unknown): Sample | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { what, id, repeater } = value as Fields
  const known = (['form', 'case', 'app'] as const).find((word) => word === what)
  return known && sampleOf(known, textOf(id), safeText(textOf(repeater)))
}

function readLetter(value: unknown): Letter | undefined {
  const sample = readSample(value)
  if (!sample) return undefined
  const { reason, text, held } = value as Fields
  const letter = { ...sample, reason: safeText(textOf(reason)), text: safeText(textOf(text)) }
  return held === true ? { ...letter, held } : letter
}
