// The configuration topic, read and written. Enter: a client and the topic's name. Leave: records in their order, first those
// that are there, then those that come. Never: a judgement of them; config-record.ts and the directory do that.
import type { KafkaClient } from '../kafka/kafka.ts'
import type { Producer } from '../kafka/producer.ts'
import { followTopic, type TopicRecord } from '../kafka/reader.ts'
import type { Log } from '../log.ts'
import type { ConfigRecord } from './config-record.ts'

export type FollowConfigOptions = {
  readonly kafka: KafkaClient
  readonly topic: string
  readonly log: Log
  /** Ends the following. */
  readonly signal: AbortSignal
  /** It must not throw. */
  readonly onRecord: (record: TopicRecord) => void
}

/**
 * Resolves when the topic was read to the end it had at the start; goes on following until the signal aborts.
 * @throws Error when the signal aborts before
 */
export async function followConfig({ kafka, topic, log, signal, onRecord }: FollowConfigOptions): Promise<void> {
  const following = await followTopic(kafka, { topic, log, signal }, (records) => {
    for (const record of records) onRecord(record)
  })
  await following.caughtUp
}

/**
 * Resolves when every record is acknowledged. Their order is kept: a connection comes before the repeaters that name it.
 * @throws ProduceError when the cluster refuses a record for good
 */
export const writeConfig = (producer: Producer, topic: string, records: readonly ConfigRecord[]): Promise<void> =>
  producer.send(topic, records)
