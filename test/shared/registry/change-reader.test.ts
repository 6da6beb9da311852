import assert from 'node:assert/strict'
import { test } from 'node:test'
import avro from 'avsc'
import fc from 'fast-check'
import type { Change } from '../../../services/shared/change.ts'
import { encodeChange, frameChange } from '../../../services/shared/registry/encode-change.ts'
import { readDocument, type WireDocument } from '../../../services/shared/wire/read-document.ts'
import { renderAvroRecord } from '../../../services/shared/wire/render-document.ts'
import { UnreadableError } from '../../../services/shared/wire/unreadable.ts'
import { holdsFor } from '../../support/property.ts'
import { randomChange, sourceOf } from '../wire/random-changes.ts'
import { aCaseDocument, aFormDocument, anAppDocument } from '../wire/wire-documents.ts'
import { compile, editedSchema, framed, ourSchema, readerOf, retyped } from './writer-schema.ts'

const FRAMING = 5
const readers = {
  forms: readerOf(ourSchema('forms')),
  cases: readerOf(ourSchema('cases')),
  apps: readerOf(ourSchema('apps')),
}

/** An app change as avsc takes it: the smallest record. */
const anApp = { project: 'demo', app_id: 'app-1', build_id: null, saved_on: 1_000_000 }
const aCase = renderAvroRecord(readDocument('cases', aCaseDocument({ properties: { age: '31' }, xform_ids: ['f-1'] })))

const refusal = (read: () => unknown): string => {
  try {
    read()
  } catch (error) {
    assert.ok(error instanceof UnreadableError, String(error))
    return `${error.reason}: ${error.message}`
  }
  return 'read'
}
/** Reads a record of the writer's schema with the reader compiled from it. */
const readAs = (schema: unknown, record: unknown): Change => readerOf(schema).read(framed(schema, record), FRAMING)
const problem = (schema: unknown): string => {
  const compiled = compile(schema)
  return compiled.kind === 'unusable' ? compiled.error : compiled.kind
}

test('a change that is encoded reads back as the same change', (t) => {
  holdsFor(
    t,
    fc.property(randomChange, (change) => {
      const source = sourceOf(change)
      assert.deepEqual(readers[source].read(frameChange(source, change, 7), FRAMING), change)
    }),
  )
})

test('what avsc reads from a record is what this reader reads', (t) => {
  const type = avro.Type.forSchema(ourSchema('apps') as avro.Schema, { wrapUnions: 'never' })
  const app = fc.record({
    project: fc.string({ minLength: 1 }),
    app_id: fc.string({ minLength: 1 }),
    build_id: fc.option(fc.string()),
    saved_on: fc.integer({ min: -(2 ** 51), max: 2 ** 51 }),
  })
  holdsFor(
    t,
    fc.property(app, (record) => {
      const value = framed(ourSchema('apps'), record)
      const change = readers.apps.read(value, FRAMING)
      // Through JSON, since avsc's records have a class of their own.
      assert.deepEqual(renderAvroRecord(change), { ...(type.fromBuffer(value.subarray(FRAMING)) as object) })
    }),
  )
})

test('bytes of any kind are read or refused with a cause, and never anything else', (t) => {
  const valid = framed(ourSchema('cases'), aCase)
  const damaged = fc
    .array(fc.tuple(fc.nat(valid.length - FRAMING - 1), fc.nat(255)), { minLength: 1, maxLength: 4 })
    .map((changes) => {
      const value = Buffer.from(valid)
      for (const [at, byte] of changes) value[FRAMING + at] = byte
      return value
    })
  const random = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.concat([Buffer.alloc(FRAMING), bytes]))
  holdsFor(
    t,
    fc.property(fc.oneof(damaged, random), fc.constantFrom(...Object.values(readers)), (value, reader) => {
      assert.match(
        refusal(() => reader.read(value, FRAMING)),
        /^(read|[a-z0-9-]+: [\x20-\x7e]{1,1000})$/,
      )
    }),
    3_000,
  )
})

