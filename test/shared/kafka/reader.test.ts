import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { systemClock, type Clock } from '../../../services/shared/clock.ts'
import type { KafkaClient } from '../../../services/shared/kafka/kafka.ts'
import {
  followFetched,
  followTopic,
  readOffsets,
  readTopic,
  TopicError,
} from '../../../services/shared/kafka/reader.ts'
import type { Round, TopicFetcher, TopicRecord } from '../../../services/shared/kafka/topic-fetcher.ts'
import { kafkaGround, silentLog, type KafkaGround } from '../../support/kafka-ground.ts'

/** Follows until the test ends; `until` resolves once the values read so far satisfy a condition. */
async function follower(t: TestContext, kafka: KafkaClient, topic: string) {
  const values: (string | null)[] = []
  const waiting: { holds: () => boolean; resolve: () => void }[] = []
  const { caughtUp, stop } = await followTopic(kafka, { topic, log: silentLog, signal: t.signal }, (records) => {
    for (const { value } of records) values.push(value?.toString() ?? null)
    for (const { holds, resolve } of waiting) if (holds()) resolve()
  })
  t.after(stop)
  const until = (holds: () => boolean) =>
    new Promise<void>((resolve) => {
      if (holds()) resolve()
      else waiting.push({ holds, resolve })
    })
  return { values, caughtUp, stop, until }
}

async function valuesOf(t: TestContext, kafka: KafkaClient, topic: string, fromTimestamp?: number): Promise<string[]> {
  const values: string[] = []
  const from = fromTimestamp === undefined ? {} : { fromTimestamp }
  await readTopic(kafka, { topic, signal: t.signal, ...from }, ({ value }) => void values.push(String(value)))
  return values
}

test('an empty topic is caught up with at once, and what comes later is followed', async (t) => {
  const { kafka, producer, createTopic } = await kafkaGround(t)
  const topic = await createTopic(3)
  const { values, caughtUp, until } = await follower(t, kafka, topic)
  await caughtUp
  assert.equal(values.length, 0)
  await producer.send(topic, [{ key: 'a', value: 'later' }])
  await until(() => values.includes('later'))
})

test('everything that was there at the start has been handed over when the follower has caught up', async (t) => {
  const { kafka, producer, createTopic } = await kafkaGround(t)
  const topic = await createTopic(4)
  const records = Array.from({ length: 3_000 }, (_, number) => ({ key: `case-${number}`, value: String(number) }))
  await producer.send(topic, records)
  const { values, caughtUp } = await follower(t, kafka, topic)
  await caughtUp
  assert.equal(new Set(values).size, 3_000)
  assert.equal(values.length, 3_000)
})

test('a topic whose records were all deleted is caught up with', async (t) => {
  const { kafka, admin, producer, createTopic } = await kafkaGround(t)
  const topic = await createTopic(1)
  await producer.send(topic, [{ key: 'a', value: 'gone' }])
  // kafkajs deletes only from a topic whose metadata it happens to have.
  await admin.fetchTopicOffsets(topic)
  await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '1' }] })
  const { values, caughtUp, until } = await follower(t, kafka, topic)
  await caughtUp
  await producer.send(topic, [{ key: 'a', value: 'new' }])
  await until(() => values.length > 0)
  assert.deepEqual(values, ['new'])
})

test('a transaction that was aborted is not seen, and its marker at the end does not keep a reader waiting', async (t) => {
  const { kafka, createTopic } = await kafkaGround(t)
  const topic = await createTopic(1)
  const transactional = kafka.producer({ transactionalId: topic, maxInFlightRequests: 1, idempotent: true })
  await transactional.connect()
  t.after(() => transactional.disconnect())
  const kept = await transactional.transaction()
  await kept.send({ topic, messages: [{ value: 'kept' }] })
  await kept.commit()
  const dropped = await transactional.transaction()
  await dropped.send({ topic, messages: [{ value: 'dropped' }] })
  await dropped.abort()
  const { values, caughtUp } = await follower(t, kafka, topic)
  await caughtUp
  assert.deepEqual(values, ['kept'])
  assert.deepEqual(await valuesOf(t, kafka, topic), ['kept'])
})

test('a topic that is deleted and made anew is followed from its beginning', async (t) => {
  const { kafka, admin, topicAdmin, producer, createTopic } = await kafkaGround(t)
  const topic = await createTopic(1)
  await producer.send(topic, [{ key: 'a', value: 'of the old topic' }])
  const { values, caughtUp, until } = await follower(t, kafka, topic)
  await caughtUp
  await admin.deleteTopics({ topics: [topic] })
  await untilGone(admin, topic)
  await topicAdmin.createTopics([{ name: topic, partitions: 1, replication: 1, settings: {} }])
  await producer.send(topic, [{ key: 'a', value: 'of the new topic' }])
  await until(() => values.includes('of the new topic'))
})

