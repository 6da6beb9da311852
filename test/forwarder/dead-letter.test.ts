import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { openDeadLetters, type DeadLetter } from '../../services/forwarder/dead-letter.ts'
import { ProduceError, type ProducerRecord } from '../../services/shared/kafka/producer.ts'
import { aConnection, aDelivery, aSourceRecord } from '../support/changes.ts'
import { manualClock } from '../support/clock.ts'
import { silentLog } from '../support/kafka-ground.ts'

const aLetter = (offset: number, overrides: Partial<DeadLetter> = {}): DeadLetter => {
  const record = aSourceRecord({ offset, partition: 3 })
  const delivery = aDelivery(record, { attempts: 2, firstFailedAt: Date.UTC(2026, 0, 1) })
  return {
    record,
    delivery,
    connection: aConnection(),
    reason: 'rejected',
    error: '410: gone',
    status: 410,
    holds: false,
    ...overrides,
  }
}

/** A broker that takes records up to a size, and nothing at all while it refuses. */
const aBroker = (t: TestContext, limit = Infinity) => {
  const clock = manualClock(t)
  const appended: ProducerRecord[] = []
  const acknowledged: number[] = []
  const broker = { refuses: false, refusesEmpty: false, sends: 0 }
  const sizeOf = ({ key, value }: ProducerRecord) => (key?.length ?? 0) + (value?.length ?? 0)
  const letters = openDeadLetters({
    producer: {
      send: async (topic, records) => {
        broker.sends++
        for (const [index, record] of records.entries()) {
          const refuses = broker.refuses || (broker.refusesEmpty && record.value === null)
          if (refuses) throw new ProduceError('PRODUCE_REFUSED', index, topic, new Error('no such topic'))
          if (sizeOf(record) > limit) throw new ProduceError('RECORD_TOO_LARGE', index, topic, new Error('too large'))
          appended.push(record)
        }
      },
      [Symbol.asyncDispose]: async () => undefined,
    },
    topic: 'onward.dead-letters',
    clock,
    log: silentLog,
    onWritten: ({ record }) => acknowledged.push(record.offset),
  })
  return { clock, letters, appended, acknowledged, broker }
}

const rendered = async (t: TestContext, letter: DeadLetter): Promise<ProducerRecord> => {
  const { letters, appended } = aBroker(t)
  await letters.write(letter)
  const [record] = appended
  assert(record)
  return record
}

test("a letter keeps the source's key and bytes, and says in headers what became of it", async (t) => {
  const letter = aLetter(42)
  const { partition, key, value, headers } = await rendered(t, letter)
  assert.deepEqual([partition, key, value], [3, letter.record.key, letter.record.value])
  assert.deepEqual(headers, {
    'onward-repeater': 'demo/all',
    'onward-project': 'demo',
    'onward-connection': 'demo/remote',
    'onward-source-topic': 'cases',
    'onward-source-partition': '3',
    'onward-source-offset': '42',
    'onward-source-timestamp': '1767323045000',
    'onward-attempts': '2',
    'onward-first-failed-at': '2026-01-01T00:00:00.000Z',
    'onward-last-failed-at': '2026-01-02T03:04:05.000Z',
    'onward-reason': 'rejected',
    'onward-status': '410',
    'onward-error': '410: gone',
  })
})

test('an unreadable record has a letter without repeater, connection and status', async (t) => {
  const record = aSourceRecord({ traceparent: '00-aa-bb-01', value: null })
  const { headers, value } = await rendered(t, aLetter(1, { record, delivery: null, connection: null, status: null }))
  assert.equal(value, null)
  const names = Object.keys(headers ?? {})
  for (const name of [
    'onward-repeater',
    'onward-project',
    'onward-connection',
    'onward-status',
    'onward-first-failed-at',
  ]) {
    assert.equal(names.includes(name), false, name)
  }
  assert.equal(headers?.['traceparent'], '00-aa-bb-01')
  assert.equal(headers['onward-attempts'], '0')
})

test('a letter of any error fits its header in one line', async (t) => {
  const { headers } = await rendered(t, aLetter(1, { error: 'é\r\n'.repeat(5_000) }))
  const error = String(headers?.['onward-error'])
  assert(Buffer.byteLength(error) <= 1_024)
  assert.doesNotMatch(error, /[\r\n]/)
})

test('letters keep their order, and are counted until they are acknowledged', async (t) => {
  const { letters, appended, acknowledged, broker } = aBroker(t)
  const written = [1, 2, 3].map((offset) => letters.write(aLetter(offset)))
  assert.equal(letters.waiting, 3)
  await Promise.all(written)
  assert.deepEqual(
    appended.map(({ headers }) => headers?.['onward-source-offset']),
    ['1', '2', '3'],
  )
  assert.deepEqual(acknowledged, [1, 2, 3])
  assert.equal(letters.waiting, 0)
  assert(broker.sends <= 2)
})

test('a refusal is waited out: no letter is counted as written before it is', async (t) => {
  const { clock, letters, acknowledged, broker } = aBroker(t)
  broker.refuses = true
  const written = letters.write(aLetter(1))
  await clock.advance(20_000)
  assert.deepEqual(acknowledged, [])
  assert(broker.sends >= 3 && broker.sends <= 6, `${broker.sends} sends`)
  broker.refuses = false
  await clock.advance(5_000)
  await written
  assert.deepEqual(acknowledged, [1])
})

test('a value above the limit is left out, the letter says so, and its neighbours go as they are', async (t) => {
  const { letters, appended, acknowledged } = aBroker(t, 2_000)
  const large = aLetter(2, { record: aSourceRecord({ offset: 2, value: Buffer.alloc(5_000) }) })
  await Promise.all([letters.write(aLetter(1)), letters.write(large), letters.write(aLetter(3))])
  assert.deepEqual(acknowledged, [1, 2, 3])
  const letter = appended.find(({ headers }) => headers?.['onward-source-offset'] === '2')
  assert.equal(letter?.value, null)
  assert.match(String(letter.headers?.['onward-error']), /^value of 5000 bytes left out.*410: gone/)
  assert.equal(appended.filter(({ value }) => value !== null).length, 2)
})

test('a key above the limit is left out too', async (t) => {
  const { letters, appended } = aBroker(t, 2_000)
  await letters.write(aLetter(1, { record: aSourceRecord({ key: Buffer.alloc(3_000), value: Buffer.alloc(3_000) }) }))
  assert.deepEqual([appended[0]?.key, appended[0]?.value], [null, null])
  assert.match(String(appended[0]?.headers?.['onward-error']), /^key of 3000 bytes left out/)
})

test('a refusal of the smaller form is waited out as well', async (t) => {
  const { clock, letters, acknowledged, broker } = aBroker(t, 2_000)
  broker.refusesEmpty = true
  const written = letters.write(aLetter(1, { record: aSourceRecord({ offset: 1, value: Buffer.alloc(5_000) }) }))
  await clock.advance(12_000)
  assert.deepEqual(acknowledged, [])
  broker.refusesEmpty = false
  await clock.advance(5_000)
  await written
  assert.deepEqual(acknowledged, [1])
})

test('what cannot be written at any size is tried again now and then, never in a tight loop', async (t) => {
  const { clock, letters, acknowledged, broker } = aBroker(t, -1)
  letters.write(aLetter(1)).catch((error: unknown) => assert.ifError(error))
  await clock.advance(20_000)
  assert.deepEqual(acknowledged, [])
  assert(broker.sends < 12, `${broker.sends} sends`)
  // Nothing ends it but a larger limit; the test's own broker forgets it.
  assert.equal(letters.waiting, 1)
  clock.forget()
})
