import assert from 'node:assert/strict'
import { test } from 'node:test'
import { matchRepeaters } from '../../../services/shared/forwarding/match-repeaters.ts'
import type { Change } from '../../../services/shared/change.ts'
import type { Filters, Repeater } from '../../../services/shared/forwarding/repeater.ts'
import { aCaseChange, aFormChange, anAppChange, aRepeater } from '../../forwarder/render-payload/changes.ts'

const filtered = (forward: Repeater['forward'], filters: Partial<Filters> = {}): Repeater =>
  aRepeater({ forward, filters: { caseTypes: [], excludeUsers: [], formXmlns: [], on: 'any', ...filters } })
const matches = (change: Change, repeater: Repeater): boolean => matchRepeaters(change, [repeater]).length === 1

test('a change goes to the repeaters of its kind and to no others', () => {
  const kinds = ['forms', 'form-stubs', 'cases', 'apps'] as const
  const matched = (change: Change) => kinds.filter((kind) => matches(change, filtered(kind)))
  assert.deepEqual(matched(aFormChange()), ['forms', 'form-stubs'])
  assert.deepEqual(matched(aCaseChange()), ['cases'])
  assert.deepEqual(matched(anAppChange()), ['apps'])
})

test('repeaters are matched in the order they are given', () => {
  const given = [filtered('form-stubs'), filtered('cases'), filtered('forms')]
  assert.deepEqual(matchRepeaters(aFormChange(), given), [given[0], given[2]])
})

test('a device log and a duplicate form go nowhere', () => {
  for (const kind of ['forms', 'form-stubs'] as const) {
    assert.equal(matches(aFormChange({ xmlns: 'http://code.javarosa.org/devicereport' }), filtered(kind)), false)
    assert.equal(matches(aFormChange({ duplicate: true }), filtered(kind)), false)
  }
})

const CASES: readonly (readonly [string, Partial<Filters>, boolean])[] = [
  ['a case type that is listed', { caseTypes: ['other', 'patient'] }, true],
  ['a case type that is not listed', { caseTypes: ['other'] }, false],
  ['an excluded modifier', { excludeUsers: ['user-1'] }, false],
  ['another excluded user', { excludeUsers: ['user-2'] }, true],
  ['both filters, one of which refuses', { caseTypes: ['patient'], excludeUsers: ['user-1'] }, false],
  ['form namespaces, which say nothing of cases', { formXmlns: ['http://other'] }, true],
]
for (const [what, filters, expected] of CASES) {
  test(`${what} ${expected ? 'lets a case pass' : 'keeps a case back'}`, () => {
    const change = aCaseChange({ caseType: 'patient', userId: 'user-1' })
    assert.equal(matches(change, filtered('cases', filters)), expected)
  })
}

const FORMS: readonly (readonly [string, Partial<Filters>, boolean])[] = [
  ['a namespace that is listed', { formXmlns: ['http://other', 'http://form'] }, true],
  ['a namespace that is not listed', { formXmlns: ['http://other'] }, false],
  ['an excluded submitter', { excludeUsers: ['user-1'] }, false],
  ['case types, which say nothing of forms', { caseTypes: ['other'] }, true],
  ['a filter on creation, which says nothing of forms', { on: 'create' }, true],
]
for (const [what, filters, expected] of FORMS) {
  test(`${what} ${expected ? 'lets a form pass' : 'keeps a form back'}`, () => {
    const change = aFormChange({ xmlns: 'http://form', userId: 'user-1' })
    assert.equal(matches(change, filtered('forms', filters)), expected)
    assert.equal(matches(change, filtered('form-stubs', filters)), expected)
  })
}

test('a form without a submitter passes every list of excluded users', () => {
  assert.equal(matches(aFormChange({ userId: null }), filtered('forms', { excludeUsers: ['', 'user-1'] })), true)
})

test('creation is one form, an update more than one', () => {
  const touched = (...xformIds: string[]) =>
    (['any', 'create', 'update'] as const).filter((on) => matches(aCaseChange({ xformIds }), filtered('cases', { on })))
  assert.deepEqual(touched(), ['any'])
  assert.deepEqual(touched('f1'), ['any', 'create'])
  assert.deepEqual(touched('f1', 'f2'), ['any', 'update'])
})
