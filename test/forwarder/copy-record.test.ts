import assert from 'node:assert/strict'
import { test } from 'node:test'
import { copyRecord } from '../../services/forwarder/copy-record.ts'
import { aRecord } from '../support/changes.ts'

test('what is kept of a record is a copy: nothing holds on to the fetch it came in', () => {
  const fetched = Buffer.alloc(12, '....key.value')
  const copied = copyRecord({ ...aRecord(7, null), key: fetched.subarray(4, 7), value: fetched.subarray(8, 12) })
  fetched.fill('x')
  assert.equal(copied.key?.toString(), 'key')
  assert.equal(copied.value?.toString(), 'valu')
  assert(copied.value.buffer !== fetched.buffer)
  assert.equal(copied.offset, 7)
  assert.equal(copied.timestamp, 1_767_323_045_000)
})

test('a record without key and value stays without', () => {
  const copied = copyRecord({ ...aRecord(7, null), key: null })
  assert.equal(copied.key, null)
  assert.equal(copied.value, null)
  assert.equal(copyRecord(aRecord(7, '')).value?.length, 0)
})

test('trace headers are taken over, the first of several', () => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const headers = { traceparent: Buffer.from(traceparent), tracestate: [Buffer.from('a=1, b=2'), Buffer.from('c=3')] }
  const copied = copyRecord(aRecord(7, '{}', { headers }))
  assert.equal(copied.traceparent, traceparent)
  assert.equal(copied.tracestate, 'a=1, b=2')
})

test('a trace header that HTTP cannot carry is left out', () => {
  for (const value of ['', 'a\r\nHost: evil', 'a\u0000', 'é', 'x'.repeat(600)]) {
    const copied = copyRecord(aRecord(7, '{}', { headers: { traceparent: value, tracestate: Buffer.from(value) } }))
    assert.deepEqual([copied.traceparent, copied.tracestate], [null, null], JSON.stringify(value))
  }
  assert.equal(copyRecord(aRecord(7, '{}', { headers: {} })).traceparent, null)
})

test('a trace header without a value is none', () => {
  // kafkajs hands Kafka's null over, and its types do not know of it.
  const headers = { traceparent: null, tracestate: [null, Buffer.from('a=1')] } as unknown as Record<string, Buffer>
  const copied = copyRecord(aRecord(7, '{}', { headers }))
  assert.deepEqual([copied.traceparent, copied.tracestate], [null, null])
})
