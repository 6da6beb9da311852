// Reads a topic's partitions at positions the caller holds, without a consumer group: nothing is committed, nothing is joined,
// nothing is left behind on the broker, and each answer is seen, so "read to its end" is a fact and not a guess.
// Enter: a topic and positions. Leave: records, copied. Never: a group id on the wire, a commit, a record of an aborted transaction.
// How: kafkajs hands its cluster object to every partition assigner; a consumer that is never run is the public way to one.
import { createRequire } from 'node:module'
import type { Assigner, Cluster, IHeaders, KafkaMessage } from 'kafkajs'
import type { Millis } from '../clock.ts'
import { errorText } from '../error-text.ts'
import type { KafkaClient } from './kafka.ts'

/** Every buffer is a copy, unless views were asked for: keeping one does not keep the whole answer of the broker alive. */
export type TopicRecord = {
  readonly partition: number
  readonly offset: number
  /** Unix milliseconds. */
  readonly timestamp: Millis
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: Readonly<Record<string, Buffer>>
}

export type FetchedPartition = {
  readonly partition: number
  readonly records: readonly TopicRecord[]
  /** The offset to read next: past what was filtered, too. */
  readonly next: number
}

export type Round =
  /** `idle`: no partition had anything at its position, though the broker was asked for it: each is at its end. */
  | { readonly kind: 'fetched'; readonly partitions: readonly FetchedPartition[]; readonly idle: boolean }
  /** Retention, trimming or re-creation moved the log away from this position. */
  | { readonly kind: 'out-of-range'; readonly partition: number }
  /** The topic is gone. When it is there again it is another one, whose offsets begin anew. */
  | { readonly kind: 'unknown-topic' }
  /** The brokers are away or moved: refreshed already; wait a little and ask again. */
  | { readonly kind: 'failed'; readonly error: string }

export type Positions = ReadonlyMap<number, number>
export type OffsetPlace = 'earliest' | 'latest' | { readonly timestamp: Millis }

export type TopicFetcher = AsyncDisposable & {
  /** @throws whatever kafkajs throws: UNKNOWN_TOPIC_OR_PARTITION is the one to look for (see `isUnknownTopic`) */
  partitions(): Promise<readonly number[]>
  /** `latest` is the high watermark; before an open transaction, its beginning. A time past the last record gives `latest`. */
  offsets(place: OffsetPlace, partitions: readonly number[]): Promise<Map<number, number>>
  /** One request to each broker that leads some of these partitions; waits up to half a second when there is nothing. */
  fetch(positions: Positions): Promise<Round>
}

/** How long a broker holds a request for which it has nothing. kafkajs's stop waits for it, so does ours. */
const LONGEST_WAIT: Millis = 500
/** All records of an answer live at once: with 10 MiB the garbage collector takes a quarter more of the time. */
const ANSWER_BYTES = 4 * 1024 * 1024
/** At least this of each partition, and of few partitions an equal share of the answer: one alone is read four times as fast. */
const PARTITION_BYTES = 1024 * 1024

/** The two parts of kafkajs's own decoding that its types do not show. */
type RawPartition = { readonly partition: number; readonly messages: readonly { readonly offset: string }[] }
type RawAnswer = { readonly responses: readonly { readonly partitions: readonly RawPartition[] }[] }
type Batch = { readonly partition: number; readonly messages: readonly KafkaMessage[] }
type BatchConstructor = new (topic: string, fetchedOffset: string, partition: RawPartition) => Batch

const require = createRequire(import.meta.url)
/** Drops control records and those of aborted transactions. */
const Batch = require('kafkajs/src/consumer/batch') as BatchConstructor

/**
 * Connects at the first call.
 * @param views no copies: for who keeps nothing of a record. Saves a fifth of the time.
 */
export function openTopicFetcher(kafka: KafkaClient, topic: string, views = false): TopicFetcher {
  const cluster = clusterOf(kafka)

  const ready = async () => {
    await cluster.connect()
    await cluster.addTargetTopic(topic)
    await cluster.refreshMetadataIfNecessary()
  }
  const offsetsAt = async (place: OffsetPlace, partitions: readonly number[]) => {
    const asked = { topic, partitions: partitions.map((partition) => ({ partition })) }
    const [answer] = await cluster.fetchTopicsOffset([
      typeof place === 'string'
        ? { ...asked, fromBeginning: place === 'earliest' }
        : { ...asked, fromTimestamp: place.timestamp },
    ])
    return new Map((answer?.partitions ?? []).map(({ partition, offset }) => [partition, Number(offset)]))
  }
  return {
    partitions: async () => {
      await ready()
      return cluster
        .findTopicPartitionMetadata(topic)
        .map(({ partitionId }) => partitionId)
        .sort((a, b) => a - b)
    },
    offsets: async (place, partitions) => {
      await ready()
      const offsets = await offsetsAt(place, partitions)
      const unanswered = partitions.filter((partition) => (offsets.get(partition) ?? -1) < 0)
      if (unanswered.length === 0) return offsets
      for (const [partition, offset] of await offsetsAt('latest', unanswered)) offsets.set(partition, offset)
      return offsets
    },
    fetch: async (positions) => {
      try {
        await ready()
        const leaders = cluster.findLeaderForPartitions(topic, [...positions.keys()])
        const asked = Object.values(leaders).reduce((count, partitions) => count + partitions.length, 0)
        // Metadata without them: the topic was deleted, or is being made. An empty answer would look like its end.
        if (asked < positions.size) throw new Error(`${positions.size - asked} partitions of ${topic} have no leader`)
        const answers = await Promise.allSettled(
          Object.entries(leaders).map(([nodeId, partitions]) =>
            fetchFrom(cluster, topic, nodeId, partitions, positions, views),
          ),
        )
        const failed = answers.find((answer) => answer.status === 'rejected')
        const partitions = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
        // What another broker sent is worth keeping: the failure shows again in the next round.
        if (failed && partitions.length === 0) throw failed.reason
        return { kind: 'fetched', partitions, idle: !failed && partitions.length === 0 }
      } catch (error) {
        return await recover(cluster, error)
      }
    },
    [Symbol.asyncDispose]: () => cluster.disconnect(),
  }
}

