import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { findJsonFault } from '../../../services/shared/read-change/find-json-fault.ts'
import { holdsFor } from '../../support/property.ts'

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

const TABLE: readonly (readonly [text: string, fault: string])[] = [
  ['', 'wanted a value where the value ends, at line 1, column 1'],
  ['{', 'wanted a key in double quotes or } where the value ends, at line 1, column 2'],
  ['{"a": x}', 'wanted a value at line 1, column 7'],
  ['{"a": 1,}', 'wanted a key in double quotes at line 1, column 9'],
  ['{a: 1}', 'wanted a key in double quotes or } at line 1, column 2'],
  ['{"a" 1}', 'wanted : at line 1, column 6'],
  ['{"a": 1\n "b": 2}', 'wanted , or } at line 2, column 2'],
  ['{"a": [1,]}', 'wanted a value at line 1, column 10'],
  ['{"a": [1 2]}', 'wanted , or ] at line 1, column 10'],
  ['{"a": 1} x', 'wanted nothing more at line 1, column 10'],
  ['{"a": 01}', 'wanted , or } at line 1, column 8'],
  ['{"a": NaN}', 'wanted a value at line 1, column 7'],
  [
    '{"a": "x',
    'wanted a text without control characters and unknown escapes, ended by " where the value ends, at line 1, column 9',
  ],
  ['{"a": "\t"}', 'wanted a text without control characters and unknown escapes, ended by " at line 1, column 8'],
  ['{"a": "\\x"}', 'wanted a text without control characters and unknown escapes, ended by " at line 1, column 8'],
]

test('a fault in JSON is told by what was wanted, line and column', () => {
  for (const [text, fault] of TABLE) assert.equal(findJsonFault(text), fault, text)
})

test('a fault is found exactly in the texts that JSON.parse refuses', (t) => {
  const piece = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    '\\',
    '\\u00e9',
    'a',
    '1',
    '-',
    '.',
    'e',
    '0',
    'true',
    ' ',
    '\n',
    '\u0001',
  )
  const soup = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''))
  const damaged = fc.tuple(fc.json(), fc.nat(), piece).map(([text, at, inserted]) => {
    const place = at % (text.length + 1)
    return text.slice(0, place) + inserted + text.slice(place + 1)
  })
  holdsFor(
    t,
    fc.property(fc.oneof(fc.json(), soup, damaged), (text) => {
      assert.equal(findJsonFault(text) === undefined, isJson(text))
    }),
    3_000,
  )
})

test('a million levels and a long text are looked at without running out of stack', () => {
  assert.match(findJsonFault('['.repeat(1_000_000)) ?? '', /^wanted a value or ] where the value ends/)
  assert.match(findJsonFault(`{"a":"${'x'.repeat(5_000_000)}`) ?? '', /ended by " where the value ends/)
})
