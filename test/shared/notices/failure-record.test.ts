import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { connectionId } from '../../../services/shared/ids.ts'
import {
  readFailureRecord,
  renderFailureRecord,
  type FailureRecord,
} from '../../../services/shared/notices/failure-record.ts'
import { demo } from '../../support/changes.ts'
import { holdsFor } from '../../support/property.ts'

const schema = JSON.parse(
  readFileSync(new URL('../../../schemas/failures.schema.json', import.meta.url), 'utf8'),
) as object
const validate = new Ajv2020({ allErrors: true, allowUnionTypes: true }).compile(schema)

const RECORD: FailureRecord = {
  kind: 'failing',
  state: 'failing',
  connection: connectionId(demo, 'remote'),
  project: demo,
  member: 'host:1',
  run: 1_767_323_045_000,
  sequence: 3,
  at: 1_767_323_085_000,
  since: 1_767_323_046_000,
  failed: 12,
  affected: 4,
  delivered: 0,
  lastFailedAt: 1_767_323_084_000,
  deadLettered: 1,
  waiting: 40,
  nextTryAt: 1_767_323_100_000,
  reason: null,
  last: { outcome: 'answered', status: 503, text: '503: the database is restarting', at: 1_767_323_084_000 },
  samples: [{ what: 'case', id: 'c-1', repeater: 'demo/all' }],
  letters: [
    { what: 'form', id: 'f-1', repeater: 'demo/forms', reason: 'rejected', text: '422: no' },
    { what: 'case', id: 'c-2', repeater: 'demo/all', reason: 'rejected', text: '422: no', held: true },
  ],
}

test('a record is read back as it was written, and is as the schema says', () => {
  const { key, value } = renderFailureRecord(RECORD)
  assert.equal(key, 'demo/remote')
  assert.equal(validate(JSON.parse(value)), true, JSON.stringify(validate.errors))
  assert.deepEqual(readFailureRecord(Buffer.from(value)), { kind: 'read', record: RECORD })
})

test('a record of a later version is known as one', () => {
  assert.deepEqual(readFailureRecord(Buffer.from('{"v":2,"what":"else"}')), { kind: 'newer', version: 2 })
})

test('what another hand wrote is refused or made safe', () => {
  const spoilt = (overrides: object) =>
    readFailureRecord(Buffer.from(JSON.stringify({ v: 1, ...RECORD, ...overrides })))
  for (const overrides of [
    { kind: 'gone' },
    { state: '' },
    { connection: 'demo' },
    { connection: 'a/b/c' },
    { failed: -1 },
    { failed: '3' },
    { at: 8.64e15 },
  ]) {
    assert.equal(spoilt(overrides).kind, 'unreadable', JSON.stringify(overrides))
  }
  const read = spoilt({
    last: { outcome: 'answered', status: 500, text: `a\r\nBcc: x@y.example\u202e${'z'.repeat(2_000)}`, at: 1 },
    samples: Array.from({ length: 50 }, () => ({ what: 'case', id: 'a\nb', repeater: 7 })),
    letters: 'none',
  })
  assert.ok(read.kind === 'read')
  assert.match(read.record.last?.text ?? '', /^a Bcc: x@y\.example z{230}/)
  assert.equal(read.record.samples.length, 5)
  assert.deepEqual(read.record.samples[0], { what: 'case', id: 'a b', repeater: '' })
  assert.deepEqual(read.record.letters, [])
})

test('any bytes are read or refused, and never throw', (t) => {
  holdsFor(
    t,
    fc.property(fc.oneof(fc.json(), fc.string({ unit: 'binary' })), (text) => {
      assert.ok(['unreadable', 'newer'].includes(readFailureRecord(Buffer.from(text)).kind))
    }),
  )
  assert.equal(readFailureRecord(null).kind, 'unreadable')
})
