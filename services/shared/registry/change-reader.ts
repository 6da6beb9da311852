// Compiles a publisher's Avro schema into a reader of our records, once a schema id: doing so for each record costs 95 %.
// Enter: the schema. Leave: bytes → Change; or why the schema cannot be used, naming its fields, before any record is read.
// Pure. Never believes a length, a count or a text of a record before it has looked.
import type { Change, SourceKind } from '../change.ts'
import { APP_SHAPE, CASE_SHAPE, FORM_SHAPE, type RecordShape } from '../wire/change-fields.ts'
import { safeText, type UnreadableCause } from '../wire/unreadable.ts'
import { AvroCursor } from './avro-cursor.ts'
import { compileFields } from './avro-fields.ts'
import { AvroMismatchError, isUnion, nameTypes, type AvroRecord, type AvroType } from './avro-schema.ts'

export type SchemaReader = {
  readonly kind: 'reader'
  readonly source: SourceKind
  /**
   * @param value the whole value; the Change may hold slices of it
   * @param start where the Avro record begins: behind the framing
   * @throws UnreadableError
   */
  readonly read: (value: Buffer, start: number) => Change
}

/** What is known of a schema id. */
export type ChangeReader =
  | SchemaReader
  /** The id was given up: every record that names it is unreadable, with this cause. */
  | {
      readonly kind: 'condemned'
      readonly cause: Extract<UnreadableCause, 'unknown-schema' | 'schema-unusable'>
      readonly error: string
    }

export type CompiledReader =
  { readonly kind: 'compiled'; readonly reader: SchemaReader } | { readonly kind: 'unusable'; readonly error: string }

/** The namespace is the publisher's own: Avro compares the names of records without it. */
export function compileReader(schema: AvroType): CompiledReader {
  if (typeof schema === 'string' || isUnion(schema) || schema.type !== 'record') {
    return { kind: 'unusable', error: 'the schema is not a record' }
  }
  const name = schema.name.slice(schema.name.lastIndexOf('.') + 1)
  switch (name) {
    case FORM_SHAPE.recordName:
      return compileShape(FORM_SHAPE, schema)
    case CASE_SHAPE.recordName:
      return compileShape(CASE_SHAPE, schema)
    case APP_SHAPE.recordName:
      return compileShape(APP_SHAPE, schema)
    default: {
      const known = [FORM_SHAPE, CASE_SHAPE, APP_SHAPE].map((shape) => shape.recordName).join(', ')
      return { kind: 'unusable', error: safeText(`the schema's record is ${name}: known are ${known}`) }
    }
  }
}

function compileShape<Kind extends Change>(shape: RecordShape<Kind>, schema: AvroRecord): CompiledReader {
  try {
    const decode = compileFields(shape, schema, nameTypes(schema), nameField)
    const read = (value: Buffer, start: number): Kind => {
      const cursor = new AvroCursor(value, start)
      const change = decode(cursor)
      const { left } = cursor
      if (left > 0) {
        nameField(cursor, 'the record')
        throw cursor.fault('trailing-bytes', `is followed by ${left} bytes`)
      }
      return change
    }
    return { kind: 'compiled', reader: { kind: 'reader', source: shape.source, read } }
  } catch (error) {
    if (!(error instanceof AvroMismatchError)) throw error
    return { kind: 'unusable', error: safeText(`${shape.recordName} cannot be read: ${error.message}`) }
  }
}

const nameField = (cursor: AvroCursor, field: string): void => {
  cursor.field = field
  cursor.entry = undefined
}
