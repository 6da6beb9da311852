import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeValue } from '../../../services/cli/dead-letters/describe-value.ts'
import type { LetterChange } from '../../../services/cli/dead-letters/letter-case.ts'
import { aCaseChange } from '../../forwarder/render-payload/changes.ts'

const UNKNOWN: LetterChange = { kind: 'unknown', case: null, cause: 'unknown-schema' }
const AVRO = Buffer.from([0, 0, 0, 0, 9, 0xc3])

test('JSON is shown by lines, a form’s document as the text it is', () => {
  const value = Buffer.from(JSON.stringify({ form_id: 'f', xml: '<a>\n<b/>\u001b</a>' }))
  assert.deepEqual(describeValue(value, UNKNOWN), {
    form: 'json',
    text: '{\n  "form_id": "f",\n  "xml": "(13 bytes, below)"\n}',
    xml: '<a>\n<b/>\\u001b</a>',
  })
})

test('Avro is shown as JSON where it can be read, else in hexadecimal', () => {
  const read: LetterChange = { kind: 'read', change: aCaseChange(), case: 'c' }
  const described = describeValue(AVRO, read)
  assert.equal(described.form, 'avro')
  assert.match(described.text, /"case_name": "Trees"/)
  assert.deepEqual(describeValue(AVRO, UNKNOWN), {
    form: 'bytes',
    text: `00000000  ${'00 00 00 00 09 c3'.padEnd(47)}  ......`,
    xml: null,
  })
})

test('text that is no JSON stays text, and of many bytes the beginning is shown', () => {
  assert.deepEqual(describeValue(Buffer.from('X\u202e'), UNKNOWN), { form: 'text', text: 'X\\u202e', xml: null })
  assert.deepEqual(describeValue(null, UNKNOWN), { form: 'none', text: '', xml: null })
  const { text } = describeValue(Buffer.alloc(5_000, 0xff), UNKNOWN)
  assert.equal(text.split('\n').length, 4_096 / 16 + 1)
  assert.match(text, /\n… and 904 bytes more: export has them all$/)
})
