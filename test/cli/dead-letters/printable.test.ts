import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { jsonLine, printable, printableLines } from '../../../services/cli/dead-letters/printable.ts'
import { holdsFor } from '../../support/property.ts'

const hostile = fc.string({
  unit: fc.oneof(
    fc.constantFrom(
      '\u001b',
      '\u0007',
      '\r',
      '\n',
      '\t',
      '\u009b',
      '\u202e',
      '\u2066',
      '\u200f',
      '\ufeff',
      '\u2028',
      '\ud800',
    ),
    fc.constantFrom('a', 'é', '例', '🎈', ' ', '\\', '"'),
  ),
})
const OBEYED = /[\p{Cc}\p{Cs}\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/u

test('what is printed holds nothing that a terminal obeys', (t) => {
  holdsFor(
    t,
    fc.property(hostile, (text) => {
      assert.doesNotMatch(printable(text), OBEYED)
      assert.doesNotMatch(printableLines(text).replace(/[\n\t]/g, ''), OBEYED)
      assert.doesNotMatch(jsonLine({ text }).slice(0, -1), OBEYED)
    }),
  )
})

test('a line of JSON reads back as what it says, and is one line', (t) => {
  holdsFor(
    t,
    fc.property(hostile, hostile, (name, text) => {
      const line = jsonLine({ [name]: text })
      assert.deepEqual(JSON.parse(line), JSON.parse(JSON.stringify({ [name]: text })))
      assert.equal(line.indexOf('\n'), line.length - 1)
    }),
  )
})

test('text that is safe stays as it is', () => {
  for (const text of ['plain', 'é 例 🎈', '\\u001b']) assert.equal(printable(text), text)
  assert.equal(printableLines('a\n\tb'), 'a\n\tb')
  assert.equal(printable('a\nb\u001b'), 'a\\u000ab\\u001b')
})
