import { test } from 'node:test'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { caseId } from '../../../services/shared/ids.ts'
import { renderCaseJson } from '../../../services/forwarder/render-payload/case-json.ts'
import { aCaseChange, instant, sample } from './changes.ts'
import { holdsFor } from '../../support/property.ts'

type CaseJson = {
  properties: Record<string, unknown>
  indices: Record<string, unknown>
  date_closed: unknown
  closed: unknown
}
const parsed = (text: string): CaseJson => JSON.parse(text) as CaseJson

test("the guide's case has the sample's keys in the sample's order, with full digits in its instants", () => {
  const withDigits = sample('case-trees.expected.json')
    .toString()
    .replaceAll(/:(\d\d)Z/g, ':$1.000000Z')
  assert.equal(renderCaseJson(aCaseChange()), JSON.stringify(JSON.parse(withDigits)))
})

test('a closed case, its external id and its indices have their places', () => {
  const change = aCaseChange({
    closed: true,
    dateClosed: instant('2020-05-06T07:08:09.1Z'),
    externalId: 'MRN7',
    properties: { weight: '061', age: '' },
    indices: [{ identifier: 'parent', caseType: 'clinic', caseId: caseId('c-9'), relationship: 'child' }],
  })
  const json = parsed(renderCaseJson(change))
  assert.equal(json.closed, true)
  assert.equal(json.date_closed, '2020-05-06T07:08:09.100000Z')
  assert.deepEqual(json.indices, { parent: { case_type: 'clinic', case_id: 'c-9', relationship: 'child' } })
  assert.deepEqual(Object.entries(json.properties), [
    ['case_name', 'Trees'],
    ['case_type', 'mscase'],
    ['date_opened', '2012-03-13T18:21:52.000000Z'],
    ['external_id', 'MRN7'],
    ['owner_id', 'd0e472a6b36dfd3ee5059222e12b8c1b'],
    ['weight', '061'],
    ['age', ''],
  ])
})

test('a fixed name wins over a dynamic property of the same name', () => {
  const names = ['case_name', 'case_type', 'date_opened', 'owner_id', 'external_id']
  const properties = Object.fromEntries(names.map((name) => [name, 'dynamic']))
  const fixed = parsed(renderCaseJson(aCaseChange({ properties, externalId: 'MRN7' }))).properties
  for (const name of names) assert.notEqual(fixed[name], 'dynamic', name)
  const withoutId = parsed(renderCaseJson(aCaseChange({ properties, externalId: null }))).properties
  assert.equal(withoutId['external_id'], 'dynamic', 'a case without external id has no fixed one')
})

test('any property comes back from the JSON as it went in, also one called __proto__ and half a character', (t) => {
  const texts = fc.string({ unit: 'binary' })
  const names = fc.oneof(texts, fc.constantFrom('__proto__', 'constructor', 'toString', '1', '\ud800'))
  holdsFor(
    t,
    fc.property(fc.array(fc.tuple(names, fc.oneof(texts, fc.constant('\udc00x')))), (entries) => {
      const properties = Object.fromEntries(entries)
      const { case_name, case_type, date_opened, owner_id, ...dynamic } = parsed(
        renderCaseJson(aCaseChange({ properties })),
      ).properties
      assert.deepEqual(dynamic, properties)
      assert.deepEqual([case_name, case_type, date_opened, owner_id].includes(undefined), false)
    }),
  )
})

test('an index called __proto__ is an index like any other', () => {
  const indices = [{ identifier: '__proto__', caseType: 'clinic', caseId: caseId('c-9'), relationship: 'child' }]
  const json = parsed(renderCaseJson(aCaseChange({ indices })))
  assert.deepEqual(Object.keys(json.indices), ['__proto__'])
})
