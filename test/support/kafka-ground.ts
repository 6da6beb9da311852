// A client of the shared broker, its admin, and topics of a test's own; all closed and deleted with the test.
import type { TestContext } from 'node:test'
import { openAdmin, type Admin } from '../../services/shared/kafka/admin.ts'
import { connectKafka, type KafkaClient } from '../../services/shared/kafka/kafka.ts'
import { openProducer, type Producer } from '../../services/shared/kafka/producer.ts'
import type { Log } from '../../services/shared/log.ts'
import { sharedStack } from './stack.ts'

export const silentLog: Log = {
  writes: () => false,
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
}

export type KafkaGround = {
  readonly kafka: KafkaClient
  readonly brokers: readonly string[]
  readonly admin: ReturnType<KafkaClient['admin']>
  /** Ours: its topics can be written to when `createTopics` resolves; kafkajs's own may not be known yet. */
  readonly topicAdmin: Admin
  readonly producer: Producer
  /** Topics that others make for the test, by name: they go with it too. */
  readonly deleteAfter: (isOurs: (topic: string) => boolean) => void
  /** @returns the name of a new topic, its leaders elected */
  readonly createTopic: (partitions: number, settings?: Readonly<Record<string, string>>) => Promise<string>
}

export async function kafkaGround(t: TestContext): Promise<KafkaGround> {
  const { brokers } = await sharedStack()
  const kafka = connectKafka({ brokers, ssl: null, sasl: null }, 'onward-test', silentLog)
  const admin = kafka.admin()
  await admin.connect()
  const ours = await openAdmin(kafka)
  const producer = await openProducer(kafka)
  const ourTopics: ((topic: string) => boolean)[] = []
  t.after(async () => {
    const topics = (await admin.listTopics()).filter((topic) => ourTopics.some((isOurs) => isOurs(topic)))
    if (topics.length > 0) await admin.deleteTopics({ topics })
    await producer[Symbol.asyncDispose]()
    await ours[Symbol.asyncDispose]()
    await admin.disconnect()
  })
  return {
    kafka,
    brokers,
    admin,
    topicAdmin: ours,
    producer,
    deleteAfter: (isOurs) => void ourTopics.push(isOurs),
    createTopic: async (partitions, settings = {}) => {
      const topic = `test-${crypto.randomUUID()}`
      await ours.createTopics([{ name: topic, partitions, replication: 1, settings }])
      ourTopics.push((name) => name === topic)
      return topic
    },
  }
}
