// Reads one source value: Avro in Confluent framing (its first byte is 0), or JSON of the same shape (its first byte is `{`).
// Enter: the value, the readers known so far by schema id. Leave: a Change; a tombstone; the schema id to fetch first; or why
// it cannot be read. Pure and synchronous. Never throws, whatever the bytes are; never puts the value's data in an error.
import { isUtf8 } from 'node:buffer'
import type { Change, SourceKind } from '../change.ts'
import type { ChangeReader } from '../registry/change-reader.ts'
import { readDocument } from '../wire/read-document.ts'
import { UnreadableError, safeText, type UnreadableCause } from '../wire/unreadable.ts'
import { findJsonFault } from './find-json-fault.ts'

export type { ChangeReader }

export type ReadChange =
  | { readonly kind: 'read'; readonly change: Change }
  /** A null value. On `cases`: the case was deleted. There is nothing to forward on any topic. */
  | { readonly kind: 'tombstone' }
  | { readonly kind: 'schema-needed'; readonly schemaId: number }
  | {
      readonly kind: 'unreadable'
      readonly cause: UnreadableCause
      /** Printable ASCII, at most 1,000 characters. */
      readonly error: string
    }

const TOMBSTONE: ReadChange = { kind: 'tombstone' }

/** Confluent framing: this byte, the schema id as a big-endian int32, the Avro record. */
const MAGIC_BYTE = 0
const FRAMING_LENGTH = 5
const BRACE = 0x7b

/** @param value kept by the Change: an `xml` is a slice of it */
export function readChange(
  source: SourceKind,
  value: Buffer | null,
  readers: ReadonlyMap<number, ChangeReader>,
): ReadChange {
  if (value === null) return TOMBSTONE
  try {
    switch (value[0]) {
      case MAGIC_BYTE:
        return readFramed(source, value, readers)
      case BRACE:
        return { kind: 'read', change: readJson(source, value) }
      case undefined:
        return unreadable('empty-value', 'the value has no bytes: a tombstone is null')
      default:
        return unreadableStart(value)
    }
  } catch (error) {
    if (error instanceof UnreadableError) return unreadable(error.reason, error.message)
    // A fault of ours. The record is kept as a dead letter: a throw here would stop its partition for ever.
    return unreadable('internal-fault', `reading it failed: ${error instanceof Error ? error.name : 'unknown'}`)
  }
}

const unreadable = (cause: UnreadableCause, error: string): ReadChange => ({
  kind: 'unreadable',
  cause,
  error: safeText(error),
})

function readFramed(source: SourceKind, value: Buffer, readers: ReadonlyMap<number, ChangeReader>): ReadChange {
  if (value.length < FRAMING_LENGTH) {
    return unreadable(
      'truncated-framing',
      `the value has ${value.length} bytes: its framing alone has ${FRAMING_LENGTH}`,
    )
  }
  const schemaId = value.readInt32BE(1)
  // Registries count from 1, so there is nothing to ask for. 0 is what framing with a longer id begins with.
  if (schemaId < 1)
    return unreadable('unknown-schema', `the value names schema ${schemaId}: no registry gives such an id`)
  const reader = readers.get(schemaId)
  if (!reader) return { kind: 'schema-needed', schemaId }
  if (reader.kind === 'condemned') return unreadable(reader.cause, reader.error)
  if (reader.source !== source) {
    return unreadable('schema-unusable', `schema ${schemaId} is for ${reader.source}, and this topic carries ${source}`)
  }
  return { kind: 'read', change: reader.read(value, FRAMING_LENGTH) }
}

function readJson(source: SourceKind, value: Buffer): Change {
  // Decoding would put replacement characters where the publisher's text was.
  if (!isUtf8(value)) throw new UnreadableError('invalid-utf8', 'the value is not UTF-8')
  const text = value.toString('utf8')
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch {
    // What the parser says quotes the value.
    throw new UnreadableError('malformed-json', findJsonFault(text) ?? 'the value is not JSON')
  }
  return readDocument(source, document)
}

function unreadableStart(value: Buffer): ReadChange {
  if (value[0] === 0xef && value[1] === 0xbb && value[2] === 0xbf) {
    return unreadable('byte-order-mark', 'the value begins with a byte order mark: JSON is sent without one')
  }
  const first = (value[0] ?? 0).toString(16).padStart(2, '0')
  return unreadable('wrong-magic-byte', `the value begins with byte 0x${first}: neither 00 (Avro) nor { (JSON)`)
}
