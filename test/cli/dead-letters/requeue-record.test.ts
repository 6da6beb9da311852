import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { deliveryOf } from '../../../services/cli/dead-letters/judge-letter.ts'
import { cancelRecord, readRequeued, requeueRecord } from '../../../services/cli/dead-letters/requeue-record.ts'
import type { ProducerRecord } from '../../../services/shared/kafka/producer.ts'
import type { TopicRecord } from '../../../services/shared/kafka/reader.ts'
import { readRetryHeader } from '../../../services/shared/wire/retry-header.ts'
import { holdsFor } from '../../support/property.ts'
import { aCandidate, aDeadRecord, AT } from './letters.ts'

/** As a broker gives it back. */
const appended = ({ key, value, headers = {}, partition = 0 }: ProducerRecord): TopicRecord => ({
  partition,
  offset: 0,
  timestamp: AT,
  key: key === null ? null : Buffer.from(key),
  value: value === null ? null : Buffer.from(value),
  headers: Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)])),
})

test('a record that puts a letter back is read back as that letter, of that run, and its owner believes it', (t) => {
  const cases = fc.string({ minLength: 1 })
  const keys = fc.option(fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes)))
  holdsFor(
    t,
    fc.property(
      cases,
      keys,
      fc.uint8Array(),
      fc.boolean(),
      fc.nat(),
      fc.nat(),
      (caseId, key, value, forced, offset, sourceOffset) => {
        const candidate = aCandidate({ partition: 3, offset, sourceOffset, caseId })
        const record = requeueRecord(
          candidate,
          aDeadRecord({ key, value: Buffer.from(value) }),
          { id: 'r', forced },
          AT,
        )
        const read = appended(record)
        assert.deepEqual(readRequeued(read), {
          run: 'r',
          delivery: deliveryOf(candidate.repeater.id, candidate.source),
          letter: `3:${offset}`,
        })
        assert.deepEqual(read.value, Buffer.from(value))
        const header = readRetryHeader(read.headers['onward'], read.partition)
        assert.ok(header.kind === 'read')
        assert.equal(header.header.forced ?? false, forced)
        // The source's own key can always be had again.
        const { key: told } = header.header
        const own = told === undefined ? read.key : told === null ? null : Buffer.from(told, 'base64')
        assert.deepEqual(own, key)
      },
    ),
  )
})

test('trace context goes along', () => {
  const headers = { traceparent: '00-aa-bb-01', tracestate: 'x=1' }
  const record = requeueRecord(aCandidate(), aDeadRecord({ headers }), { id: 'r', forced: false }, AT)
  assert.partialDeepStrictEqual(record.headers, headers)
})

test('a record that no run put there is nobody’s', () => {
  assert.equal(readRequeued(aDeadRecord()), null)
  assert.equal(readRequeued(aDeadRecord({ headers: { onward: '{' } })), null)
})

test('the word that ends a hold names what died, carries no value, and is nothing that was put back', () => {
  const { source, repeater } = aCandidate()
  const record = cancelRecord({ repeater: repeater.id, case: 'case-1', source, since: AT - 1_000 }, AT)
  assert.deepEqual([record.partition, record.key, record.value], [source.partition, 'case-1', null])
  const read = readRetryHeader(appended(record).headers['onward'], source.partition)
  assert(read.kind === 'read')
  assert.partialDeepStrictEqual(read.header, { reason: 'cancel', offset: source.offset, held: AT - 1_000 })
  assert.equal(readRequeued(appended(record)), null)
})
