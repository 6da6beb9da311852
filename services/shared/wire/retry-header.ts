// The one header of a record in a retry topic or in `onward.requeue`: whose delivery it is, and what became of it so far.
// The record's value is the source value, untouched, so nothing else needs decoding. One header, because each costs time.
// Enter: a header's bytes. Leave: what it says, or why it is not believed. Pure; it never throws, whatever the bytes are.
import type { Millis } from '../clock.ts'
import type { RepeaterId } from '../ids.ts'
import { isBase, versionOf } from '../kafka/version-base.ts'

export const RETRY_HEADER = 'onward'
const VERSION = 1

/** Why a delivery was parked: fixed, for it is a metric's label. */
export const PARK_REASONS = [
  'retry',
  'behind',
  'open',
  'silent',
  'memory',
  'queue',
  'early',
  'requeue',
  // Those of a lane that a dead letter holds carry no value: nothing of them is ever sent.
  'held',
  'released',
  'cancel',
] as const
export type ParkReason = (typeof PARK_REASONS)[number]

export type RetryHeader = {
  readonly repeater: RepeaterId
  /** The source record: topic, partition, offset, and its timestamp in Unix milliseconds. */
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** What its version adds to the offset; absent for 0. */
  readonly base?: number
  readonly timestamp: Millis
  /** The source record's key where it is not the case that this record has as its own: base64, or null for none. */
  readonly key?: string | null
  /** Requests made so far. */
  readonly attempts: number
  /** Waits of the schedule that were spent. */
  readonly tries: number
  /** Unix milliseconds; null before the first failure. */
  readonly firstFailedAt: Millis | null
  /** Unix milliseconds before which it is not attempted. */
  readonly dueAt: Millis
  readonly reason: ParkReason
  /** The epoch of the partition's owner: an older one's record behind the fence is a ghost. */
  readonly epoch: number
  /** It is a full state of its case: older states need not be sent. */
  readonly full: boolean
  /** Put back by an operator: which run, and whether also where a newer version exists. */
  readonly run?: string
  readonly forced?: boolean
  /** Of a marker, and of what ends it: Unix milliseconds since which the lane is held. */
  readonly held?: Millis
  /** Put back although newer versions exist, for they wait behind it: it is out of date once its lane is held no more. */
  readonly ifHeld?: boolean
}

export type ReadRetryHeader =
  | { readonly kind: 'read'; readonly header: RetryHeader }
  /** @property error says what is wrong, never a value */
  | { readonly kind: 'malformed'; readonly error: string }

/** It says something of a held lane, and carries nothing to be sent. */
export const isOfHold = ({ reason }: RetryHeader): boolean =>
  reason === 'held' || reason === 'released' || reason === 'cancel'

export const versionIn = ({ base = 0, offset }: Pick<RetryHeader, 'base' | 'offset'>): number =>
  versionOf({ base, offset })

export const renderRetryHeader = (header: RetryHeader): string => JSON.stringify({ v: VERSION, ...header })

/**
 * @param given as the Kafka client hands headers over: absent, without a value, one, or several of one name
 * @param partition where the record lies: a copy is always in the partition number of its source
 */
export function readRetryHeader(
  given: Buffer | string | readonly (Buffer | string)[] | null | undefined,
  partition: number,
): ReadRetryHeader {
  if (given === undefined) return malformed('there is no `onward` header')
  if (given === null) return malformed('the `onward` header has no value')
  if (Array.isArray(given)) return malformed(`there are ${given.length} \`onward\` headers`)
  let read: unknown
  try {
    read = JSON.parse(given.toString())
  } catch {
    return malformed('the `onward` header is no JSON')
  }
  if (typeof read !== 'object' || read === null) return malformed('the `onward` header is no JSON object')
  const fields = read as Readonly<Record<string, unknown>>
  if (fields['v'] !== VERSION) return malformed('the `onward` header is of another version')
  for (const [name, holds] of CHECKS)
    if (!holds(fields[name])) return malformed(`its field ${name} is not as it should be`)
  // Believed, it would block a lane here for a version that no source of ours will ever bring.
  if (fields['partition'] !== partition) return malformed('it lies in another partition than its source record')
  return { kind: 'read', header: fields as RetryHeader }
}

const malformed = (error: string): ReadRetryHeader => ({ kind: 'malformed', error })

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0
const isNumber = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value)
/** Instants of our own clocks: the years 0 to 9999. Beyond them a date cannot be written, and a wait would never end. */
const EARLIEST = Date.parse('0000-01-01T00:00:00Z')
const LATEST = Date.parse('9999-12-31T23:59:59Z')
const isInstant = (value: unknown): boolean =>
  isNumber(value) && (value as number) >= EARLIEST && (value as number) <= LATEST
/** What Kafka lets a topic be called, and what a repeater and a run may be: the idempotency key is made of them, an HTTP header. */
const TOPIC = /^[\w.-]{1,249}$/
const REPEATER = /^[\w.-]+\/[\w.-]+$/
const RUN = /^[\w.-]{1,64}$/
const isLike =
  (shape: RegExp) =>
  (value: unknown): boolean =>
    typeof value === 'string' && shape.test(value)
const optional = (holds: (value: unknown) => boolean) => (value: unknown) => value === undefined || holds(value)

const CHECKS: readonly (readonly [name: keyof RetryHeader, holds: (value: unknown) => boolean])[] = [
  ['repeater', isLike(REPEATER)],
  ['topic', isLike(TOPIC)],
  ['partition', isCount],
  ['offset', isCount],
  ['base', optional(isBase)],
  // The publisher's: whatever Kafka let it be.
  ['timestamp', isNumber],
  ['key', optional((value) => value === null || typeof value === 'string')],
  ['attempts', isCount],
  ['tries', isCount],
  ['firstFailedAt', (value) => value === null || isInstant(value)],
  ['dueAt', isInstant],
  ['reason', (value) => (PARK_REASONS as readonly unknown[]).includes(value)],
  ['epoch', isCount],
  ['full', (value) => typeof value === 'boolean'],
  ['run', optional(isLike(RUN))],
  ['forced', optional((value) => typeof value === 'boolean')],
  ['held', optional(isInstant)],
  ['ifHeld', optional((value) => typeof value === 'boolean')],
]
