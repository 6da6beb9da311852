// Schemas and values as a publisher makes them: parsed by avsc as the registry client does, written by avsc.
import avro from 'avsc'
import type { SourceKind } from '../../../services/shared/change.ts'
import {
  compileReader,
  type ChangeReader,
  type CompiledReader,
} from '../../../services/shared/registry/change-reader.ts'
import { schemaText } from '../../../services/shared/registry/change-schemas.ts'
import { LOGICAL_TYPES, readAvroSchema } from '../../../services/shared/registry/logical-types.ts'

export type AvroFieldText = { name: string; type: unknown; default?: unknown; doc?: string }
export type AvroRecordText = { type: 'record'; name: string; namespace?: string; doc?: string; fields: AvroFieldText[] }

/** A fresh copy of our own schema, to change. */
export const ourSchema = (source: SourceKind): AvroRecordText => JSON.parse(schemaText(source)) as AvroRecordText

/** @param change edits the copy in place */
export function editedSchema(source: SourceKind, change: (fields: AvroFieldText[]) => AvroFieldText[]): AvroRecordText {
  const schema = ourSchema(source)
  return { ...schema, fields: change(schema.fields) }
}

export const retyped = (source: SourceKind, name: string, type: unknown): AvroRecordText =>
  editedSchema(source, (fields) => fields.map((field) => (field.name === name ? { name, type } : field)))

export function compile(schema: unknown): CompiledReader {
  const parsed = readAvroSchema(avro.Type.forSchema(schema as avro.Schema, { logicalTypes: LOGICAL_TYPES }))
  if (!parsed) throw new Error('avsc made no type')
  return compileReader(parsed)
}

export function readerOf(schema: unknown): Extract<ChangeReader, { kind: 'reader' }> {
  const compiled = compile(schema)
  if (compiled.kind === 'unusable') throw new Error(compiled.error)
  return compiled.reader
}

/** @returns a value in Confluent framing */
export function framed(schema: unknown, record: unknown, schemaId = 7): Buffer {
  const head = Buffer.alloc(5)
  head.writeInt32BE(schemaId, 1)
  return Buffer.concat([head, avro.Type.forSchema(schema as avro.Schema).toBuffer(record)])
}