/** A deletion is done some time after it was acknowledged. */
async function untilGone(admin: KafkaGround['admin'], topic: string): Promise<void> {
  while ((await admin.listTopics()).includes(topic)) await systemClock.sleep(20)
}

test('partitions that are added are followed from their beginning', async (t) => {
  const { kafka, admin, producer, createTopic } = await kafkaGround(t)
  const topic = await createTopic(1)
  await producer.send(topic, [{ partition: 0, key: 'a', value: 'first' }])
  await admin.createPartitions({ topicPartitions: [{ topic, count: 2 }] })
  const later = await kafkaGround(t)
  await later.producer.send(topic, [{ partition: 1, key: 'b', value: 'second' }])
  assert.deepEqual((await valuesOf(t, kafka, topic)).toSorted(), ['first', 'second'])
})

test('a bounded read begins at the time it is given', async (t) => {
  const { kafka, producer, createTopic } = await kafkaGround(t)
  const topic = await createTopic(2)
  await producer.send(topic, [
    { partition: 0, key: 'a', value: 'before' },
    { partition: 1, key: 'b', value: 'before' },
  ])
  let last = 0
  await readTopic(kafka, { topic, signal: t.signal }, ({ timestamp }) => void (last = Math.max(last, timestamp)))
  while (systemClock.now() <= last) await systemClock.sleep(1)
  await producer.send(topic, [{ partition: 1, key: 'b', value: 'after' }])
  assert.deepEqual(await valuesOf(t, kafka, topic, last + 1), ['after'])
})

test('a bounded read of some partitions leaves the others alone', async (t) => {
  const { kafka, producer, createTopic } = await kafkaGround(t)
  const topic = await createTopic(3)
  await producer.send(
    topic,
    [0, 1, 2].map((partition) => ({ partition, key: null, value: String(partition) })),
  )
  const partitions: number[] = []
  await readTopic(
    kafka,
    { topic, partitions: [1], signal: t.signal },
    (record) => void partitions.push(record.partition),
  )
  assert.deepEqual(partitions, [1])
})

test('a bounded read goes from one offset to before another, of the partitions that are named', async (t) => {
  const { kafka, producer, createTopic } = await kafkaGround(t)
  const topic = await createTopic(3)
  for (const partition of [0, 1, 2]) {
    const values = Array.from({ length: 5 }, (_, offset) => `${partition}:${offset}`)
    await producer.send(
      topic,
      values.map((value) => ({ partition, key: null, value })),
    )
  }
  const read = async (from: ReadonlyMap<number, number>, to?: ReadonlyMap<number, number>) => {
    const values: string[] = []
    const span = to === undefined ? { from } : { from, to }
    await readTopic(kafka, { topic, signal: t.signal, ...span }, ({ value }) => void values.push(String(value)))
    return values.toSorted()
  }
  const places = (...entries: readonly (readonly [number, number])[]) => new Map(entries)
  assert.deepEqual(await read(places([0, 3], [2, 4])), ['0:3', '0:4', '2:4'])
  assert.deepEqual(await read(places([0, 1], [1, 0]), places([0, 3], [1, 1], [2, 5])), ['0:1', '0:2', '1:0'])
  // An end that the partition does not reach is its end now; a partition that is not there has nothing.
  assert.deepEqual(await read(places([0, 4], [7, 0]), places([0, 99])), ['0:4'])
  assert.deepEqual(await read(places([0, 3]), places([0, 2])), [])
})

test('a bounded read from before the beginning of the log begins with what is left', async (t) => {
  const { kafka, producer, topicAdmin, createTopic } = await kafkaGround(t)
  const topic = await createTopic(1)
  await producer.send(
    topic,
    ['gone', 'gone', 'left'].map((value) => ({ key: 'a', value })),
  )
  await topicAdmin.deleteRecords(topic, new Map([[0, 2]]))
  const values: string[] = []
  const options = { topic, signal: t.signal, from: new Map([[0, 0]]) }
  await readTopic(kafka, options, ({ value }) => void values.push(String(value)))
  assert.deepEqual(values, ['left'])
  assert.deepEqual(await readOffsets(kafka, { topic, signal: t.signal }, 'earliest'), new Map([[0, 2]]))
  assert.deepEqual(await readOffsets(kafka, { topic, signal: t.signal }, 'latest'), new Map([[0, 3]]))
})

test('a bounded read waits for what its reader does with a record, and ends although more records come', async (t) => {
  const { kafka, producer, createTopic } = await kafkaGround(t)
  const topic = await createTopic(1)
  await producer.send(topic, [
    { key: 'a', value: '1' },
    { key: 'a', value: '2' },
  ])
  const values: string[] = []
  let busy = false
  await readTopic(kafka, { topic, signal: t.signal }, async ({ value }) => {
    assert.equal(busy, false)
    busy = true
    values.push(String(value))
    await producer.send(topic, [{ key: 'a', value: 'an echo' }])
    busy = false
  })
  assert.deepEqual(values, ['1', '2'])
})

