// Resolves a publisher's Avro record to one of ours, field by field, in the order the publisher writes them.
// Enter: our fields, the writer's record. Leave: a function from bytes to our record, or AvroMismatchError naming every
// field that stands in the way. What the writer has and we do not know is passed over.
import { assertNever } from '../assert-never.ts'
import type { Micros } from '../change.ts'
import { ATTACHMENT_SHAPE, INDEX_SHAPE, type Draft, type Field, type FieldsOf } from '../wire/change-fields.ts'
import type { AvroCursor } from './avro-cursor.ts'
import { arrayOf, bytesOf, countOf, decodeType, flagOf, instantOf, mapOf, textOf, type Decode } from './avro-decode.ts'
import {
  AvroMismatchError,
  type AvroDefinition,
  type AvroNames,
  type AvroRecord,
  type AvroType,
} from './avro-schema.ts'
import { compileSkip } from './avro-skip.ts'

type Step<Kind> = (cursor: AvroCursor, draft: Draft<Kind>) => void

/**
 * @param name puts a field's name where errors look for it: records within records differ
 * @throws AvroMismatchError
 */
export function compileFields<Kind>(
  { begin, fields, finish }: FieldsOf<Kind>,
  record: AvroRecord,
  names: AvroNames,
  name: (cursor: AvroCursor, field: string) => void,
): Decode<Kind> {
  const wanted = new Map(fields.map((field) => [field.name, field]))
  const steps: { readonly field: string; readonly run: Step<Kind> }[] = []
  const problems: string[] = []
  for (const { name: field, type } of record.fields) {
    const ours = wanted.get(field)
    wanted.delete(field)
    try {
      steps.push({ field, run: ours ? compileField(ours, type, names) : compileSkip(type, names) })
    } catch (error) {
      if (!(error instanceof AvroMismatchError)) throw error
      problems.push(`${field} ${error.message}`)
    }
  }
  for (const { name: field, required } of wanted.values()) if (required) problems.push(`${field} is not in the schema`)
  if (problems.length > 0) throw new AvroMismatchError(problems.join('; '))
  return (cursor) => {
    const draft = begin()
    for (const { field, run } of steps) {
      name(cursor, field)
      run(cursor, draft)
    }
    return finish(draft)
  }
}

function compileField<Kind>(field: Field<Draft<Kind>>, type: AvroType, names: AvroNames): Step<Kind> {
  switch (field.shape) {
    case 'id': {
      const decode = decodeType(type, names, textOf)
      return (cursor, draft) => {
        const text = decode(cursor)
        if (text === '') throw cursor.fault('missing-field', 'is empty')
        field.set(draft, text)
      }
    }
    case 'text':
      return setting(field.set, decodeType(type, names, textOf))
    case 'optional-text':
      return setting(field.set, decodeType<string | null>(type, names, textOf, null))
    case 'instant':
      return setting(field.set, decodeType(type, names, instantOf))
    case 'optional-instant':
      return setting(field.set, decodeType<Micros | null>(type, names, instantOf, null))
    case 'optional-count':
      return setting(field.set, decodeType<number | null>(type, names, countOf, null))
    case 'document':
      return setting(field.set, decodeType(type, names, bytesOf))
    case 'flag':
      return settingUnlessNull(field, orNull(type, names, flagOf))
    case 'texts':
      return settingUnlessNull(field, orNull(type, names, arrayOf(textOf)))
    case 'text-map':
      return settingUnlessNull(field, orNull(type, names, mapOf(textOf)))
    case 'indices':
      return settingUnlessNull(field, orNull(type, names, arrayOf(recordOf(INDEX_SHAPE))))
    case 'attachments':
      return settingUnlessNull(field, orNull(type, names, mapOf(recordOf(ATTACHMENT_SHAPE))))
    default:
      return assertNever(field)
  }
}

const setting =
  <Kind, Value>(set: (draft: Draft<Kind>, value: Value) => void, decode: Decode<Value>): Step<Kind> =>
  (cursor, draft) =>
    set(draft, decode(cursor))

const orNull = <Value>(
  type: AvroType,
  names: AvroNames,
  compile: (definition: AvroDefinition, names: AvroNames) => Decode<Value>,
): Decode<Value | null> => decodeType<Value | null>(type, names, compile, null)

/** Null says what an absent field says: the default stands, unless the field is required. */
const settingUnlessNull =
  <Kind, Value>(
    { set, required }: { readonly set: (draft: Draft<Kind>, value: Value) => void; readonly required: boolean },
    decode: Decode<Value | null>,
  ): Step<Kind> =>
  (cursor, draft) => {
    const value = decode(cursor)
    if (value !== null) set(draft, value)
    else if (required) throw cursor.fault('missing-field', 'is missing')
  }

const recordOf =
  <Kind>(shape: FieldsOf<Kind>) =>
  (definition: AvroDefinition, names: AvroNames): Decode<Kind> => {
    if (definition.type !== 'record') throw new AvroMismatchError(`is ${definition.type}, not record`)
    const decode = compileFields(shape, definition, names, nameInner)
    return (cursor) => {
      const value = decode(cursor)
      cursor.inner = ''
      return value
    }
  }

const nameInner = (cursor: AvroCursor, field: string): void => {
  cursor.inner = field
}
