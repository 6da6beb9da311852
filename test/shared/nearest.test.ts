// A mistyped word gets the word that was meant, and a strange one gets none.
import { test } from 'node:test'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { editsBetween, nearest } from '../../services/shared/nearest.ts'
import { holdsFor } from '../support/property.ts'

const KNOWN = ['project', 'connections', 'repeaters', 'caseTypes', 'url']

test('a mistyped word leads to the nearest known one', () => {
  const cases = [
    ['projct', 'project'],
    ['pojrect', 'project'],
    ['conections', 'connections'],
    ['case_types', 'caseTypes'],
    ['Case-Types', 'caseTypes'],
    ['ur', 'url'],
  ] as const
  for (const [word, meant] of cases) assert.equal(nearest(word, KNOWN), meant, word)
})

test('a word that is like none leads to nothing', () => {
  for (const word of ['headers', 'zzz', 'x']) assert.equal(nearest(word, KNOWN), undefined, word)
})

test('edits count insertions, deletions, replacements and swaps', () => {
  const cases = [
    ['', 'abc', 3],
    ['abc', 'abc', 0],
    ['abc', 'abd', 1],
    ['abc', 'acb', 1],
    ['abc', 'ab', 1],
    ['kitten', 'sitting', 3],
  ] as const
  for (const [from, to, edits] of cases) assert.equal(editsBetween(from, to), edits, `${from} → ${to}`)
})

test('edits are the same both ways, and none only between equals', (t) => {
  const word = fc.string({ maxLength: 8 })
  holdsFor(
    t,
    fc.property(
      word,
      word,
      (a, b) => editsBetween(a, b) === editsBetween(b, a) && (editsBetween(a, b) === 0) === (a === b),
    ),
  )
})
