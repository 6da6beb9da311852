import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { mayBeOf, readLetterChange } from '../../../services/cli/dead-letters/letter-case.ts'
import { caseValue } from '../../support/changes.ts'
import { holdsFor } from '../../support/property.ts'
import { aLetter } from './letters.ts'

const TOPICS = { forms: 'forms', cases: 'cases', apps: null }
const caseOf = (letter: ReturnType<typeof aLetter>) => {
  const change = readLetterChange(letter, TOPICS, new Map())
  return change.kind === 'schema-needed' ? change : { kind: change.kind, case: change.case }
}

test('a value is looked into wherever its case may be the one that is asked for', (t) => {
  const ids = fc.string({ minLength: 1, unit: fc.constantFrom('a', 'b', 'é', '"', '\\', '🎈', '\u0001') })
  const written = fc.func(fc.boolean())
  holdsFor(
    t,
    fc.property(ids, ids, written, (id, key, escapes) => {
      // JSON may write any character as an escape.
      const value = caseValue({ caseId: id }).replace(/é/g, (text) => (escapes(text) ? '\\u00e9' : text))
      const letter = aLetter({ key: Buffer.from(key), value: Buffer.from(value) })
      assert.deepEqual(caseOf(letter), { kind: 'read', case: id })
      assert.ok(mayBeOf(letter, [Buffer.from(id)]))
      assert.ok(mayBeOf(letter, [Buffer.from(key)]))
    }),
  )
})

test('a value that holds no such text is not looked into', () => {
  const letter = aLetter({ value: Buffer.from(caseValue({ caseId: 'case-1' })) })
  assert.equal(mayBeOf(letter, [Buffer.from('case-2')]), false)
  assert.equal(mayBeOf(aLetter({ value: null, key: null }), [Buffer.from('case-1')]), false)
})

test('where the value says nothing the key does', () => {
  assert.deepEqual(caseOf(aLetter({ value: Buffer.from('X') })), { kind: 'unknown', case: 'case-1' })
  assert.deepEqual(caseOf(aLetter({ value: null })), { kind: 'unknown', case: 'case-1' })
  assert.deepEqual(caseOf(aLetter({ headers: { 'onward-source-topic': 'apps' } })), { kind: 'unknown', case: 'case-1' })
  const avro = aLetter({ value: Buffer.from([0, 0, 0, 0, 9, 1]) })
  assert.deepEqual(caseOf(avro), { kind: 'schema-needed', schemaId: 9 })
})