test('a record that was cut anywhere is refused as truncated', () => {
  const value = framed(ourSchema('cases'), aCase)
  for (let length = FRAMING; length < value.length; length++) {
    assert.match(
      refusal(() => readers.cases.read(value.subarray(0, length), FRAMING)),
      /^truncated-avro: /,
      `at ${length}`,
    )
  }
})

test('bytes behind a record are refused, and counted', () => {
  const value = Buffer.concat([framed(ourSchema('apps'), anApp), Buffer.from('xy')])
  assert.equal(
    refusal(() => readers.apps.read(value, FRAMING)),
    `trailing-bytes: the record is followed by 2 bytes, at byte ${value.length - 2} of the value`,
  )
})

/** A case change whose xform_ids are given as raw bytes; all before them is valid. */
function withXformIds(bytes: readonly number[]): Buffer {
  const fields = editedSchema('cases', (all) =>
    all.slice(
      0,
      all.findIndex((field) => field.name === 'xform_ids'),
    ),
  )
  return Buffer.concat([framed(fields, aCase), Buffer.from(bytes)])
}

test('a damaged count or length ends at once, however much it promises', () => {
  const huge = [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]
  const cases: readonly (readonly [bytes: readonly number[], refusal: RegExp])[] = [
    [huge, /^truncated-avro: xform_ids has fewer entries than it says/],
    [[0xff, ...huge.slice(1), 0x00], /^truncated-avro: xform_ids has fewer entries than it says/],
    [[0x02, ...huge], /^truncated-avro: xform_ids\[0\] ends too early/],
    [[0x02, 0x01], /^malformed-avro: xform_ids\[0\] has a negative length/],
    [Array.from({ length: 11 }, () => 0xff), /^malformed-avro: xform_ids has a number longer than 64 bits/],
  ]
  for (const [bytes, expected] of cases) {
    assert.match(
      refusal(() => readers.cases.read(withXformIds(bytes), FRAMING)),
      expected,
    )
  }
})

test('text that is not UTF-8 is refused by its field, and a real U+FFFD is read', () => {
  const broken = framed(ourSchema('apps'), { ...anApp, app_id: 'app-X' })
  broken[broken.indexOf('X')] = 0xff
  assert.match(
    refusal(() => readers.apps.read(broken, FRAMING)),
    /^invalid-utf8: app_id is not UTF-8, at byte \d+/,
  )
  const real = readAs(ourSchema('apps'), { ...anApp, app_id: 'app-\ufffd' })
  assert.equal(real.kind === 'app' && real.appId, 'app-\ufffd')
})

test('a large value is read like a small one', () => {
  const properties = Object.fromEntries(
    Array.from({ length: 500 }, (_, index) => [`p${index}`, `größe ${index} `.repeat(12)]),
  )
  const document = aCaseDocument({ properties })
  assert.deepEqual(readers.cases.read(encodeChange('cases', document, 7), FRAMING), readDocument('cases', document))
})

test('the XML of a form is the very bytes of the value, UTF-8 or not', () => {
  const xml = Buffer.from([0x3c, 0xff, 0x00, 0x3e])
  const record = renderAvroRecord(readDocument('forms', aFormDocument()))
  const change = readAs(ourSchema('forms'), { ...record, xml })
  assert.ok(change.kind === 'form')
  assert.deepEqual(change.xml, xml)
})

test('instants are exact to the microsecond where avsc already rounds', () => {
  for (const micros of [2 ** 52 + 1, Number.MAX_SAFE_INTEGER - 1, -1, -(2 ** 52), 0, 64, -65]) {
    const change = readAs(ourSchema('apps'), { ...anApp, saved_on: micros })
    assert.equal(change.kind === 'app' && change.savedOn, micros)
  }
})

test('what avsc would write as something else is refused by its field', () => {
  const refused = (document: WireDocument) => refusal(() => encodeChange('cases', aCaseDocument(document), 7))
  const surrogate = 'holds half of a surrogate pair: UTF-8 cannot'
  assert.equal(refused({ case_name: '\ud83d' }), `lone-surrogate: case_name ${surrogate}`)
  assert.equal(refused({ properties: { a: '\ude00' } }), `lone-surrogate: properties.a ${surrogate}`)
  assert.equal(refused({ properties: { '\ude00': 'a' } }), `lone-surrogate: properties.? ${surrogate}`)
  const instant = 'cannot be written as Avro: send it as JSON'
  assert.equal(refused({ opened_on: '1800-01-01T00:00:00Z' }), `bad-instant: opened_on ${instant}`)
  assert.equal(refused({ date_closed: '9999-12-31T00:00:00Z' }), `bad-instant: date_closed ${instant}`)
  assert.equal(refused({ case_id: '' }), 'missing-field: case_id is empty')
})

