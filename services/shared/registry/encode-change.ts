// Writes changes as publishers do: Avro in Confluent framing.
// Enter: a document of the JSON wire shape, and the id its schema got when it was registered. Leave: the bytes of a value.
import avro from 'avsc'
import type { Change, SourceKind } from '../change.ts'
import { readDocument, type WireDocument } from '../wire/read-document.ts'
import { renderAvroRecord } from '../wire/render-document.ts'
import { UnreadableError, type UnreadableCause } from '../wire/unreadable.ts'
import { schemaText } from './change-schemas.ts'

/** Confluent framing: a zero byte, the schema id as a big-endian int32. */
const FRAMING_LENGTH = 5

const types: Partial<Record<SourceKind, avro.Type>> = {}

/** Unions unwrapped: ours hold null and one other type, so a value says which it is. */
const typeOf = (source: SourceKind): avro.Type =>
  (types[source] ??= avro.Type.forSchema(JSON.parse(schemaText(source)) as avro.Schema, { wrapUnions: 'never' }))

/**
 * @param document what `readChange` would accept as JSON
 * @throws UnreadableError naming the field that is missing or wrong: what could not be read is not written
 */
export const encodeChange = (source: SourceKind, document: WireDocument, schemaId: number): Buffer =>
  frameChange(source, readDocument(source, document), schemaId)

/** As `encodeChange`, of a change that was read before. */
export function frameChange(source: SourceKind, change: Change, schemaId: number): Buffer {
  const record = renderAvroRecord(change)
  const unwritable = findUnwritable(record)
  if (unwritable) throw new UnreadableError(unwritable.reason, `${unwritable.path} ${unwritable.error}`)
  const body = typeOf(source).toBuffer(record)
  const value = Buffer.allocUnsafe(FRAMING_LENGTH + body.length)
  value[0] = 0
  value.writeInt32BE(schemaId, 1)
  body.copy(value, FRAMING_LENGTH)
  return value
}

/** avsc refuses or rounds longs beyond these, and turns the lower ones positive: about the years 1827 to 2255. */
const SMALLEST_LONG = -(2 ** 52)
const LARGEST_LONG = Number.MAX_SAFE_INTEGER - 1

type Unwritable = { readonly path: string; readonly reason: UnreadableCause; readonly error: string }

/** @returns the first value that avsc would write as something else: text that UTF-8 cannot hold, a number too large */
function findUnwritable(value: unknown): Unwritable | undefined {
  if (typeof value === 'string') return value.isWellFormed() ? undefined : LONE_SURROGATE
  if (typeof value === 'number') return value >= SMALLEST_LONG && value <= LARGEST_LONG ? undefined : TOO_LARGE
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return undefined
  for (const [name, entry] of Object.entries(value)) {
    const inside = name.isWellFormed() ? findUnwritable(entry) : LONE_SURROGATE
    if (inside) return { ...inside, path: inside.path === '' ? name : `${name}.${inside.path}` }
  }
  return undefined
}
const LONE_SURROGATE: Unwritable = {
  path: '',
  reason: 'lone-surrogate',
  error: 'holds half of a surrogate pair: UTF-8 cannot',
}
const TOO_LARGE: Unwritable = { path: '', reason: 'bad-instant', error: 'cannot be written as Avro: send it as JSON' }
