import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { safeText } from '../../services/shared/safe-text.ts'
import { holdsFor } from '../support/property.ts'

test('control characters, line breaks and marks of direction become one space', () => {
  assert.equal(safeText('a\r\n\tb\u0000c'), 'a b c')
  assert.equal(safeText('a\u202eb\u2028c\u200bd\ufeff'), 'a b c d')
  assert.equal(safeText('\u001b[31mred\u001b[0m'), '[31mred [0m')
  assert.equal(safeText('  half \ud800 pair  '), 'half pair')
})

test('letters of any script stay as they are', () => {
  assert.equal(safeText('Erreur: données invalides — ข้อผิดพลาด 🎉'), 'Erreur: données invalides — ข้อผิดพลาด 🎉')
})

test('any bytes become one line that fits a header', (t) => {
  holdsFor(
    t,
    fc.property(
      fc.oneof(fc.uint8Array({ maxLength: 2_000 }), fc.string({ unit: 'binary', maxLength: 1_000 })),
      (given) => {
        const text = safeText(typeof given === 'string' ? given : Buffer.from(given))
        assert(Buffer.byteLength(text) <= 1_024, `${Buffer.byteLength(text)} bytes`)
        assert.doesNotMatch(text, /[\p{Cc}\p{Cs}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u)
        assert(text.isWellFormed())
        assert.equal(text, text.trim())
      },
    ),
  )
})

test('a long text is cut between characters and says that it was', () => {
  const cut = safeText('😀'.repeat(500))
  assert.match(cut, /^(😀)+…$/u)
  assert(Buffer.byteLength(cut) <= 1_024)
})
