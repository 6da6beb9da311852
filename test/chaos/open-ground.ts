// What a chaos run stands on: a broker of its own, topics, rules in force, and the truth read back from the source topics.
import type { Stack } from '../../deploy/local/stack.ts'
import { systemClock } from '../../services/shared/clock.ts'
import { renderConfigRecord } from '../../services/shared/forwarding/config-record.ts'
import { readForwardingFile } from '../../services/shared/forwarding/forwarding-file.ts'
import { openAdmin } from '../../services/shared/kafka/admin.ts'
import { connectKafka } from '../../services/shared/kafka/kafka.ts'
import { ownTopic } from '../../services/shared/kafka/plan-topics.ts'
import { openProducer, type Producer } from '../../services/shared/kafka/producer.ts'
import { readTopic, type TopicRecord } from '../../services/shared/kafka/reader.ts'
import { findTopics } from '../../services/shared/kafka/topics.ts'
import { openLog } from '../../services/shared/log.ts'
import type { Place, Published, Rule } from './judge-history.ts'

const PARTITIONS = 6
const TIERS = [2_000, 5_000]
export const PREFIX = 'onward.'
export const TOPICS = { forms: 'forms', cases: 'cases' } as const
/** What each remote is called: the connections of the rules below. */
export const REMOTES = ['steady', 'first', 'second', 'judge'] as const
/** The judge refuses about one change in so many for good. */
export const JUDGE_REFUSES = 40
/** Far more tries than a fault of seconds can use up: what dies for want of tries would hide what is lost. */
const SCHEDULE = `[500ms, 1s, ${Array<string>(40).fill('3s').join(', ')}]`

const rules = (urls: ReadonlyMap<string, string>): string => `
project: demo
connections:
${REMOTES.map((name) => `  - { id: ${name}, url: "${urls.get(name)}", schedule: ${SCHEDULE}, limits: { timeout: 3s } }`).join('\n')}
repeaters:
  - { id: forms, connection: first, forward: forms }
  - { id: every, connection: steady, forward: cases, format: json, supersede: never }
  - { id: latest, connection: first, forward: cases, format: json, supersede: waiting }
  - { id: closing, connection: second, forward: cases, format: xml, supersede: waiting }
  - { id: judged, connection: judge, forward: cases, format: json, supersede: never }
`

export const RULES: readonly Rule[] = [
  { repeater: 'demo/forms', topic: TOPICS.forms, replaces: () => false },
  { repeater: 'demo/every', topic: TOPICS.cases, replaces: () => false },
  { repeater: 'demo/latest', topic: TOPICS.cases, replaces: () => true },
  // A close block does not say what changed before it.
  { repeater: 'demo/closing', topic: TOPICS.cases, replaces: ({ closed }) => !closed },
  { repeater: 'demo/judged', topic: TOPICS.cases, replaces: () => false },
]

export type Ground = AsyncDisposable & {
  readonly producer: Producer
  /** @param reachedAt addresses of the brokers, for this one */
  environmentFor(reachedAt: readonly string[]): Readonly<Record<string, string>>
  readPublished(): Promise<readonly Published[]>
  readDeadLetters(): Promise<readonly (Place & { readonly reason: string })[]>
}

/** @param urls of the remotes, by name */
export async function openGround({ brokers, kafka: nodes }: Stack, urls: ReadonlyMap<string, string>): Promise<Ground> {
  const log = openLog({ write: () => undefined }, 'error', 'chaos', systemClock)
  const kafka = connectKafka({ brokers, ssl: null, sasl: null }, 'onward-chaos', log)
  {
    await using admin = await openAdmin(kafka)
    const source = { partitions: PARTITIONS, replication: nodes.length, settings: {} }
    await admin.createTopics(Object.values(TOPICS).map((name) => ({ ...source, name })))
    const settings = { topics: { ...TOPICS, apps: null }, topicPrefix: PREFIX, retryTiers: TIERS }
    const { create } = await findTopics(admin, settings, brokers, { sources: false })
    await admin.createTopics(create)
  }
  const producer = await openProducer(kafka)
  const read = readForwardingFile(rules(urls), 'chaos.yaml')
  if (read.kind === 'invalid') throw new Error(JSON.stringify(read.problems))
  await producer.send(ownTopic(PREFIX, 'config'), [
    ...read.connections.map((connection) => renderConfigRecord({ kind: 'connection', connection })),
    ...read.repeaters.map((repeater) => renderConfigRecord({ kind: 'repeater', repeater })),
  ])
  const readAll = async <Item>(topic: string, each: (record: TopicRecord) => Item): Promise<readonly Item[]> => {
    const items: Item[] = []
    await readTopic(kafka, { topic, signal: AbortSignal.timeout(60_000) }, (record) => {
      items.push(each(record))
    })
    return items
  }
  return {
    producer,
    environmentFor: (reachedAt) => ({
      KAFKA_BROKERS: reachedAt.join(','),
      SCHEMA_REGISTRY_URL: '',
      ONWARD_GROUP_ID: 'chaos',
      ONWARD_TOPIC_FORMS: TOPICS.forms,
      ONWARD_TOPIC_CASES: TOPICS.cases,
      ONWARD_TOPIC_APPS: '',
      ONWARD_TOPIC_PREFIX: PREFIX,
      ONWARD_ALLOW_ADDRESSES: '127.0.0.0/8',
      ONWARD_RETRY_TIERS: TIERS.map((tier) => `${tier}ms`).join(','),
      ONWARD_HTTP_PORT: '0',
    }),
    readPublished: async () =>
      (
        await Promise.all(
          Object.values(TOPICS).map((topic) =>
            readAll(topic, ({ partition, offset, key, value }) => ({
              topic,
              partition,
              offset,
              caseId: key?.toString() ?? '',
              closed: value?.includes('"closed":true') === true,
            })),
          ),
        )
      ).flat(),
    readDeadLetters: () =>
      readAll(ownTopic(PREFIX, 'dead-letters'), ({ headers }) => {
        const of = (name: string) => String(headers[`onward-${name}`] ?? '')
        return {
          repeater: `${of('project')}/${of('repeater').replace(/^.*\//, '')}`,
          topic: of('source-topic'),
          partition: Number(of('source-partition')),
          offset: Number(of('source-offset')),
          reason: of('reason'),
        }
      }),
    [Symbol.asyncDispose]: () => producer[Symbol.asyncDispose](),
  }
}
