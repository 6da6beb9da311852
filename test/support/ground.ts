// The ground a flow test stands on: topics of its own on the shared broker, a configuration, forwarders as real processes.
// Everything goes when the test ends.
import type { TestContext } from 'node:test'
import { randomUUID } from 'node:crypto'
import type { SourceKind } from '../../services/shared/change.ts'
import type { Stack } from '../../deploy/local/stack.ts'
import { systemClock } from '../../services/shared/clock.ts'
import { renderConfigRecord, type ConfigStatement } from '../../services/shared/forwarding/config-record.ts'
import { readForwardingFile } from '../../services/shared/forwarding/forwarding-file.ts'
import { openAdmin } from '../../services/shared/kafka/admin.ts'
import { readDuration } from '../../services/shared/duration.ts'
import { connectKafka, type KafkaClient } from '../../services/shared/kafka/kafka.ts'
import { ownTopic } from '../../services/shared/kafka/plan-topics.ts'
import { openProducer, type Producer } from '../../services/shared/kafka/producer.ts'
import { readTopic, type TopicRecord } from '../../services/shared/kafka/reader.ts'
import { findTopics } from '../../services/shared/kafka/topics.ts'
import { openLog } from '../../services/shared/log.ts'
import { sharedStack } from './stack.ts'
import { startForwarder, type ForwarderProcess } from './forwarder-process.ts'
import { startService, type ServiceProcess } from './service-process.ts'

export type Ground = {
  readonly kafka: KafkaClient
  readonly producer: Producer
  readonly registryUrl: string | null
  readonly topics: { readonly forms: string; readonly cases: string; readonly apps: string }
  readonly prefix: string
  /** Settings that lead a process of ours here. */
  readonly environment: Readonly<Record<string, string>>
  /** @param yaml a forwarding file; it must be valid */
  configure(yaml: string): Promise<void>
  /** Resolves once it is ready. @param settings beside those of the ground @param onText told every line of its log */
  startForwarder(
    settings?: Readonly<Record<string, string>>,
    onText?: (line: string) => void,
  ): Promise<ForwarderProcess>
  /** Resolves once it is active or stands by. @param settings beside those of the ground */
  startNotifier(settings: Readonly<Record<string, string>>): Promise<ServiceProcess>
  /** Every record of one of Onward's topics up to now. */
  readOwn(topic: 'config' | 'dead-letters' | 'deliveries' | 'failures' | 'notices'): Promise<readonly TopicRecord[]>
}

type SourceSettings = Partial<Record<SourceKind, Readonly<Record<string, string>>>>

/** @param settings of source topics, by kind, in Kafka's own names @param tiers the retry topics' delays */
export async function openGround(
  t: TestContext,
  partitions = 4,
  settings: SourceSettings = {},
  tiers?: readonly string[],
): Promise<Ground> {
  return openGroundOn(t, await sharedStack(), partitions, settings, tiers)
}

/** The same on a cluster of the test's own, for what the shared one must not go through. */
export async function openGroundOn(
  t: TestContext,
  stack: Pick<Stack, 'brokers' | 'registryUrl'>,
  partitions: number,
  settings: SourceSettings = {},
  tiers: readonly string[] = ['1m', '5m'],
): Promise<Ground> {
  const name = `t${randomUUID().slice(0, 8)}`
  const topics = { forms: `${name}.forms`, cases: `${name}.cases`, apps: `${name}.apps` }
  const prefix = `${name}.onward.`
  const retryTiers = tiers.map((tier) => readDuration(tier) ?? 0)
  const log = openLog({ write: () => undefined }, 'error', 'test', systemClock)
  const kafka = connectKafka({ brokers: stack.brokers, ssl: null, sasl: null }, name, log)
  {
    await using admin = await openAdmin(kafka)
    await admin.createTopics(
      (['forms', 'cases', 'apps'] as const).map((kind) => ({
        name: topics[kind],
        partitions,
        replication: 1,
        settings: settings[kind] ?? {},
      })),
    )
    const wishes = { sources: false, partitions, replication: 1 }
    const { create } = await findTopics(admin, { topics, topicPrefix: prefix, retryTiers }, stack.brokers, wishes)
    await admin.createTopics(create)
  }
  const producer = await openProducer(kafka)
  t.after(() => producer[Symbol.asyncDispose]())

  const environment = {
    KAFKA_BROKERS: stack.brokers.join(','),
    SCHEMA_REGISTRY_URL: stack.registryUrl ?? '',
    ONWARD_GROUP_ID: `${name}-group`,
    ONWARD_TOPIC_FORMS: topics.forms,
    ONWARD_TOPIC_CASES: topics.cases,
    ONWARD_TOPIC_APPS: topics.apps,
    ONWARD_TOPIC_PREFIX: prefix,
    ONWARD_ALLOW_ADDRESSES: '127.0.0.0/8',
    ONWARD_RETRY_TIERS: tiers.join(','),
    ONWARD_HTTP_PORT: '0',
  }
  return {
    kafka,
    producer,
    registryUrl: stack.registryUrl,
    topics,
    prefix,
    environment,
    async configure(yaml) {
      const read = readForwardingFile(yaml, 'forwarding.yaml')
      if (read.kind === 'invalid') throw new Error(JSON.stringify(read.problems, null, 1))
      const statements: ConfigStatement[] = [
        ...read.connections.map((connection) => ({ kind: 'connection', connection }) as const),
        ...read.repeaters.map((repeater) => ({ kind: 'repeater', repeater }) as const),
      ]
      await producer.send(ownTopic(prefix, 'config'), statements.map(renderConfigRecord))
    },
    startForwarder: (settings = {}, onText) => startForwarder(t, { ...environment, ...settings }, onText),
    startNotifier: (settings) =>
      startService(
        t,
        { name: 'notifier', ready: ['notifier-active', 'notifier-standing-by'] },
        { ...environment, ONWARD_NOTIFIER_GROUP_ID: `${name}-notifier`, ...settings },
      ),
    async readOwn(topic) {
      const records: TopicRecord[] = []
      const options = { topic: ownTopic(prefix, topic), signal: AbortSignal.timeout(30_000) }
      await readTopic(kafka, options, (record) => {
        records.push(record)
      })
      return records
    },
  }
}
