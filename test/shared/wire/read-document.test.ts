import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { SourceKind } from '../../../services/shared/change.ts'
import { readDocument, type WireDocument } from '../../../services/shared/wire/read-document.ts'
import { renderWireDocument } from '../../../services/shared/wire/render-document.ts'
import { UnreadableError } from '../../../services/shared/wire/unreadable.ts'
import { holdsFor } from '../../support/property.ts'
import { randomChange, sourceOf } from './random-changes.ts'
import { aCaseDocument, aDocument, aFormDocument, anAppDocument, without } from './wire-documents.ts'

const refusal = (source: SourceKind, document: unknown): string => {
  try {
    readDocument(source, document)
  } catch (error) {
    assert.ok(error instanceof UnreadableError)
    return `${error.reason}: ${error.message}`
  }
  return 'read'
}

test('a rendered change reads back as the same change, through JSON text', (t) => {
  holdsFor(
    t,
    fc.property(randomChange, (change) => {
      const text = JSON.stringify(renderWireDocument(change))
      assert.deepEqual(readDocument(sourceOf(change), JSON.parse(text)), change)
    }),
  )
})

test('a case that leaves out all it may is read with the defaults of the contract', () => {
  const change = readDocument('cases', aCaseDocument())
  assert.ok(change.kind === 'case')
  assert.equal(change.serverOpenedOn, change.openedOn)
  assert.deepEqual(
    [change.externalId, change.dateClosed, change.properties, change.indices, change.xformIds, change.attachments],
    [null, null, {}, [], [], {}],
  )
})

test('a form that leaves out all it may is read with the defaults of the contract', () => {
  const change = readDocument('forms', aFormDocument())
  assert.ok(change.kind === 'form')
  assert.deepEqual(
    [change.appId, change.buildId, change.userId, change.username, change.deviceId, change.editedOn],
    [null, null, null, null, null, null],
  )
  assert.deepEqual([change.caseIds, change.duplicate, change.attachments], [[], false, {}])
})

test('null says the same as leaving an optional field out', () => {
  const optional = { external_id: null, server_opened_on: null, date_closed: null, properties: null, indices: null }
  assert.deepEqual(readDocument('cases', aCaseDocument(optional)), readDocument('cases', aCaseDocument()))
})

test('an index without a relationship is a child, and one without a case was removed', () => {
  const index = { identifier: 'parent', case_type: 'clinic', case_id: '' }
  const change = readDocument('cases', aCaseDocument({ indices: [index] }))
  assert.ok(change.kind === 'case')
  assert.deepEqual(change.indices, [{ identifier: 'parent', caseType: 'clinic', caseId: '', relationship: 'child' }])
})

test('fields that the contract does not have are ignored, whatever is in them', () => {
  let deep: unknown = 'bottom'
  for (let level = 0; level < 1_000; level++) deep = [deep]
  const change = readDocument('apps', anAppDocument({ later: deep, other: { a: 1 } }))
  assert.deepEqual(change, readDocument('apps', anAppDocument()))
})

test('a property called __proto__ is a property like any other', () => {
  const document: unknown = JSON.parse(
    JSON.stringify(aCaseDocument()).replace(/}$/, ',"properties":{"__proto__":"x"}}'),
  )
  const change = readDocument('cases', document)
  assert.ok(change.kind === 'case')
  assert.deepEqual(Object.entries(change.properties), [['__proto__', 'x']])
  assert.equal(Object.getPrototypeOf(change.properties), Object.prototype)
})

test('an offset is taken into account, and digits below the microsecond are cut off', () => {
  const change = readDocument('apps', anAppDocument({ saved_on: '2026-01-02T05:04:05.6789019+02:00' }))
  assert.ok(change.kind === 'app')
  assert.equal(change.savedOn, Date.parse('2026-01-02T03:04:05.678Z') * 1_000 + 901)
})

const REQUIRED: Readonly<Record<SourceKind, readonly string[]>> = {
  forms: ['project', 'form_id', 'xmlns', 'received_on', 'xml'],
  cases: [
    'project',
    'case_id',
    'case_type',
    'case_name',
    'owner_id',
    'user_id',
    'opened_on',
    'date_modified',
    'server_modified_on',
    'closed',
  ],
  apps: ['project', 'app_id', 'saved_on'],
}

