// Looks at topics and creates them; deletes the beginning of a log. Enter: names and wishes. Leave: descriptions. Never: a change
// of a topic that exists, a topic deleted, a topic created because somebody asked for it (allowAutoTopicCreation stays off).
import kafkajs from 'kafkajs'
import { systemClock } from '../clock.ts'
import { errorText } from '../error-text.ts'
import type { KafkaClient } from './kafka.ts'

export type TopicDescription = {
  readonly name: string
  /** Broker ids that hold each partition, by partition number. */
  readonly replicas: readonly (readonly number[])[]
  /** Effective settings by Kafka's own names, defaults of the broker included. */
  readonly settings: ReadonlyMap<string, string>
}

export type NewTopic = {
  readonly name: string
  readonly partitions: number
  readonly replication: number
  readonly settings: Readonly<Record<string, string>>
}

export type Admin = AsyncDisposable & {
  /** Ids of the brokers that are up. */
  brokers(): Promise<readonly number[]>
  /** Only those that exist; a topic this client may not describe looks absent. */
  describeTopics(names: readonly string[]): Promise<ReadonlyMap<string, TopicDescription>>
  /**
   * Resolves when the topics can be written to. A topic that was created by another in between is fine.
   * @throws TopicCreationError with every refusal
   */
  createTopics(topics: readonly NewTopic[]): Promise<void>
  /** By topic and partition, where a group goes on; partitions for which it has committed nothing are left out. */
  committed(groupId: string, topics: readonly string[]): Promise<ReadonlyMap<string, ReadonlyMap<number, number>>>
  /**
   * Deletes the beginning of partitions, for good: every record below the offset. Nothing else can be deleted from a log.
   * @param before by partition, the first offset that stays
   * @throws RecordDeletionError when the cluster refuses
   */
  deleteRecords(topic: string, before: ReadonlyMap<number, number>): Promise<void>
}

export class TopicCreationError extends Error {
  override readonly name = 'TopicCreationError'
  readonly code = 'TOPIC_REFUSED'
}

class RecordDeletionError extends Error {
  override readonly name = 'RecordDeletionError'
  readonly code = 'DELETION_REFUSED'
}

/** How long the controller may take to create topics, in milliseconds. */
const CREATION_TIMEOUT = 10_000
const LOOK_AGAIN_AFTER = 20

/** A broker went away while it was asked: the next try may meet one that answers. */
export const isAway = (error: unknown): boolean => error instanceof kafkajs.KafkaJSError && error.retriable

type KafkaAdmin = ReturnType<KafkaClient['admin']>

/** Resolves when a broker answered; waits as long as none does. */
export async function openAdmin(kafka: KafkaClient): Promise<Admin> {
  const admin = kafka.admin()
  await admin.connect()
  return {
    brokers: async () => (await admin.describeCluster()).brokers.map(({ nodeId }) => nodeId).sort((a, b) => a - b),
    describeTopics: async (names) => {
      const listed = new Set(await admin.listTopics())
      const existing = names.filter((name) => listed.has(name))
      if (existing.length === 0) return new Map()
      const { topics } = await admin.fetchTopicMetadata({ topics: existing })
      const { resources } = await admin.describeConfigs({
        includeSynonyms: false,
        resources: existing.map((name) => ({ type: kafkajs.ConfigResourceTypes.TOPIC, name })),
      })
      return new Map(
        topics.map(({ name, partitions }) => [
          name,
          {
            name,
            replicas: partitions.toSorted((a, b) => a.partitionId - b.partitionId).map(({ replicas }) => replicas),
            settings: new Map(
              resources
                .find(({ resourceName }) => resourceName === name)
                ?.configEntries.map(({ configName, configValue }) => [configName, configValue]),
            ),
          },
        ]),
      )
    },
    createTopics: async (topics) => {
      if (topics.length === 0) return
      try {
        await admin.createTopics({
          timeout: CREATION_TIMEOUT,
          // kafkajs's own wait fails when the broker it asks has not heard of the topic yet, a moment after the controller made it.
          waitForLeaders: false,
          topics: topics.map(({ name, partitions, replication, settings }) => ({
            topic: name,
            numPartitions: partitions,
            replicationFactor: replication,
            configEntries: Object.entries(settings).map(([setting, value]) => ({ name: setting, value })),
          })),
        })
      } catch (error) {
        const refusals = refusalsOf(error)
        if (refusals.length > 0) throw new TopicCreationError(refusals.join('; '), { cause: error })
      }
      await untilLed(
        kafka,
        topics.map(({ name }) => name),
      )
    },
    committed: async (groupId, topics) => {
      const answered = await admin.fetchOffsets({ groupId, topics: [...topics] })
      return new Map(
        answered.map(({ topic, partitions }) => {
          const known = partitions.filter(({ offset }) => Number(offset) >= 0)
          return [topic, new Map(known.map(({ partition, offset }) => [partition, Number(offset)]))]
        }),
      )
    },
    deleteRecords: (topic, before) => deleteRecords(kafka, topic, before),
    [Symbol.asyncDispose]: () => admin.disconnect(),
  }
}

