import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readTopic } from '../../../services/shared/kafka/reader.ts'
import { kafkaGround } from '../../support/kafka-ground.ts'

test('headers are read as they were written, whatever they are called', async (t) => {
  const { kafka, admin, createTopic } = await kafkaGround(t)
  const topic = await createTopic(1)
  // kafkajs's own producer: ours writes no name twice.
  const producer = kafka.producer({ allowAutoTopicCreation: false })
  await producer.connect()
  t.after(() => producer.disconnect())
  const named = JSON.parse('{ "constructor": "c", "__proto__": "p", "plain": "", "twice": ["1", "2"] }') as Record<
    string,
    string | string[]
  >
  await producer.send({ topic, messages: [{ value: 'a', headers: named }, { value: 'b' }] })
  await admin.fetchTopicOffsets(topic)
  const read: (readonly (readonly [string, string])[])[] = []
  await readTopic(kafka, { topic, signal: t.signal }, ({ headers }) => {
    read.push(Object.entries(headers).map(([name, value]) => [name, value.toString()] as const))
  })
  assert.deepEqual(
    read.map((each) => each.toSorted()),
    [
      [
        ['__proto__', 'p'],
        ['constructor', 'c'],
        ['plain', ''],
        // Of one that comes several times, the last counts.
        ['twice', '2'],
      ],
      [],
    ],
  )
})
