import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { columnsOf, cut, fitTable } from '../../../services/cli/dead-letters/fit-table.ts'
import { holdsFor } from '../../support/property.ts'

const text = fc.string({ unit: fc.constantFrom('a', 'b', ' ', 'é', '例', '한', '🎈', 'e\u0301', '…'), maxLength: 60 })
const tables = fc.integer({ min: 1, max: 8 }).chain((columns) =>
  fc.record({
    titles: fc.array(text, { minLength: columns, maxLength: columns }),
    rows: fc.array(fc.array(text, { minLength: columns, maxLength: columns }), { maxLength: 6 }),
  }),
)

test('no line of a table is wider than the terminal', (t) => {
  holdsFor(
    t,
    fc.property(tables, fc.integer({ min: 1, max: 200 }), ({ titles, rows }, width) => {
      const lines = fitTable(titles, rows, width)
      assert.equal(lines.length, rows.length + 1)
      for (const line of lines) assert.ok(columnsOf(line) <= width, `${columnsOf(line)} columns: ${line}`)
    }),
  )
})

test('what is piped stays whole', (t) => {
  holdsFor(
    t,
    fc.property(tables, ({ titles, rows }) => {
      const lines = fitTable(titles, rows, null)
      for (const [index, row] of rows.entries())
        for (const cell of row) assert.ok(lines[index + 1]?.includes(cell.trimEnd()))
    }),
  )
})

test('a table that fits is not cut, and of one that does not the widest column gives way', () => {
  const rows = [['0:1', 'demo/patients', 'a long story of what went wrong']]
  assert.deepEqual(fitTable(['LETTER', 'REPEATER', 'ERROR'], rows, 80), [
    'LETTER  REPEATER       ERROR',
    '0:1     demo/patients  a long story of what went wrong',
  ])
  assert.deepEqual(fitTable(['LETTER', 'REPEATER', 'ERROR'], rows, 40), [
    'LETTER  REPEATER       ERROR',
    '0:1     demo/patients  a long story of …',
  ])
})

test('columns are what a terminal shows, not units of text', () => {
  for (const [shown, columns] of [
    ['abc', 3],
    ['é', 1],
    ['e\u0301', 1],
    ['例', 2],
    ['🎈', 2],
  ] as const)
    assert.equal(columnsOf(shown), columns, shown)
  assert.equal(cut('例例例', 5), '例例…')
  assert.equal(cut('例例例', 4), '例…')
  assert.equal(cut('abc', 0), '')
})
