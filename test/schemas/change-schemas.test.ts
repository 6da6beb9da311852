import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SourceKind } from '../../services/shared/change.ts'
import {
  APP_SHAPE,
  ATTACHMENT_SHAPE,
  CASE_SHAPE,
  FORM_SHAPE,
  INDEX_SHAPE,
  type Shape,
} from '../../services/shared/wire/change-fields.ts'
import { compile, ourSchema, type AvroFieldText, type AvroRecordText } from '../shared/registry/writer-schema.ts'

const SHAPES = { forms: FORM_SHAPE, cases: CASE_SHAPE, apps: APP_SHAPE }
const SOURCES: readonly SourceKind[] = ['forms', 'cases', 'apps']
const INSTANT = { type: 'long', logicalType: 'timestamp-micros' }

const isRecord = (type: unknown): type is AvroRecordText =>
  typeof type === 'object' && type !== null && 'type' in type && type.type === 'record'

/** A record and all records within it. */
function recordsOf(type: unknown): AvroRecordText[] {
  if (Array.isArray(type)) return type.flatMap(recordsOf)
  if (isRecord(type)) return [type, ...type.fields.flatMap((field) => recordsOf(field.type))]
  if (typeof type !== 'object' || type === null) return []
  return Object.values(type).flatMap(recordsOf)
}

/** What a shape of ours is in Avro; records within are compared on their own. */
const AVRO_TYPES: Readonly<Record<Shape, unknown>> = {
  id: 'string',
  text: 'string',
  'optional-text': ['null', 'string'],
  instant: INSTANT,
  'optional-instant': ['null', INSTANT],
  'optional-count': ['null', 'long'],
  flag: 'boolean',
  document: 'bytes',
  texts: { type: 'array', items: 'string' },
  'text-map': { type: 'map', values: 'string' },
  indices: 'array',
  attachments: 'map',
}

function assertShape(
  fields: readonly AvroFieldText[],
  shape: readonly { name: string; shape: Shape; required: boolean }[],
) {
  assert.deepEqual(
    fields.map((field) => field.name),
    shape.map((field) => field.name),
  )
  for (const [index, ours] of shape.entries()) {
    const field = fields[index]
    assert.ok(field)
    const wanted = AVRO_TYPES[ours.shape]
    if (wanted === 'array' || wanted === 'map') assert.equal((field.type as { type: string }).type, wanted)
    else if (field.name !== 'relationship') assert.deepEqual(field.type, wanted, field.name)
    // A field that may be left out has a default, so that a publisher's schema may do without it.
    assert.equal(Object.hasOwn(field, 'default'), !ours.required, `${field.name} has a default`)
  }
}

for (const source of SOURCES) {
  test(`the schema of ${source} says what the readers read, field by field`, () => {
    const schema = ourSchema(source)
    assert.equal(schema.namespace, 'org.onward')
    assert.equal(schema.name, SHAPES[source].recordName)
    assertShape(schema.fields, SHAPES[source].fields)
    for (const record of recordsOf(schema).slice(1)) {
      assertShape(record.fields, record.name === 'CaseIndex' ? INDEX_SHAPE.fields : ATTACHMENT_SHAPE.fields)
    }
  })

  test(`every record and field of the schema of ${source} is documented`, () => {
    for (const record of recordsOf(ourSchema(source))) {
      assert.ok(record.doc, record.name)
      for (const { name, doc } of record.fields) assert.match(doc ?? '', /\w.*\.$/, `${record.name}.${name}`)
    }
  })

  test(`our own schema of ${source} compiles to a reader`, () => {
    const compiled = compile(ourSchema(source))
    assert.equal(compiled.kind === 'compiled' && compiled.reader.source, source)
  })
}
