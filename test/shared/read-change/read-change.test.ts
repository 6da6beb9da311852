import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readChange, type ChangeReader, type ReadChange } from '../../../services/shared/read-change/read-change.ts'
import type { SourceKind } from '../../../services/shared/change.ts'
import { encodeChange } from '../../../services/shared/registry/encode-change.ts'
import { readDocument, type WireDocument } from '../../../services/shared/wire/read-document.ts'
import { UNREADABLE_CAUSES } from '../../../services/shared/wire/unreadable.ts'
import { holdsFor } from '../../support/property.ts'
import { ourSchema, readerOf } from '../../shared/registry/writer-schema.ts'
import { aCaseDocument, aDocument, aFormDocument } from '../../shared/wire/wire-documents.ts'

const SOURCES: readonly SourceKind[] = ['forms', 'cases', 'apps']
const IDS: Readonly<Record<SourceKind, number>> = { forms: 1, cases: 2, apps: 3 }
const readers: ReadonlyMap<number, ChangeReader> = new Map<number, ChangeReader>([
  ...SOURCES.map((source) => [IDS[source], readerOf(ourSchema(source))] as const),
  [8, { kind: 'condemned', cause: 'unknown-schema', error: 'the registry has no schema 8' }],
  [9, { kind: 'condemned', cause: 'schema-unusable', error: 'CaseChange cannot be read: case_id is int, not string' }],
])

const json = (document: WireDocument): Buffer => Buffer.from(JSON.stringify(document))
const avro = (source: SourceKind): Buffer => encodeChange(source, aDocument[source](), IDS[source])
const told = (read: ReadChange): string => (read.kind === 'unreadable' ? `${read.cause}: ${read.error}` : read.kind)
const framing = (id: number, body: readonly number[] = []): Buffer => {
  const head = Buffer.alloc(5)
  head.writeInt32BE(id, 1)
  return Buffer.concat([head, Buffer.from(body)])
}

for (const source of SOURCES) {
  test(`a record of ${source} reads the same from Avro and from JSON`, () => {
    const change = readDocument(source, aDocument[source]())
    assert.deepEqual(readChange(source, json(aDocument[source]()), readers), { kind: 'read', change })
    assert.deepEqual(readChange(source, avro(source), readers), { kind: 'read', change })
  })

  test(`a null value of ${source} is a tombstone`, () => {
    assert.deepEqual(readChange(source, null, readers), { kind: 'tombstone' })
  })
}

test('a schema id that nobody has fetched yet is asked for, and nothing is judged', () => {
  assert.deepEqual(readChange('cases', framing(77, [1, 2]), readers), { kind: 'schema-needed', schemaId: 77 })
  assert.deepEqual(readChange('cases', framing(0x7fffffff), readers), { kind: 'schema-needed', schemaId: 0x7fffffff })
})

const invalidUtf8 = Buffer.concat([Buffer.from('{"project":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')])
const BAD_INPUT: readonly (readonly [what: string, value: Buffer, told: string])[] = [
  ['no bytes', Buffer.alloc(0), 'empty-value: the value has no bytes: a tombstone is null'],
  [
    'a wrong magic byte',
    Buffer.from('1234567'),
    'wrong-magic-byte: the value begins with byte 0x31: neither 00 (Avro) nor { (JSON)',
  ],
  [
    'white space before JSON',
    Buffer.from(' {}'),
    'wrong-magic-byte: the value begins with byte 0x20: neither 00 (Avro) nor { (JSON)',
  ],
  [
    'a JSON array',
    Buffer.from('[]'),
    'wrong-magic-byte: the value begins with byte 0x5b: neither 00 (Avro) nor { (JSON)',
  ],
  [
    'a byte order mark',
    Buffer.from('\ufeff{}'),
    'byte-order-mark: the value begins with a byte order mark: JSON is sent without one',
  ],
  ['the magic byte alone', Buffer.from([0]), 'truncated-framing: the value has 1 bytes: its framing alone has 5'],
  [
    'framing that was cut',
    Buffer.from([0, 0, 0, 0]),
    'truncated-framing: the value has 4 bytes: its framing alone has 5',
  ],
  ['schema id 0', framing(0, [0, 0, 0, 5]), 'unknown-schema: the value names schema 0: no registry gives such an id'],
  ['a negative schema id', framing(-5), 'unknown-schema: the value names schema -5: no registry gives such an id'],
  ['an unknown schema', framing(8), 'unknown-schema: the registry has no schema 8'],
  [
    'a schema that cannot be used',
    framing(9),
    'schema-unusable: CaseChange cannot be read: case_id is int, not string',
  ],
  ['another topic’s schema', avro('apps'), 'schema-unusable: schema 3 is for apps, and this topic carries cases'],
  ['framing without a record', framing(IDS.cases), 'truncated-avro: project ends too early, at byte 5 of the value'],
  [
    'truncated Avro',
    avro('cases').subarray(0, 20),
    'truncated-avro: case_type ends too early, at byte 18 of the value',
  ],
  [
    'bytes behind Avro',
    Buffer.concat([avro('cases'), Buffer.from([0])]),
    `trailing-bytes: the record is followed by 1 bytes, at byte ${avro('cases').length} of the value`,
  ],
  ['malformed JSON', Buffer.from('{"project": demo}'), 'malformed-json: wanted a value at line 1, column 13'],
  [
    'JSON that was cut',
    Buffer.from('{"project": "demo"'),
    'malformed-json: wanted , or } where the value ends, at line 1, column 19',
  ],
  ['text behind JSON', Buffer.from('{} {}'), 'malformed-json: wanted nothing more at line 1, column 4'],
  ['invalid UTF-8', invalidUtf8, 'invalid-utf8: the value is not UTF-8'],
  ['an empty object', Buffer.from('{}'), 'missing-field: project is missing'],
  ['a missing field', json({ ...aCaseDocument(), case_type: undefined }), 'missing-field: case_type is missing'],
  [
    'a wrong type',
    json(aCaseDocument({ properties: { age: 31 } })),
    'wrong-type: properties["age"] is a number, not text',
  ],
  [
    'no instant',
    json(aCaseDocument({ date_modified: 'yesterday' })),
    'bad-instant: date_modified is not an instant: ISO 8601 with Z or an offset',
  ],
]

