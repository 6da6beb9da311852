import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { exportLine, type EncodedBytes } from '../../../services/cli/dead-letters/export-letter.ts'
import { holdsFor } from '../../support/property.ts'
import { aLetter } from './letters.ts'

const decode = (encoded: EncodedBytes): Buffer | null =>
  encoded === null ? null : 'text' in encoded ? Buffer.from(encoded.text) : Buffer.from(encoded.base64, 'base64')

test('an exported letter has every byte of its key and value', (t) => {
  const bytes = fc.option(
    fc.oneof(
      fc.uint8Array().map((array) => Buffer.from(array)),
      fc.string().map((text) => Buffer.from(text)),
    ),
  )
  holdsFor(
    t,
    fc.property(bytes, bytes, (key, value) => {
      const line = exportLine(aLetter({ key, value }))
      const read = JSON.parse(line) as { key: EncodedBytes; value: EncodedBytes; headers: Record<string, string> }
      assert.deepEqual([decode(read.key), decode(read.value)], [key, value])
      assert.equal(read.headers['onward-reason'], 'rejected')
    }),
  )
})