// ── evolution ─────────────────────────────────────────────────────────────────────────────────────────────────────────

test('a newer schema is read: fields we do not know are passed over, of every type', () => {
  const node = { type: 'record', name: 'Node', fields: [{ name: 'next', type: ['null', 'Node'] }] }
  const later = [
    { name: 'a', type: 'null' },
    { name: 'b', type: { type: 'array', items: 'null' } },
    { name: 'c', type: { type: 'map', values: ['null', 'double', 'float'] } },
    { name: 'd', type: { type: 'enum', name: 'Colour', symbols: ['RED', 'BLUE'] } },
    { name: 'e', type: { type: 'fixed', name: 'Four', size: 4 } },
    { name: 'f', type: node },
    { name: 'g', type: { type: 'array', items: 'Node' } },
    { name: 'h', type: ['null', { type: 'long', logicalType: 'timestamp-nanos' }] },
  ]
  const schema = editedSchema('apps', (fields) => [...later, ...fields])
  const record = {
    ...anApp,
    a: null,
    b: [null, null, null],
    c: { x: { double: 1 }, y: null },
    d: 'BLUE',
    e: Buffer.from('four'),
    f: { next: { Node: { next: null } } },
    g: [{ next: null }],
    h: 5,
  }
  const value = Buffer.concat([
    Buffer.alloc(FRAMING),
    avro.Type.forSchema(schema as avro.Schema, { wrapUnions: 'auto' }).toBuffer({
      ...record,
      f: { next: { next: null } },
    }),
  ])
  assert.deepEqual(readerOf(schema).read(value, FRAMING), readAs(ourSchema('apps'), anApp))
})

test('an older schema is read: fields it lacks have their defaults', () => {
  const kept = ['project', 'app_id', 'saved_on']
  const schema = editedSchema('apps', (fields) => fields.filter((field) => kept.includes(field.name)))
  assert.deepEqual(readAs(schema, anApp), readAs(ourSchema('apps'), anApp))
})

test('fields are read by name, in whatever order they are written', () => {
  const schema = editedSchema('cases', (fields) => fields.toReversed())
  assert.deepEqual(readAs(schema, aCase), readAs(ourSchema('cases'), aCase))
})

test('the namespace is the publisher’s own', () => {
  const schema = { ...ourSchema('cases'), namespace: 'com.example' }
  assert.deepEqual(readAs(schema, aCase), readAs(ourSchema('cases'), aCase))
})

test('a type that Avro promotes to ours is read', () => {
  const micros = 1_767_225_600_123_000
  const saved = (type: unknown, value: number) => {
    const change = readAs(retyped('apps', 'saved_on', type), { ...anApp, saved_on: value })
    return change.kind === 'app' && change.savedOn
  }
  assert.equal(saved('long', micros), micros)
  assert.equal(saved('int', 77), 77)
  assert.equal(saved({ type: 'long', logicalType: 'timestamp-millis' }, micros / 1_000), micros)
  const bytes = readAs(retyped('apps', 'app_id', 'bytes'), { ...anApp, app_id: Buffer.from('größe') })
  assert.equal(bytes.kind === 'app' && bytes.appId, 'größe')
  const nullable = readAs(retyped('apps', 'app_id', ['string', 'null']), anApp)
  assert.equal(nullable.kind === 'app' && nullable.appId, 'app-1')
})

test('a required field that a nullable schema leaves null is missing in that record only', () => {
  const schema = retyped('apps', 'app_id', ['null', 'string'])
  const reader = readerOf(schema)
  assert.match(
    refusal(() => reader.read(framed(schema, { ...anApp, app_id: null }), FRAMING)),
    /^missing-field: app_id is missing/,
  )
  assert.equal(reader.read(framed(schema, anApp), FRAMING).kind, 'app')
})

