// An installation of the test's own with an empty configuration, and the command line to run on it.
import type { TestContext } from 'node:test'
import { ownTopic } from '../../services/shared/kafka/plan-topics.ts'
import { readTopic, type TopicRecord } from '../../services/shared/kafka/reader.ts'
import { kafkaGround, type KafkaGround } from './kafka-ground.ts'
import { runOnward, type Ran } from './run-onward.ts'
import { uniqueName } from './stack.ts'

export type VerbGround = KafkaGround & {
  /** The configuration topic, which exists and is compacted. */
  readonly topic: string
  /** Runs the command line where the environment names the shared broker and this installation. */
  readonly onward: (...args: string[]) => Promise<Ran>
  /** Every record of the configuration topic up to now. */
  readonly readAll: () => Promise<readonly TopicRecord[]>
}

export async function verbGround(t: TestContext): Promise<VerbGround> {
  const ground = await kafkaGround(t)
  const prefix = `${uniqueName('verb')}.`
  const topic = ownTopic(prefix, 'config')
  const settings = { 'cleanup.policy': 'compact' }
  await ground.topicAdmin.createTopics([{ name: topic, partitions: 1, replication: 1, settings }])
  ground.deleteAfter((name) => name === topic)
  const environment = { KAFKA_BROKERS: ground.brokers.join(','), ONWARD_TOPIC_PREFIX: prefix }
  return {
    ...ground,
    topic,
    onward: (...args) => runOnward(args, environment),
    readAll: async () => {
      const records: TopicRecord[] = []
      const signal = AbortSignal.timeout(30_000)
      await readTopic(ground.kafka, { topic, signal }, (record) => void records.push(record))
      return records
    },
  }
}
