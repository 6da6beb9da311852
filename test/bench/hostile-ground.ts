// What the hostile workload stands on: forwarders with topics and connections of their own on one broker, all of them warm for the
// whole run, so that what differs between two of them is their connections alone.
import { randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { renderConfigRecord, type ConfigStatement } from '../../services/shared/forwarding/config-record.ts'
import { readForwardingFile } from '../../services/shared/forwarding/forwarding-file.ts'
import { openAdmin } from '../../services/shared/kafka/admin.ts'
import type { KafkaClient } from '../../services/shared/kafka/kafka.ts'
import { ownTopic } from '../../services/shared/kafka/plan-topics.ts'
import { openProducer } from '../../services/shared/kafka/producer.ts'
import { findTopics } from '../../services/shared/kafka/topics.ts'
import { openProcess, type OpenProcess } from './open-process.ts'

const PARTITIONS = 4
/** The first three of the product's: nothing waits longer in a run. */
const RETRY_TIERS = [60_000, 300_000, 1_800_000]

export type Side = { readonly topic: string; readonly forwarder: OpenProcess }

/** A connection by its id and URL; changes whose case type is the id go there. */
export type Place = { readonly id: string; readonly url: string }

export async function openSide(
  kafka: KafkaClient,
  brokers: readonly string[],
  places: readonly Place[],
  profile: string | null,
): Promise<Side> {
  const mark = `bench-${randomUUID().slice(0, 8)}`
  const topic = `${mark}.cases`
  const prefix = `${mark}.onward.`
  {
    await using admin = await openAdmin(kafka)
    await admin.createTopics([{ name: topic, partitions: PARTITIONS, replication: 1, settings: {} }])
    const topics = { forms: null, cases: topic, apps: null }
    const wishes = { sources: false, partitions: PARTITIONS, replication: 1 }
    const { create } = await findTopics(
      admin,
      { topics, topicPrefix: prefix, retryTiers: RETRY_TIERS },
      brokers,
      wishes,
    )
    await admin.createTopics(create)
  }
  await using producer = await openProducer(kafka)
  await producer.send(ownTopic(prefix, 'config'), statementsOf(places).map(renderConfigRecord))
  const environment = {
    KAFKA_BROKERS: brokers.join(','),
    ONWARD_GROUP_ID: `${mark}-group`,
    ONWARD_TOPIC_CASES: topic,
    ONWARD_TOPIC_FORMS: '',
    ONWARD_TOPIC_APPS: '',
    ONWARD_TOPIC_PREFIX: prefix,
    ONWARD_RETRY_TIERS: '1m,5m,30m',
    ONWARD_ALLOW_ADDRESSES: '127.0.0.0/8',
    ONWARD_HTTP_PORT: '0',
  }
  const flags = profile === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`]
  const main = fileURLToPath(new URL('../../services/forwarder/main.ts', import.meta.url))
  return { topic, forwarder: openProcess(main, [], environment, flags) }
}

function statementsOf(places: readonly Place[]): readonly ConfigStatement[] {
  const connections = places.map(
    ({ id, url }) => `  - { id: ${id}, url: "${url}", limits: { concurrency: 8, timeout: 5s } }`,
  )
  const repeaters = places.map(
    ({ id }) =>
      `  - { id: to-${id}, connection: ${id}, forward: cases, format: json, supersede: never, filters: { caseTypes: [${id}] } }`,
  )
  const file = `project: demo\nconnections:\n${connections.join('\n')}\nrepeaters:\n${repeaters.join('\n')}\n`
  const read = readForwardingFile(file, 'forwarding.yaml')
  if (read.kind === 'invalid') throw new Error(JSON.stringify(read.problems))
  return [
    ...read.connections.map((connection) => ({ kind: 'connection', connection }) as const),
    ...read.repeaters.map((repeater) => ({ kind: 'repeater', repeater }) as const),
  ]
}