test('a branch that cannot be read spoils only the records that take it', () => {
  const schema = retyped('apps', 'app_id', ['string', 'int'])
  const reader = readerOf(schema)
  assert.equal(reader.read(framed(schema, anApp), FRAMING).kind, 'app')
  assert.match(
    refusal(() => reader.read(framed(schema, { ...anApp, app_id: 5 }), FRAMING)),
    /^wrong-type: app_id is int, not string/,
  )
})

test('a record within itself may be deep, and is refused before the stack ends', () => {
  const node = { type: 'record', name: 'Node', fields: [{ name: 'next', type: ['null', 'Node'] }] }
  const reader = readerOf(editedSchema('apps', (fields) => [{ name: 'later', type: node }, ...fields]))
  const nested = (levels: number) =>
    Buffer.concat([
      Buffer.alloc(FRAMING),
      Buffer.alloc(levels, 0x02),
      Buffer.from([0]),
      framed(ourSchema('apps'), anApp).subarray(FRAMING),
    ])
  assert.equal(reader.read(nested(400), FRAMING).kind, 'app')
  assert.match(
    refusal(() => reader.read(nested(1_000_000), FRAMING)),
    /^too-deep: later holds org.onward.Node more than/,
  )
})

test('an array of nothing costs nothing, whatever its count', () => {
  const schema = editedSchema('apps', (fields) => [
    { name: 'later', type: { type: 'array', items: 'null' } },
    ...fields,
  ])
  const count = [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0x00]
  const value = Buffer.concat([
    Buffer.alloc(FRAMING),
    Buffer.from(count),
    framed(ourSchema('apps'), anApp).subarray(FRAMING),
  ])
  assert.equal(readerOf(schema).read(value, FRAMING).kind, 'app')
})

const map = (values: unknown) => ({ type: 'map', values })
const UNUSABLE: readonly (readonly [schema: unknown, error: string])[] = [
  ['string', 'the schema is not a record'],
  [['null', 'string'], 'the schema is not a record'],
  [
    { type: 'record', name: 'com.example.Patient', fields: [] },
    "the schema's record is Patient: known are FormChange, CaseChange, AppChange",
  ],
  [
    editedSchema('apps', (fields) => fields.filter((field) => field.name !== 'saved_on' && field.name !== 'project')),
    'AppChange cannot be read: project is not in the schema; saved_on is not in the schema',
  ],
  [retyped('cases', 'case_id', 'int'), 'CaseChange cannot be read: case_id is int, not string'],
  [retyped('cases', 'case_id', ['null', 'int']), 'CaseChange cannot be read: case_id is int, not string'],
  [retyped('cases', 'case_id', 'null'), 'CaseChange cannot be read: case_id is null, not string'],
  [retyped('cases', 'opened_on', 'string'), 'CaseChange cannot be read: opened_on is string, not timestamp-micros'],
  [
    retyped('cases', 'opened_on', { type: 'long', logicalType: 'local-timestamp-micros' }),
    'CaseChange cannot be read: opened_on is local-timestamp-micros, not timestamp-micros',
  ],
  [
    retyped('cases', 'properties', map('long')),
    'CaseChange cannot be read: properties has values of which one is long, not string',
  ],
  [
    retyped('cases', 'indices', {
      type: 'array',
      items: { type: 'record', name: 'Index', fields: [{ name: 'identifier', type: 'string' }] },
    }),
    'CaseChange cannot be read: indices has items of which one case_type is not in the schema; case_id is not in the schema',
  ],
]

test('a schema that cannot be resolved to ours is refused once, naming every field in the way', () => {
  for (const [schema, error] of UNUSABLE) assert.equal(problem(schema), error)
})

test('what is not Avro is no schema', async () => {
  const { readAvroSchema } = await import('../../../services/shared/registry/logical-types.ts')
  assert.equal(readAvroSchema({ validate: () => true }), undefined)
})

test('the app document of the tests is what its Avro record reads as', () => {
  assert.deepEqual(
    readers.apps.read(encodeChange('apps', anAppDocument(), 7), FRAMING),
    readDocument('apps', anAppDocument()),
  )
})
