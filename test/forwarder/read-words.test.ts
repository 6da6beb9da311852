// The body of an error as text: whatever it is, within the bound, and never more memory than that.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { readBody, readWords } from '../../services/forwarder/read-words.ts'
import { holdsFor } from '../support/property.ts'

const BOMB = Buffer.alloc(64 * 1024 * 1024)
const COMPRESSED = [
  ['gzip', gzipSync],
  ['x-gzip', gzipSync],
  ['deflate', deflateSync],
  ['br', brotliCompressSync],
  ['zstd', zstdCompressSync],
] as const

for (const [encoding, compress] of COMPRESSED) {
  test(`a body in ${encoding} is read`, () => {
    assert.equal(readWords({ 'content-encoding': encoding }, compress(Buffer.from('no such case'))), 'no such case')
  })

  test(`a bomb in ${encoding} is not expanded`, () => {
    const before = process.memoryUsage().rss
    // As much of it as is kept of an error.
    const words = readWords({ 'content-encoding': encoding }, compress(BOMB).subarray(0, 4_096))
    assert.equal(words, '(a compressed body that cannot be shown)')
    assert(process.memoryUsage().rss - before < 48 * 1024 * 1024)
  })
}

test('a compressed body that was cut is shown as far as it goes', () => {
  const text = Array.from({ length: 2_000 }, (_, index) => `line ${index * 7_919}`).join('\n')
  for (const [encoding, compress] of COMPRESSED.slice(0, 3)) {
    const words = readWords({ 'content-encoding': encoding }, compress(Buffer.from(text)).subarray(0, 2_048))
    assert(words.startsWith('line 0\nline 7919\n'), encoding)
  }
})

test('what is no compression that we know, or none at all, is not shown', () => {
  assert.equal(readBody({ 'content-encoding': 'gzip' }, Buffer.from('plain')), null)
  assert.equal(readBody({ 'content-encoding': 'exotic' }, Buffer.from('plain')), null)
  assert.equal(readBody({ 'content-encoding': 'identity' }, Buffer.from('plain')), 'plain')
})

test('a body is read in the charset that the server names, when it is one', () => {
  const latin = Buffer.from('gr\xf6\xdfe', 'latin1')
  assert.equal(readWords({ 'content-type': 'text/plain; charset=ISO-8859-1' }, latin), 'größe')
  assert.equal(
    readWords({ 'content-type': 'text/plain; charset="utf-16le"' }, Buffer.from('größe', 'utf16le')),
    'größe',
  )
  for (const type of ['text/plain', 'text/plain; charset=klingon', 'text/plain; charset='])
    assert.equal(readWords({ 'content-type': type }, Buffer.from('größe')), 'größe', type)
})

test('problem details (RFC 9457) are told by title and detail', () => {
  const type = { 'content-type': 'application/problem+json; charset=utf-8' }
  const problem = { type: 'https://example.com/out-of-credit', title: 'No credit.', detail: 'Costs 50.', status: 403 }
  assert.equal(readWords(type, Buffer.from(JSON.stringify(problem))), 'No credit.: Costs 50.')
  for (const body of ['{"title":7}', 'null', '[]', 'no json']) assert.equal(readWords(type, Buffer.from(body)), body)
})

test('no body and no header make the reader throw', (t) => {
  holdsFor(
    t,
    fc.property(
      fc.uint8Array({ maxLength: 300 }),
      fc.string(),
      fc.constantFrom('gzip', 'br', 'zstd', 'deflate', ''),
      (bytes, type, encoding) => {
        readWords({ 'content-type': type, 'content-encoding': encoding }, Buffer.from(bytes))
      },
    ),
  )
})
