// Makes Onward's topics and writes the benchmark's rules into its configuration topic, as `onward topics` and `apply` would.
import { renderConfigRecord } from '../../services/shared/forwarding/config-record.ts'
import { openAdmin } from '../../services/shared/kafka/admin.ts'
import type { KafkaClient } from '../../services/shared/kafka/kafka.ts'
import { ownTopic } from '../../services/shared/kafka/plan-topics.ts'
import { openProducer } from '../../services/shared/kafka/producer.ts'
import { findTopics } from '../../services/shared/kafka/topics.ts'
import { benchConnection, benchRepeater } from './forwarding-rules.ts'
import { projectOf } from './generate-changes.ts'
import { CONNECTIONS, type Rules } from './measurements.ts'

/** @param topic a source topic that exists: Onward's own get as many partitions @param retryTiers milliseconds */
export async function configureOnward(
  kafka: KafkaClient,
  brokers: readonly string[],
  topicPrefix: string,
  topic: string,
  rules: Rules,
  retryTiers: readonly number[],
  origin: string,
): Promise<void> {
  await using admin = await openAdmin(kafka)
  const settings = { topics: { forms: null, cases: topic, apps: null }, topicPrefix, retryTiers }
  const { create } = await findTopics(admin, settings, brokers, { sources: false })
  await admin.createTopics(create)
  await using producer = await openProducer(kafka)
  const records = Array.from({ length: CONNECTIONS }, (_, number) => projectOf(number, CONNECTIONS)).flatMap((name) => [
    renderConfigRecord({ kind: 'connection', connection: benchConnection(name, origin, rules) }),
    renderConfigRecord({ kind: 'repeater', repeater: benchRepeater(name, rules) }),
  ])
  await producer.send(ownTopic(topicPrefix, 'config'), records)
}