async function deleteRecords(kafka: KafkaClient, topic: string, before: ReadonlyMap<number, number>): Promise<void> {
  if (before.size === 0) return
  // A client of its own, as in untilLed.
  const admin = kafka.admin()
  await admin.connect()
  try {
    // kafkajs deletes only from a topic whose metadata it happens to have.
    await admin.fetchTopicOffsets(topic)
    const partitions = [...before].map(([partition, offset]) => ({ partition, offset: String(offset) }))
    await admin.deleteTopicRecords({ topic, partitions })
  } catch (error) {
    throw new RecordDeletionError(`${topic}: ${refusedPartitions(error) ?? errorText(error)}`, { cause: error })
  } finally {
    await admin.disconnect()
  }
}

/** `partition 3: …; partition 5: …` of an error that names them. */
function refusedPartitions(error: unknown): string | undefined {
  const named: unknown = error instanceof Error ? Reflect.get(error, 'partitions') : undefined
  if (!Array.isArray(named)) return undefined
  return named
    .map(
      (refused: { partition?: unknown; error?: unknown }) =>
        `partition ${String(refused.partition)}: ${errorText(refused.error)}`,
    )
    .join('; ')
}

/** Resolves when the brokers know the topics, and each partition's leader has opened it. */
async function untilLed(kafka: KafkaClient, names: readonly string[]): Promise<void> {
  // A client of its own: one that was asked for a topic's offsets fails in all it does later, once that topic is deleted.
  const admin = kafka.admin()
  await admin.connect()
  try {
    await lookUntilLed(admin, names)
  } finally {
    await admin.disconnect()
  }
}

async function lookUntilLed(admin: KafkaAdmin, names: readonly string[]): Promise<void> {
  const giveUpAt = systemClock.monotonic() + CREATION_TIMEOUT
  while (true) {
    const known = new Set(await admin.listTopics())
    if (names.every((name) => known.has(name))) {
      const { topics } = await admin.fetchTopicMetadata({ topics: [...names] })
      const led = topics.every(({ partitions }) => partitions.every(({ leader }) => leader >= 0))
      if (led && (await areOpen(admin, names))) return
    }
    if (systemClock.monotonic() > giveUpAt)
      throw new TopicCreationError(`no leader yet for some of ${names.join(', ')}`)
    await systemClock.sleep(LOOK_AGAIN_AFTER)
  }
}

/**
 * A leader is named before it has opened its partitions, and answers for offsets only afterwards. Written to before, it refuses
 * some partitions of a request; kafkajs then sends the request anew, and what the others took lies in the log twice.
 */
async function areOpen(admin: KafkaAdmin, names: readonly string[]): Promise<boolean> {
  try {
    for (const name of names) await admin.fetchTopicOffsets(name)
    return true
  } catch {
    return false
  }
}

/** Empty when every topic that was refused was there already. */
function refusalsOf(error: unknown): readonly string[] {
  if (!(error instanceof kafkajs.KafkaJSAggregateError)) return [errorText(error)]
  return error.errors.flatMap((refused) => {
    if (typeof refused === 'string') return [refused]
    if (Reflect.get(refused, 'type') === 'TOPIC_ALREADY_EXISTS') return []
    const topic: unknown = Reflect.get(refused, 'topic')
    return [typeof topic === 'string' ? `${topic}: ${refused.message}` : refused.message]
  })
}
