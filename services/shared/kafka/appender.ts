// Appends records and hears of every failure. A producer that repeats a send by itself may append it twice, and nobody can tell
// the copies apart; whoever must know uses this. Enter: records of one topic, partitions chosen. Leave: what became of them.
// One send for each topic at a time is the caller's matter.
import kafkajs, { type RecordMetadata } from 'kafkajs'
import { errorText } from '../error-text.ts'
import type { KafkaClient } from './kafka.ts'
import { partitionByMurmur2 } from './murmur2.ts'
import { requestEnd, TOO_LARGE, type ProducerRecord } from './producer.ts'

export type PlacedRecord = ProducerRecord & { readonly partition: number }

export type Appended =
  /** @property count of the first records, all that fit a request @property ends by partition, the offset behind the last of them */
  | { readonly kind: 'appended'; readonly count: number; readonly ends: ReadonlyMap<number, number> }
  /** A broker refuses a whole batch for one of them; with one record it is that one. @property count as above */
  | { readonly kind: 'too-large'; readonly count: number }
  /** Any of them may lie in the log, or none. */
  | { readonly kind: 'unknown'; readonly error: string }

export type Appender = AsyncDisposable & {
  append(topic: string, records: readonly PlacedRecord[]): Promise<Appended>
}

/** Resolves when a broker answered; waits as long as none does. */
export async function openAppender(kafka: KafkaClient): Promise<Appender> {
  const producer = kafka.producer({
    createPartitioner: partitionByMurmur2,
    allowAutoTopicCreation: false,
    idempotent: false,
    retry: { retries: 0 },
  })
  await producer.connect()
  return {
    async append(topic, records) {
      const batch = records.slice(0, requestEnd(records, 0))
      try {
        const answers = await producer.send({
          topic,
          acks: -1,
          compression: kafkajs.CompressionTypes.None,
          messages: batch.map((record) => ({ ...record })),
        })
        return { kind: 'appended', count: batch.length, ends: endsOf(batch, answers) }
      } catch (error) {
        return isTooLarge(error)
          ? { kind: 'too-large', count: batch.length }
          : { kind: 'unknown', error: errorText(error) }
      }
    },
    [Symbol.asyncDispose]: () => producer.disconnect(),
  }
}

/** A broker says where the first record of each batch went; the others of its partition follow it. */
function endsOf(batch: readonly PlacedRecord[], answers: readonly RecordMetadata[]): ReadonlyMap<number, number> {
  const ends = new Map<number, number>()
  for (const { partition, baseOffset } of answers) {
    const count = batch.reduce((sum, record) => sum + (record.partition === partition ? 1 : 0), 0)
    ends.set(partition, Number(baseOffset) + count)
  }
  return ends
}

/** kafkajs wraps what it gives up on. */
function isTooLarge(error: unknown): boolean {
  const cause = error instanceof kafkajs.KafkaJSProtocolError ? error : error instanceof Error ? error.cause : undefined
  return cause instanceof kafkajs.KafkaJSProtocolError && TOO_LARGE.includes(cause.type)
}
