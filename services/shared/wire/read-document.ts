// Reads a source record given as a JSON value of the wire shape (schemas/*.avsc, with instants and the XML as text).
// Enter: what JSON.parse returned, or a plain object. Leave: a Change. Unknown fields are ignored, whatever is in them.
// Never recurses into what it does not know, so depth in the document costs nothing here.
import type { Change, Micros, SourceKind } from '../change.ts'
import { readInstant } from '../instant.ts'
import { assertNever } from '../assert-never.ts'
import {
  APP_SHAPE,
  CASE_SHAPE,
  ATTACHMENT_SHAPE,
  FORM_SHAPE,
  INDEX_SHAPE,
  setEntry,
  type Draft,
  type Field,
  type FieldsOf,
} from './change-fields.ts'
import { entryPath, kindOf, UnreadableError } from './unreadable.ts'

/** A JSON object of the wire shape, not yet checked. */
export type WireDocument = Readonly<Record<string, unknown>>

/** @throws UnreadableError naming the field that is missing or wrong */
export function readDocument(source: SourceKind, document: unknown): Change {
  const checked = readObject('the value', document)
  switch (source) {
    case 'forms':
      return readFields(FORM_SHAPE, checked, '')
    case 'cases':
      return readFields(CASE_SHAPE, checked, '')
    case 'apps':
      return readFields(APP_SHAPE, checked, '')
    default:
      return assertNever(source)
  }
}

/** @param prefix what stands before a field's name in an error: `indices[3].` */
function readFields<Kind>(shape: FieldsOf<Kind>, document: WireDocument, prefix: string): Kind {
  const draft = shape.begin()
  for (const field of shape.fields) {
    const value = document[field.name]
    const path = prefix + field.name
    if (value !== undefined && value !== null) setField(draft, field, value, path)
    else if (field.required) throw new UnreadableError('missing-field', `${path} is missing`)
  }
  return shape.finish(draft)
}

function setField<Kind>(draft: Draft<Kind>, field: Field<Draft<Kind>>, value: unknown, path: string): void {
  switch (field.shape) {
    case 'id':
      return field.set(draft, readId(path, value))
    case 'text':
    case 'optional-text':
      return field.set(draft, readText(path, value))
    case 'instant':
    case 'optional-instant':
      return field.set(draft, readMicros(path, value))
    case 'flag':
      return field.set(draft, readFlag(path, value))
    case 'document':
      return field.set(draft, readXml(path, value))
    case 'texts':
      return field.set(draft, readTexts(path, value))
    case 'text-map':
      return field.set(draft, readTextMap(path, value))
    case 'indices':
      return field.set(draft, readList(path, value, INDEX_SHAPE))
    case 'attachments':
      return field.set(draft, readMap(path, value, ATTACHMENT_SHAPE))
    case 'optional-count':
      return field.set(draft, readCount(path, value))
    default:
      return assertNever(field)
  }
}

const isObject = (value: unknown): value is WireDocument =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const wrongType = (path: string, value: unknown, wanted: string): UnreadableError =>
  new UnreadableError('wrong-type', `${path} is ${kindOf(value)}, not ${wanted}`)

function readObject(path: string, value: unknown): WireDocument {
  if (!isObject(value)) throw wrongType(path, value, 'an object')
  return value
}

function readText(path: string, value: unknown): string {
  if (typeof value !== 'string') throw wrongType(path, value, 'text')
  return value
}

function readId(path: string, value: unknown): string {
  const text = readText(path, value)
  if (text === '') throw new UnreadableError('missing-field', `${path} is empty`)
  return text
}

function readMicros(path: string, value: unknown): Micros {
  const text = readText(path, value)
  const micros = readInstant(text)
  if (micros === undefined) {
    throw new UnreadableError('bad-instant', `${path} is not an instant: ISO 8601 with Z or an offset`)
  }
  return micros
}

function readFlag(path: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw wrongType(path, value, 'true or false')
  return value
}

function readXml(path: string, value: unknown): Buffer {
  const text = readText(path, value)
  // UTF-8 cannot hold half a surrogate pair: writing it would put a replacement character into somebody's form.
  if (!text.isWellFormed()) throw new UnreadableError('lone-surrogate', `${path} holds half of a surrogate pair`)
  return Buffer.from(text, 'utf8')
}

function readTexts(path: string, value: unknown): string[] {
  if (!Array.isArray(value)) throw wrongType(path, value, 'an array')
  return value.map((item: unknown, index) => {
    if (typeof item !== 'string') throw wrongType(`${path}[${index}]`, item, 'text')
    return item
  })
}

/** The parsed object itself, once all its values are text: copying 25 properties would cost as much as parsing them. */
function readTextMap(path: string, value: unknown): Record<string, string> {
  const texts = readObject(path, value)
  for (const name of Object.keys(texts)) {
    // Numbers are refused, not rendered: 1.0 and 1 are one number in JSON, and two values of a property.
    if (typeof texts[name] !== 'string') throw wrongType(entryPath(path, name), texts[name], 'text')
  }
  return texts as Record<string, string>
}

function readCount(path: string, value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw wrongType(path, value, 'a whole number')
  return value
}

function readList<Item>(path: string, value: unknown, item: FieldsOf<Item>): Item[] {
  if (!Array.isArray(value)) throw wrongType(path, value, 'an array')
  return value.map((document: unknown, index) =>
    readFields(item, readObject(`${path}[${index}]`, document), `${path}[${index}].`),
  )
}

function readMap<Item>(path: string, value: unknown, item: FieldsOf<Item>): Record<string, Item> {
  const documents = readObject(path, value)
  const entries: Record<string, Item> = {}
  for (const name of Object.keys(documents)) {
    const at = entryPath(path, name)
    setEntry(entries, name, readFields(item, readObject(at, documents[name]), `${at}.`))
  }
  return entries
}
