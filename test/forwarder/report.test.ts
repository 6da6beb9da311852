import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Delivery } from '../../services/forwarder/delivery.ts'
import { Intake } from '../../services/forwarder/intake.ts'
import { openReport } from '../../services/forwarder/report.ts'
import { ProduceError, type ProducerRecord } from '../../services/shared/kafka/producer.ts'
import type { LogFields } from '../../services/shared/log.ts'
import { silentLog } from '../support/kafka-ground.ts'

const aDelivery = (offset: number): Delivery =>
  ({
    record: { topic: 'cases', partition: 0, offset },
    lane: { repeater: 'demo/a', caseId: 'c' },
    attempts: 1,
  }) as Delivery
const LIMIT = 100_000

/** A report whose brokers answer when the test says so. */
function openHeldReport() {
  const sent: ProducerRecord[] = []
  const said: { event: string; fields: LogFields | undefined }[] = []
  const note = (event: string, fields?: LogFields) => void said.push({ event, fields })
  let answer = Promise.withResolvers<undefined>()
  const intake = new Intake(LIMIT)
  const report = openReport(
    {
      send: async (_topic, records) => {
        sent.push(...records)
        await answer.promise
      },
      [Symbol.asyncDispose]: async () => undefined,
    },
    'onward.deliveries',
    'member',
    intake,
    { ...silentLog, warn: note, error: note },
  )
  return {
    report,
    intake,
    said,
    entries: () =>
      sent.flatMap(({ value }) => (JSON.parse(String(value)) as { readonly entries: (readonly unknown[])[] }).entries),
    acknowledge: () => answer.resolve(undefined),
    refuse: () => answer.reject(new ProduceError('PRODUCE_REFUSED', 0, 'onward.deliveries', new Error('no'))),
    holdAgain: () => (answer = Promise.withResolvers<undefined>()),
  }
}

test('what waits for the brokers counts against the memory bound until they have it, or refuse it', async () => {
  const { report, intake, acknowledge, refuse, holdAgain } = openHeldReport()
  report.add('delivered', aDelivery(0), 0, 200, 1, '')
  const one = intake.heldBytes
  assert.ok(one > 0)
  const flushed = report.flush()
  report.add('dead-letter', aDelivery(1), 0, 422, 1, 'words')
  assert.ok(intake.heldBytes > 2 * one, 'what is on its way counts, and an error counts by its length')
  acknowledge()
  await flushed
  assert.ok(intake.heldBytes > one && intake.heldBytes < 2 * one)
  holdAgain()
  const refused = report.flush()
  refuse()
  await refused
  assert.equal(intake.heldBytes, 0)
})

test('brokers that are away for long fill no more memory than the bound, and what settled is in the log none the less', async () => {
  const { report, intake, said, entries, acknowledge } = openHeldReport()
  report.add('delivered', aDelivery(0), 0, 200, 1, '')
  const flushed = report.flush()
  for (let attempt = 0; attempt < 10_000; attempt++) report.add('failed', aDelivery(1), 0, 503, 1, 'x'.repeat(100))
  const full = intake.heldBytes
  assert.ok(full >= LIMIT && full < 1.01 * LIMIT, `${full} bytes`)
  report.add('delivered', aDelivery(1), 0, 200, 1, '')
  assert.equal(intake.decide(), 'pause')
  acknowledge()
  await flushed
  await report.flush()
  assert.equal(intake.heldBytes, 0)
  const all = entries()
  assert.deepEqual(
    all.filter(([kind]) => kind === 'delivered').map(([, , , offset]) => offset),
    [0, 1],
  )
  const failed = all.filter(([kind]) => kind === 'failed').length
  assert.deepEqual(said, [
    { event: 'failed-attempts-unnoted', fields: { topic: 'onward.deliveries', attempts: 10_000 - failed } },
  ])
})
