// The values of our fields, each from any writer's type that Avro's "Schema Resolution" lets be read as it.
// Enter: the writer's type. Leave: a function from bytes to the value, or AvroMismatchError. Never: a field's meaning.
import { asMicros, type Micros } from '../change.ts'
import { isInstant, setEntry } from '../wire/change-fields.ts'
import type { AvroCursor } from './avro-cursor.ts'
import {
  AvroMismatchError,
  definitionOf,
  isUnion,
  type AvroDefinition,
  type AvroNames,
  type AvroType,
} from './avro-schema.ts'

export type Decode<Value> = (cursor: AvroCursor) => Value
/** From what stands in a union, or alone. */
type Compile<Value> = (definition: AvroDefinition, names: AvroNames) => Decode<Value>

/**
 * Resolves a union, or what stands alone. A branch that cannot be read matters only once a record takes it, unless none can.
 * @param whenNull what null reads as; left out, null is a missing field
 * @throws AvroMismatchError
 */
export function decodeType<Value>(
  type: AvroType,
  names: AvroNames,
  compile: Compile<Value>,
  whenNull?: Value,
): Decode<Value> {
  if (!isUnion(type)) return compile(definitionOf(type, names), names)
  const decoders: Decode<Value>[] = []
  const mismatches: AvroMismatchError[] = []
  let readable = false
  for (const branch of type) {
    if (isUnion(branch)) throw new AvroMismatchError('is a union within a union')
    const definition = definitionOf(branch, names)
    if (definition.type === 'null') {
      decoders.push(whenNull === undefined ? missing : () => whenNull)
      readable ||= whenNull !== undefined
      continue
    }
    try {
      decoders.push(compile(definition, names))
      readable = true
    } catch (error) {
      if (!(error instanceof AvroMismatchError)) throw error
      mismatches.push(error)
      decoders.push((cursor) => {
        throw cursor.fault('wrong-type', error.message)
      })
    }
  }
  // Only null can be read, and the other branches were meant to be: better said before any record than after each.
  const [mismatch] = mismatches
  if (mismatch && mismatches.length === type.filter((branch) => branch !== 'null').length) throw mismatch
  if (!readable) throw new AvroMismatchError('is always null')
  return (cursor) => {
    const index = cursor.readLong()
    const decode = decoders[index]
    if (!decode) throw cursor.fault('malformed-avro', `names branch ${index} of a union of ${decoders.length}`)
    return decode(cursor)
  }
}

const missing = (cursor: AvroCursor): never => {
  throw cursor.fault('missing-field', 'is missing')
}

const mismatch = (definition: AvroDefinition, wanted: string): AvroMismatchError =>
  new AvroMismatchError(`is ${definition.type}, not ${wanted}`)

// Strings and bytes are written alike, and Avro lets either be read as the other.
export const textOf: Compile<string> = (definition) => {
  if (definition.type !== 'string' && definition.type !== 'bytes') throw mismatch(definition, 'string')
  return (cursor) => cursor.readText()
}

export const bytesOf: Compile<Buffer> = (definition) => {
  if (definition.type !== 'string' && definition.type !== 'bytes') throw mismatch(definition, 'bytes')
  return (cursor) => cursor.readBytes()
}

export const flagOf: Compile<boolean> = (definition) => {
  if (definition.type !== 'boolean') throw mismatch(definition, 'boolean')
  return (cursor) => cursor.readBoolean()
}

export const countOf: Compile<number> = (definition) => {
  if (definition.type !== 'long' && definition.type !== 'int') throw mismatch(definition, 'long')
  return (cursor) => {
    const count = cursor.readLong()
    if (!Number.isSafeInteger(count)) throw cursor.fault('wrong-type', 'is a number beyond 53 bits')
    return count
  }
}

/** Microseconds in one of each logical type. A plain number is taken for what our schema says: microseconds. */
const INSTANT_UNITS: ReadonlyMap<string | undefined, number> = new Map([
  [undefined, 1],
  ['timestamp-micros', 1],
  ['timestamp-millis', 1_000],
])

export const instantOf: Compile<Micros> = (definition) => {
  if (definition.type !== 'long' && definition.type !== 'int') throw mismatch(definition, 'timestamp-micros')
  // Avro's own rules look at `long` only: they would read milliseconds as microseconds, and a local time as UTC.
  const unit = INSTANT_UNITS.get(definition.logicalType)
  if (unit === undefined) throw new AvroMismatchError(`is ${definition.logicalType ?? 'long'}, not timestamp-micros`)
  return (cursor) => {
    const micros = cursor.readLong() * unit
    if (!isInstant(micros)) throw cursor.fault('bad-instant', 'is not between the years 0 and 9999')
    return asMicros(micros)
  }
}

/** Every entry of our arrays and maps takes a byte at least: a string's length. */
const SMALLEST_ENTRY = 1

export const arrayOf =
  <Item>(compileItem: Compile<Item>): Compile<Item[]> =>
  (definition, names) => {
    if (definition.type !== 'array') throw mismatch(definition, 'array')
    const decode = inside('items', definition.items, names, compileItem)
    return (cursor) => {
      const items: Item[] = []
      for (let left = cursor.readBlockCount(SMALLEST_ENTRY); left > 0; left = cursor.readBlockCount(SMALLEST_ENTRY)) {
        for (; left > 0; left--) {
          cursor.entry = items.length
          items.push(decode(cursor))
        }
      }
      return items
    }
  }

export const mapOf =
  <Item>(compileItem: Compile<Item>): Compile<Record<string, Item>> =>
  (definition, names) => {
    if (definition.type !== 'map') throw mismatch(definition, 'map')
    const decode = inside('values', definition.values, names, compileItem)
    return (cursor) => {
      const entries: Record<string, Item> = {}
      let seen = 0
      for (let left = cursor.readBlockCount(SMALLEST_ENTRY); left > 0; left = cursor.readBlockCount(SMALLEST_ENTRY)) {
        for (; left > 0; left--) {
          cursor.entry = seen++
          const name = cursor.readText()
          cursor.entry = name
          setEntry(entries, name, decode(cursor))
        }
      }
      return entries
    }
  }

function inside<Item>(what: string, type: AvroType, names: AvroNames, compile: Compile<Item>): Decode<Item> {
  try {
    return decodeType(type, names, compile)
  } catch (error) {
    if (!(error instanceof AvroMismatchError)) throw error
    throw new AvroMismatchError(`has ${what} of which one ${error.message}`)
  }
}