/** @param error anything kafkajs threw */
export const isUnknownTopic = (error: unknown): boolean => fieldOf(error, 'type') === 'UNKNOWN_TOPIC_OR_PARTITION'

async function fetchFrom(
  cluster: Cluster,
  topic: string,
  nodeId: string,
  partitions: readonly number[],
  positions: Positions,
  views: boolean,
): Promise<FetchedPartition[]> {
  const broker = await cluster.findBroker({ nodeId })
  const answer = (await broker.fetch({
    maxWaitTime: LONGEST_WAIT,
    minBytes: 1,
    maxBytes: ANSWER_BYTES,
    topics: [
      {
        topic,
        partitions: partitions.map((partition) => ({
          partition,
          fetchOffset: String(positions.get(partition) ?? 0),
          maxBytes: Math.max(PARTITION_BYTES, Math.floor(ANSWER_BYTES / partitions.length)),
        })),
      },
    ],
  })) as RawAnswer
  return answer.responses
    .flatMap(({ partitions: answered }) => answered)
    .filter(({ messages }) => messages.length > 0)
    .map((raw) => readPartition(topic, positions.get(raw.partition) ?? 0, raw, views))
}

function readPartition(topic: string, position: number, raw: RawPartition, views: boolean): FetchedPartition {
  const { messages } = new Batch(topic, String(position), raw)
  const last = raw.messages[raw.messages.length - 1]
  return {
    partition: raw.partition,
    records: messages.map((message) => (views ? viewRecord : copyRecord)(raw.partition, message)),
    next: Math.max(position, last ? Number(last.offset) + 1 : position),
  }
}

const viewRecord = (partition: number, { offset, timestamp, key, value, headers }: KafkaMessage): TopicRecord => ({
  partition,
  offset: Number(offset),
  timestamp: Number(timestamp),
  key,
  value,
  headers: singleHeaders(headers),
})

function copyRecord(partition: number, message: KafkaMessage): TopicRecord {
  const { key, value, headers, ...rest } = viewRecord(partition, message)
  const copied: Record<string, Buffer> = {}
  for (const name in headers) setHeader(copied, name, Buffer.from(headers[name] ?? NOTHING))
  return { ...rest, key: key && Buffer.from(key), value: value && Buffer.from(value), headers: copied }
}

const NOTHING = Buffer.alloc(0)

/** Of a header that comes several times, the last counts; one without a value is none. */
function singleHeaders(headers: IHeaders | undefined): Readonly<Record<string, Buffer>> {
  const given = headers ?? {}
  for (const name in given) if (!Buffer.isBuffer(given[name])) return singled(given)
  return given as Record<string, Buffer>
}

function singled(headers: IHeaders): Record<string, Buffer> {
  const read: Record<string, Buffer> = {}
  for (const [name, given] of Object.entries(headers)) {
    const value = Array.isArray(given) ? given[given.length - 1] : given
    if (Buffer.isBuffer(value)) setHeader(read, name, value)
  }
  return read
}

/** Assigned, this one name would be the object's prototype. */
function setHeader(headers: Record<string, Buffer>, name: string, value: Buffer): void {
  if (name === '__proto__') Object.defineProperty(headers, name, { value, enumerable: true, configurable: true })
  else headers[name] = value
}

async function recover(cluster: Cluster, error: unknown): Promise<Round> {
  const partition = fieldOf(error, 'partition')
  if (fieldOf(error, 'name') === 'KafkaJSOffsetOutOfRange' && typeof partition === 'number') {
    return { kind: 'out-of-range', partition }
  }
  if (isUnknownTopic(error)) return { kind: 'unknown-topic' }
  const host = fieldOf(error, 'host')
  const port = fieldOf(error, 'port')
  // kafkajs keeps a broker whose connection was closed until it is told; its own consumer does the same.
  if (typeof host === 'string' && typeof port === 'number') cluster.removeBroker({ host, port })
  try {
    await cluster.refreshMetadata()
  } catch {
    // The round has failed already, and says so; the next begins with the metadata again.
  }
  return { kind: 'failed', error: errorText(error) }
}

const fieldOf = (error: unknown, name: string): unknown =>
  typeof error === 'object' && error !== null ? Reflect.get(error, name) : undefined

function clusterOf(kafka: KafkaClient): Cluster {
  const clusters: Cluster[] = []
  const neverAssigns: Assigner = {
    name: 'onward-never-assigns',
    version: 0,
    assign: () => Promise.resolve([]),
    protocol: () => ({ name: 'onward-never-assigns', metadata: Buffer.alloc(0) }),
  }
  kafka.consumer({
    groupId: 'onward-reader-never-joins',
    allowAutoTopicCreation: false,
    partitionAssigners: [
      ({ cluster }) => {
        clusters.push(cluster)
        return neverAssigns
      },
    ],
  })
  const [cluster] = clusters
  if (!cluster) throw new Error('kafkajs made no cluster for a consumer: is it still 2.2.4?')
  return cluster
}