test('a bounded read of a topic that is not there says so', async (t) => {
  const { kafka } = await kafkaGround(t)
  const reading = readTopic(kafka, { topic: `absent-${crypto.randomUUID()}`, signal: t.signal }, () => undefined)
  await assert.rejects(reading, TopicError)
})

test('a bounded read ends with the reason of the signal that aborts it', async (t) => {
  const { kafka, producer, createTopic } = await kafkaGround(t)
  const topic = await createTopic(1)
  await producer.send(topic, [
    { key: 'a', value: '1' },
    { key: 'a', value: '2' },
  ])
  const enough = new AbortController()
  const reason = new Error('enough')
  const values: string[] = []
  const reading = readTopic(kafka, { topic, signal: enough.signal }, ({ value }) => {
    values.push(String(value))
    enough.abort(reason)
  })
  await assert.rejects(reading, reason)
  assert.deepEqual(values, ['1'])
})

test('no group is left on the broker by a reader', async (t) => {
  const { kafka, admin, createTopic } = await kafkaGround(t)
  const topic = await createTopic(1)
  const { caughtUp, stop } = await follower(t, kafka, topic)
  await caughtUp
  const during = await admin.listGroups()
  await stop()
  assert.deepEqual(
    during.groups.filter(({ groupId }) => groupId.startsWith('onward-reader')),
    [],
  )
})

/** Answers with the given rounds, then with nothing; tells when it has none left. */
function scriptedFetcher(offsets: { earliest: number; latest: number }, rounds: Round[]) {
  const positions: number[] = []
  const spent = Promise.withResolvers<undefined>()
  const fetcher: TopicFetcher = {
    partitions: () => Promise.resolve([0]),
    offsets: (place) => Promise.resolve(new Map([[0, place === 'latest' ? offsets.latest : offsets.earliest]])),
    fetch: (asked) => {
      positions.push(asked.get(0) ?? -1)
      const round = rounds.shift()
      if (round) return Promise.resolve(round)
      spent.resolve(undefined)
      return new Promise<Round>(() => undefined)
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
  return { fetcher, positions, spent: spent.promise }
}

const record = (offset: number): TopicRecord => ({
  partition: 0,
  offset,
  timestamp: 0,
  key: null,
  value: Buffer.from(String(offset)),
  headers: {},
})

const impatientClock: Clock = { ...systemClock, sleep: () => Promise.resolve() }

test('a gap that compaction left at the end does not keep a follower waiting', async (t) => {
  const idle: Round = { kind: 'fetched', partitions: [], idle: true }
  const { fetcher } = scriptedFetcher({ earliest: 0, latest: 10 }, [
    { kind: 'fetched', partitions: [{ partition: 0, records: [record(3)], next: 4 }], idle: false },
    idle,
  ])
  const { caughtUp, stop } = followFetched(fetcher, { topic: 'config', log: silentLog }, () => undefined)
  t.after(stop)
  await caughtUp
})

test('a follower that cannot reach the brokers asks again from where it was, and has not caught up meanwhile', async (t) => {
  const { fetcher, positions, spent } = scriptedFetcher({ earliest: 0, latest: 2 }, [
    { kind: 'fetched', partitions: [{ partition: 0, records: [record(0)], next: 1 }], idle: false },
    { kind: 'failed', error: 'connect ECONNREFUSED' },
    { kind: 'failed', error: 'connect ECONNREFUSED' },
  ])
  const following = followFetched(fetcher, { topic: 'config', log: silentLog, clock: impatientClock }, () => undefined)
  t.after(following.stop)
  await spent
  assert.deepEqual(positions, [0, 1, 1, 1])
  await following.stop()
  await assert.rejects(following.caughtUp, /ended before its end was reached/)
})

test('a topic that is gone is read from its beginning when it is there again', async (t) => {
  const { fetcher, positions, spent } = scriptedFetcher({ earliest: 0, latest: 3 }, [
    { kind: 'fetched', partitions: [{ partition: 0, records: [record(2)], next: 3 }], idle: false },
    { kind: 'unknown-topic' },
  ])
  const { stop } = followFetched(fetcher, { topic: 'config', log: silentLog, clock: impatientClock }, () => undefined)
  t.after(stop)
  await spent
  assert.deepEqual(positions, [0, 3, 0])
})

test('a position that is out of range is left for the earliest there is', async (t) => {
  const { fetcher, positions, spent } = scriptedFetcher({ earliest: 5, latest: 9 }, [
    { kind: 'out-of-range', partition: 0 },
    { kind: 'fetched', partitions: [{ partition: 0, records: [record(8)], next: 9 }], idle: false },
  ])
  const { caughtUp, stop } = followFetched(fetcher, { topic: 'config', log: silentLog }, () => undefined)
  t.after(stop)
  await caughtUp
  await spent
  assert.deepEqual(positions, [5, 5, 9])
})
