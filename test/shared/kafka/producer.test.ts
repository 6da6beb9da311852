import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { partitionOf } from '../../../services/shared/kafka/murmur2.ts'
import { ProduceError } from '../../../services/shared/kafka/producer.ts'
import { readTopic, type TopicRecord } from '../../../services/shared/kafka/reader.ts'
import { kafkaGround, type KafkaGround } from '../../support/kafka-ground.ts'

async function recordsOf({ kafka }: KafkaGround, topic: string, t: TestContext): Promise<TopicRecord[]> {
  const records: TopicRecord[] = []
  await readTopic(kafka, { topic, signal: t.signal }, (record) => void records.push(record))
  return records
}

test('a record goes to the partition of its key, or to the one that is asked for', async (t) => {
  const ground = await kafkaGround(t)
  const topic = await ground.createTopic(6)
  const keys = Array.from({ length: 50 }, (_, number) => `case-${number}`)
  await ground.producer.send(topic, [
    ...keys.map((key) => ({ key, value: 'by key' })),
    { key: 'case-0', value: 'asked for', partition: 5 },
  ])
  for (const { key, value, partition } of await recordsOf(ground, topic, t)) {
    const wanted = value?.toString() === 'asked for' ? 5 : partitionOf(key ?? Buffer.alloc(0), 6)
    assert.equal(partition, wanted)
  }
})

test('a null key, a null value and headers arrive as they were sent', async (t) => {
  const ground = await kafkaGround(t)
  const topic = await ground.createTopic(1)
  await ground.producer.send(topic, [
    { key: null, value: 'keyless' },
    { key: 'tombstone', value: null },
    { key: Buffer.from([0xff]), value: Buffer.from([0x00]), headers: { text: 'é', bytes: Buffer.from([1]) } },
  ])
  const [keyless, tombstone, bytes] = await recordsOf(ground, topic, t)
  assert.deepEqual([keyless?.key, keyless?.value?.toString()], [null, 'keyless'])
  assert.deepEqual([tombstone?.key?.toString(), tombstone?.value], ['tombstone', null])
  assert.deepEqual([bytes?.key, bytes?.value], [Buffer.from([0xff]), Buffer.from([0x00])])
  assert.deepEqual({ ...bytes?.headers }, { text: Buffer.from('é'), bytes: Buffer.from([1]) })
})

test('a send of several megabytes arrives whole, and each key in its order', async (t) => {
  const ground = await kafkaGround(t)
  const topic = await ground.createTopic(3)
  const value = (number: number) => `${String(number).padStart(6, '0')}${'x'.repeat(1_000)}`
  await ground.producer.send(
    topic,
    Array.from({ length: 4_000 }, (_, number) => ({ key: `case-${number % 7}`, value: value(number) })),
  )
  const byKey = Map.groupBy(await recordsOf(ground, topic, t), ({ key }) => key?.toString())
  for (const [key, records] of byKey) {
    const numbers = records.map((record) => Number(record.value?.subarray(0, 6)))
    assert.deepEqual(
      numbers,
      numbers.toSorted((a, b) => a - b),
      key,
    )
  }
  assert.equal([...byKey.values()].flat().length, 4_000)
})

test('a record too large for its topic is named, and those before it are there', async (t) => {
  const ground = await kafkaGround(t)
  const topic = await ground.createTopic(1, { 'max.message.bytes': '20000' })
  const large = { key: 'large', value: Buffer.alloc(30_000) }
  await assert.rejects(
    ground.producer.send(topic, [
      { key: 'a', value: 'small' },
      { key: 'b', value: 'small' },
      large,
      { key: 'c', value: 'small' },
    ]),
    (error: unknown) => error instanceof ProduceError && error.code === 'RECORD_TOO_LARGE' && error.index === 2,
  )
  const keys = (await recordsOf(ground, topic, t)).map(({ key }) => key?.toString())
  assert.deepEqual(keys, ['a', 'b'])
})

test('records that only together exceed what their topic takes arrive all the same, in order and once', async (t) => {
  const ground = await kafkaGround(t)
  const topic = await ground.createTopic(1, { 'max.message.bytes': '20000' })
  const numbers = Array.from({ length: 10 }, (_, number) => number)
  await ground.producer.send(
    topic,
    numbers.map((number) => ({ key: String(number), value: Buffer.alloc(10_000) })),
  )
  const keys = (await recordsOf(ground, topic, t)).map(({ key }) => Number(key))
  assert.deepEqual(keys, numbers)
})