for (const source of ['forms', 'cases', 'apps'] as const) {
  test(`a record of ${source} without a required field is refused by the field's name`, () => {
    for (const name of REQUIRED[source]) {
      const missing = `missing-field: ${name} is missing`
      assert.equal(refusal(source, without(aDocument[source](), name)), missing)
      assert.equal(refusal(source, aDocument[source]({ [name]: null })), missing)
    }
  })
}

const anIndex = { identifier: 'parent', case_type: 'clinic', case_id: 'c-9' }
const MISTAKES: readonly (readonly [document: unknown, refusal: string])[] = [
  [[], 'wrong-type: the value is an array, not an object'],
  ['text', 'wrong-type: the value is text, not an object'],
  [null, 'wrong-type: the value is null, not an object'],
  [aCaseDocument({ project: '' }), 'missing-field: project is empty'],
  [aCaseDocument({ case_id: '' }), 'missing-field: case_id is empty'],
  [aCaseDocument({ case_id: 7 }), 'wrong-type: case_id is a number, not text'],
  [aCaseDocument({ closed: 'false' }), 'wrong-type: closed is text, not true or false'],
  [aCaseDocument({ opened_on: 1767225600 }), 'wrong-type: opened_on is a number, not text'],
  [
    aCaseDocument({ opened_on: '2026-01-01' }),
    'bad-instant: opened_on is not an instant: ISO 8601 with Z or an offset',
  ],
  [
    aCaseDocument({ date_closed: '2026-02-30T00:00:00Z' }),
    'bad-instant: date_closed is not an instant: ISO 8601 with Z or an offset',
  ],
  [aCaseDocument({ properties: [] }), 'wrong-type: properties is an array, not an object'],
  [aCaseDocument({ properties: { age: 7 } }), 'wrong-type: properties["age"] is a number, not text'],
  [aCaseDocument({ properties: { age: null } }), 'wrong-type: properties["age"] is null, not text'],
  [aCaseDocument({ properties: { 'größe\n': {} } }), 'wrong-type: properties["gr??e?"] is an object, not text'],
  [aCaseDocument({ indices: {} }), 'wrong-type: indices is an object, not an array'],
  [aCaseDocument({ indices: ['c-9'] }), 'wrong-type: indices[0] is text, not an object'],
  [aCaseDocument({ indices: [anIndex, without(anIndex, 'case_id')] }), 'missing-field: indices[1].case_id is missing'],
  [
    aCaseDocument({ indices: [{ ...anIndex, relationship: 1 }] }),
    'wrong-type: indices[0].relationship is a number, not text',
  ],
  [aCaseDocument({ xform_ids: 'f-1' }), 'wrong-type: xform_ids is text, not an array'],
  [aCaseDocument({ xform_ids: ['f-1', null] }), 'wrong-type: xform_ids[1] is null, not text'],
  [aCaseDocument({ attachments: { a: 'u' } }), 'wrong-type: attachments["a"] is text, not an object'],
  [aCaseDocument({ attachments: { a: { url: 'u' } } }), 'missing-field: attachments["a"].content_type is missing'],
  [
    aCaseDocument({ attachments: { a: { url: 'u', content_type: 't', length: 1.5 } } }),
    'wrong-type: attachments["a"].length is a number, not a whole number',
  ],
]

test('each wrong document is refused with the path of what is wrong and what was wanted', () => {
  for (const [document, expected] of MISTAKES) assert.equal(refusal('cases', document), expected)
})

test('a form whose XML holds half of a surrogate pair is refused: UTF-8 cannot hold it', () => {
  assert.equal(
    refusal('forms', aFormDocument({ xml: '<a>\ud83d</a>' })),
    'lone-surrogate: xml holds half of a surrogate pair',
  )
})

test('the XML of a form becomes its UTF-8 bytes', () => {
  const change = readDocument('forms', aFormDocument({ xml: '<a>größe 😀</a>' }))
  assert.ok(change.kind === 'form')
  assert.deepEqual(change.xml, Buffer.from('<a>größe 😀</a>', 'utf8'))
})

test('no error repeats the value, and none is longer than a header may be', (t) => {
  holdsFor(
    t,
    fc.property(fc.string({ minLength: 1, unit: 'binary' }), fc.jsonValue(), (name, value) => {
      const document: WireDocument = aCaseDocument({
        properties: { [name.repeat(200)]: value },
        case_id: 'secret-text',
      })
      const text = refusal('cases', document)
      assert.match(text, /^[\x20-\x7e]{1,1024}$/)
      assert.ok(!text.includes('secret-text'))
    }),
  )
})
