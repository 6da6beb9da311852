// Appends records to topics. Enter: a topic and records in their order. Leave: nothing, once every in-sync replica has them
// (acks −1), or a ProduceError. Never idempotent (tulios/kafkajs#1005 loses records silently when sends overlap), never
// compressed, never in a transaction. One outstanding send for each topic-partition is the caller's matter: a send that is
// retried by the client may otherwise land behind a later one, which breaks the order.
import kafkajs from 'kafkajs'
import { errorText } from '../error-text.ts'
import { partitionByMurmur2 } from './murmur2.ts'
import type { KafkaClient } from './kafka.ts'

export type ProducerRecord = {
  /** Absent: chosen from the key by murmur2, as Java does; without a key in turn. */
  readonly partition?: number
  readonly key: Buffer | string | null
  /** Null is a tombstone. */
  readonly value: Buffer | string | null
  readonly headers?: Readonly<Record<string, string | Buffer>>
}

export type Producer = AsyncDisposable & {
  /**
   * Resolves when all records are acknowledged; waits for brokers that are away, for as long as that takes.
   * @throws ProduceError when the cluster refuses a record for good
   */
  send(topic: string, records: readonly ProducerRecord[]): Promise<void>
}

export type ProduceErrorCode = 'RECORD_TOO_LARGE' | 'PRODUCE_REFUSED'

export class ProduceError extends Error {
  override readonly name = 'ProduceError'
  readonly code: ProduceErrorCode
  /** Place in the records handed to `send`, from 0: those before it were acknowledged, it and those after it may not have been. */
  readonly index: number

  constructor(code: ProduceErrorCode, index: number, topic: string, cause: unknown) {
    super(`${topic} refused record ${index} of the send: ${errorText(cause)}`, {
      cause,
    })
    this.code = code
    this.index = index
  }
}

/** Bytes of one request. A broker measures a whole batch against `max.message.bytes` (1 MiB unless set), not each record. */
const REQUEST_BYTES = 900_000
/** Records of one request: kafkajs groups them by partition in quadratic time. */
const REQUEST_RECORDS = 1_000
/** What a record costs beside key, value and headers, at most. */
const RECORD_OVERHEAD = 32

/** What brokers answer when a batch is above `max.message.bytes`, or above a segment. kafkajs hands both on at once, without retries. */
export const TOO_LARGE: readonly unknown[] = ['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE']

/** Resolves when a broker answered; waits as long as none does. */
export async function openProducer(kafka: KafkaClient): Promise<Producer> {
  const producer = kafka.producer({
    createPartitioner: partitionByMurmur2,
    allowAutoTopicCreation: false,
    idempotent: false,
  })
  await producer.connect()

  const append = async (topic: string, records: readonly ProducerRecord[], from: number): Promise<void> => {
    try {
      await producer.send({
        topic,
        acks: -1,
        compression: kafkajs.CompressionTypes.None,
        messages: records.map((record) => ({ ...record })),
      })
    } catch (error) {
      const tooLarge = error instanceof kafkajs.KafkaJSProtocolError && TOO_LARGE.includes(error.type)
      if (!tooLarge) throw new ProduceError('PRODUCE_REFUSED', from, topic, error)
      if (records.length === 1) throw new ProduceError('RECORD_TOO_LARGE', from, topic, error)
      // The batch was too large, not surely a record: one at a time says which. What another partition of the refused request
      // had appended comes twice, in order; that needs a topic whose limit is below REQUEST_BYTES.
      for (const [index, record] of records.entries()) await append(topic, [record], from + index)
    }
  }
  return {
    send: async (topic, records) => {
      let from = 0
      while (from < records.length) {
        const to = requestEnd(records, from)
        await append(topic, records.slice(from, to), from)
        from = to
      }
    },
    [Symbol.asyncDispose]: () => producer.disconnect(),
  }
}

/** Where the request that begins at `from` ends: at least one record, else within both bounds. */
export function requestEnd(records: readonly ProducerRecord[], from: number): number {
  let bytes = 0
  let to = from
  while (to < records.length && to - from < REQUEST_RECORDS) {
    const record = records[to]
    if (!record) break
    bytes += sizeOf(record)
    if (bytes > REQUEST_BYTES && to > from) break
    to++
  }
  return to
}

function sizeOf(record: ProducerRecord): number {
  let bytes = RECORD_OVERHEAD + lengthOf(record.key) + lengthOf(record.value)
  for (const name in record.headers) bytes += name.length + lengthOf(record.headers[name] ?? null) + 8
  return bytes
}

const lengthOf = (content: Buffer | string | null): number =>
  content === null ? 0 : typeof content === 'string' ? Buffer.byteLength(content) : content.length
