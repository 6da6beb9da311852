// Why a source record cannot be read: the stable list of causes, and the error that carries one out of a decoder.
// Enter: a cause, a field path, words of our own. Leave: text that is safe to put in a header, a log and a mail.
// Never: the value's data. A field or property name may appear, cut short and with every unusual character replaced.

/** Stable: they are written to dead letters and metrics. Rename none; docs/failure-semantics.md explains each. */
export const UNREADABLE_CAUSES = [
  'empty-value',
  'wrong-magic-byte',
  'byte-order-mark',
  'truncated-framing',
  'unknown-schema',
  'schema-unusable',
  'truncated-avro',
  'malformed-avro',
  'trailing-bytes',
  'malformed-json',
  'invalid-utf8',
  'lone-surrogate',
  'missing-field',
  'wrong-type',
  'bad-instant',
  'too-deep',
  /** A fault of Onward's own, not of the record. */
  'internal-fault',
] as const
export type UnreadableCause = (typeof UNREADABLE_CAUSES)[number]

/** Longest error text in bytes: with its cause before it, it goes into a header of at most 1 KiB (`onward-error`). */
const LONGEST_ERROR = 1_000

/** Thrown inside the decoders and caught by whoever called the first of them: never seen by the hub. */
export class UnreadableError extends Error {
  readonly code = 'UNREADABLE'
  override readonly name = 'UnreadableError'
  readonly reason: UnreadableCause

  constructor(reason: UnreadableCause, text: string) {
    super(safeText(text))
    this.reason = reason
  }
}

/** Printable ASCII, cut to what a header may cost. */
export const safeText = (text: string): string => {
  const safe = text.replace(/[^\x20-\x7e]/g, '?')
  return safe.length <= LONGEST_ERROR ? safe : `${safe.slice(0, LONGEST_ERROR - 3)}...`
}

/** Characters of a name that an error shows: enough to find the property, too few to carry a document. */
const LONGEST_NAME = 60

/** `properties`, `height` → `properties["height"]`. */
export const entryPath = (field: string, name: string): string =>
  `${field}["${name.length <= LONGEST_NAME ? name : `${name.slice(0, LONGEST_NAME)}...`}"]`

/** The JSON word for what a value is, for `… is a number, not text`. */
export const kindOf = (value: unknown): string => {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  switch (typeof value) {
    case 'string':
      return 'text'
    case 'object':
      return 'an object'
    default:
      return `a ${typeof value}`
  }
}