for (const [what, value, expected] of BAD_INPUT) {
  test(`a value with ${what} is unreadable with a cause of its own`, () => {
    const before = Buffer.from(value)
    assert.equal(told(readChange('cases', value, readers)), expected)
    assert.deepEqual(value, before)
  })
}

test('half of a surrogate pair in the XML of a form is unreadable, and in a property is not', () => {
  const half = json(aFormDocument({ xml: '<a>\ud83d</a>' }))
  assert.equal(told(readChange('forms', half, readers)), 'lone-surrogate: xml holds half of a surrogate pair')
  const property = readChange('cases', json(aCaseDocument({ properties: { a: '\ud83d' } })), readers)
  assert.ok(property.kind === 'read' && property.change.kind === 'case')
  assert.equal(property.change.properties['a'], '\ud83d')
})

test('a thousand levels of nesting, and a million, are ignored in a field that the contract does not have', () => {
  for (const levels of [1_000, 1_000_000]) {
    const text = JSON.stringify(aCaseDocument({ later: 'HERE' })).replace(
      '"HERE"',
      '['.repeat(levels) + ']'.repeat(levels),
    )
    assert.equal(readChange('cases', Buffer.from(text), readers).kind, 'read')
  }
})

test('a thousand levels of nesting in a field that the contract has are of the wrong type', () => {
  const text = JSON.stringify(aCaseDocument({ case_name: 'HERE' })).replace(
    '"HERE"',
    '['.repeat(1_000) + ']'.repeat(1_000),
  )
  assert.equal(told(readChange('cases', Buffer.from(text), readers)), 'wrong-type: case_name is an array, not text')
})

test('a form of 5 MB is read, its XML the bytes of the value', () => {
  const xml = `<data>${'größe '.repeat(700_000)}</data>`
  for (const value of [json(aFormDocument({ xml })), encodeChange('forms', aFormDocument({ xml }), IDS.forms)]) {
    const read = readChange('forms', value, readers)
    assert.ok(read.kind === 'read' && read.change.kind === 'form')
    assert.equal(read.change.xml.equals(Buffer.from(xml)), true)
  }
})

test('any bytes are read, or refused with a listed cause in printable text; nothing is thrown', (t) => {
  const valid = fc.constantFrom(...SOURCES.flatMap((source) => [json(aDocument[source]()), avro(source)]))
  const damaged = fc.tuple(valid, fc.nat(), fc.nat(255)).map(([value, at, byte]) => {
    const copy = Buffer.from(value)
    copy[at % copy.length] = byte
    return copy
  })
  const random = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes))
  const begun = fc
    .tuple(fc.constantFrom(framing(1), framing(2), framing(3), Buffer.from('{"')), random)
    .map((parts) => Buffer.concat(parts))
  const document = fc.object().map((value) => Buffer.from(JSON.stringify(value)))
  holdsFor(
    t,
    fc.property(fc.oneof(damaged, random, begun, document), fc.constantFrom(...SOURCES), (value, source) => {
      const read = readChange(source, value, readers)
      if (read.kind !== 'unreadable') return
      assert.ok(UNREADABLE_CAUSES.includes(read.cause))
      assert.match(read.error, /^[\x20-\x7e]{1,1000}$/)
    }),
    3_000,
  )
})

test('a reader that fails in a way of its own makes its record unreadable, not the partition', () => {
  const broken: ChangeReader = {
    kind: 'reader',
    source: 'cases',
    read: () => {
      throw new RangeError('Maximum call stack size exceeded')
    },
  }
  const read = readChange('cases', framing(5), new Map([[5, broken]]))
  assert.equal(told(read), 'internal-fault: reading it failed: RangeError')
})
