import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import type { Delivery } from '../../services/forwarder/delivery.ts'
import { Intake } from '../../services/forwarder/intake.ts'
import { openReport } from '../../services/forwarder/report.ts'
import type { Producer } from '../../services/shared/kafka/producer.ts'
import { silentLog } from '../support/kafka-ground.ts'

const schema = JSON.parse(
  readFileSync(new URL('../../schemas/deliveries.schema.json', import.meta.url), 'utf8'),
) as object
const validate = new Ajv2020({ allErrors: true, allowUnionTypes: true }).compile(schema)

/** What the report looks at of a delivery. */
const aDelivery = (offset: number, repeater: string, base = 0): Delivery =>
  ({
    record: { topic: 'cases', partition: 2, offset, base },
    lane: { repeater, caseId: 'case-1' },
    attempts: 1,
  }) as Delivery

test('what the report writes is what the schema of the delivery log says', async () => {
  const written: { topic: string; key: unknown; partition: number | undefined; value: string }[] = []
  const producer: Producer = {
    send: async (topic, records) => {
      for (const { key, partition, value } of records) written.push({ topic, key, partition, value: String(value) })
    },
    [Symbol.asyncDispose]: async () => undefined,
  }
  const report = openReport(producer, 'onward.deliveries', 'member-1', new Intake(1e9), silentLog)
  report.add('delivered', aDelivery(5, 'demo/patients'), 1_767_323_045_000, 200, 12.7, '')
  report.add('failed', aDelivery(6, 'demo/visits'), 1_767_323_045_000, null, 30_000, 'connect timeout')
  report.add('superseded', aDelivery(7, 'demo/patients'), 1_767_323_045_001, null, 0, '')
  report.add('dead-letter', aDelivery(8, 'demo/patients', 2 ** 44), 1_767_323_045_002, 422, 3, 'rejected')
  await report.flush()

  const [record] = written
  assert.ok(record && written.length === 1)
  assert.deepEqual([record.topic, record.key, record.partition], ['onward.deliveries', '2', 2])
  const value = JSON.parse(record.value) as { entries: unknown[][] }
  assert.equal(validate(value), true, JSON.stringify(validate.errors))
  assert.deepEqual(value.entries[1], [
    'failed',
    1,
    0,
    6,
    'case-1',
    1,
    null,
    1_767_323_045_000,
    30_000,
    'connect timeout',
  ])
})

test('an entry with a place too few, too many or of another type is against the schema', () => {
  const entry = ['delivered', 0, 0, 5, 'case-1', 1, 200, 1_767_323_045_000, 13, '']
  const record = (...entries: unknown[]) => ({ v: 1, member: 'm', repeaters: ['demo/a'], topics: ['cases'], entries })
  assert.equal(validate(record(entry)), true)
  assert.equal(validate(record(entry.slice(1))), false)
  assert.equal(validate(record([...entry, 2 ** 44])), true)
  assert.equal(validate(record([...entry, 0])), false)
  assert.equal(validate(record([...entry, 2 ** 44, 1])), false)
  assert.equal(validate(record(['sent', ...entry.slice(1)])), false)
  assert.equal(validate({ ...record(entry), v: 2 }), false)
})
