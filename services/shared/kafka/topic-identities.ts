// Which topics these are: a topic that was deleted and made anew has the same name and another id (KIP-516).
// Enter: kafkajs's cluster, topic names. Leave: for each that exists, its id and how many partitions it has.
// kafkajs speaks no version of Metadata that carries ids, so version 10 is written and read here, with its own encoder.
import { createRequire } from 'node:module'

export type TopicIdentity = {
  /** As base64url; null where the brokers are older than topic ids. */
  readonly id: string | null
  readonly partitions: number
}

const METADATA = 3
/** The first with ids: Kafka 2.8. */
const METADATA_VERSION = 10
/** What a topic has whose name a broker answers for, though it gave it no id. */
const NO_ID = Buffer.alloc(16).toString('base64url')
const UUID_BYTES = 16

/** kafkajs's Broker, as far as we use it. */
type Broker = {
  readonly versions: Readonly<Partial<Record<number, { readonly maxVersion: number }>>>
  readonly connectionPool: { send(protocol: Protocol): Promise<Answer> }
}
/** kafkajs's cluster, as far as it is asked here. */
type Cluster = {
  findGroupCoordinator(group: { groupId: string }): Promise<unknown>
  findTopicPartitionMetadata(topic: string): readonly unknown[]
}
type Answer = ReadonlyMap<string, TopicIdentity>
type Protocol = {
  readonly request: {
    readonly apiKey: number
    readonly apiVersion: number
    readonly apiName: string
    readonly encode: () => Promise<Encoder>
  }
  readonly response: {
    readonly decode: (bytes: Buffer) => Promise<Answer>
    readonly parse: (answer: Answer) => Promise<Answer>
  }
  readonly logResponseError: boolean
}

type Encoder = {
  writeUVarIntBytes(): Encoder
  writeUVarIntArray(items: readonly Encoder[]): Encoder
  writeUVarIntString(text: string): Encoder
  writeBuffer(bytes: Buffer): Encoder
  writeBoolean(value: boolean): Encoder
}
type Decoder = {
  readInt16(): number
  readInt32(): number
  readBoolean(): boolean
  readBytes(length: number): Buffer
  readUVarIntString(): string | null
  readUVarIntArray<Item>(read: (decoder: Decoder) => Item): Item[] | null
  readTaggedFields(): unknown
}

/**
 * The group's coordinator answers, for a member needs it anyway, from what it has heard: of a topic that was made anew a moment ago it
 * may still know the one before.
 * @throws Error when it does not answer
 */
export async function fetchTopicIdentities(
  { cluster, groupId }: { readonly cluster: Cluster; readonly groupId: string },
  topics: readonly string[],
): Promise<ReadonlyMap<string, TopicIdentity>> {
  const broker = (await cluster.findGroupCoordinator({ groupId })) as Broker
  const hasIds = (broker.versions[METADATA]?.maxVersion ?? 0) >= METADATA_VERSION
  if (!hasIds) {
    const countOf = (topic: string) => cluster.findTopicPartitionMetadata(topic).length
    return new Map(
      topics.filter((topic) => countOf(topic) > 0).map((topic) => [topic, { id: null, partitions: countOf(topic) }]),
    )
  }
  return await broker.connectionPool.send({
    request: {
      apiKey: METADATA,
      apiVersion: METADATA_VERSION,
      apiName: 'Metadata',
      encode: () => Promise.resolve(encodeRequest(topics)),
    },
    response: { decode: (bytes) => Promise.resolve(decodeResponse(bytes)), parse: (answer) => Promise.resolve(answer) },
    logResponseError: false,
  })
}

const require = createRequire(import.meta.url)
const newEncoder = (): Encoder => new (require('kafkajs/src/protocol/encoder') as new () => Encoder)()
const newDecoder = (bytes: Buffer): Decoder =>
  new (require('kafkajs/src/protocol/decoder') as new (bytes: Buffer) => Decoder)(bytes)

/** A request of a flexible version has tagged fields behind its header, which kafkajs does not write: none, here as everywhere. */
function encodeRequest(topics: readonly string[]): Encoder {
  const withoutId = () => newEncoder().writeBuffer(Buffer.alloc(UUID_BYTES))
  return newEncoder()
    .writeUVarIntBytes()
    .writeUVarIntArray(topics.map((topic) => withoutId().writeUVarIntString(topic).writeUVarIntBytes()))
    .writeBoolean(false) // allow_auto_topic_creation
    .writeBoolean(false) // include_cluster_authorized_operations
    .writeBoolean(false) // include_topic_authorized_operations
    .writeUVarIntBytes()
}

function decodeResponse(bytes: Buffer): Answer {
  const decoder = newDecoder(bytes)
  decoder.readTaggedFields()
  decoder.readInt32() // throttle_time_ms
  decoder.readUVarIntArray(passBroker)
  decoder.readUVarIntString() // cluster_id
  decoder.readInt32() // controller_id
  return new Map((decoder.readUVarIntArray(readTopic) ?? []).flatMap((topic) => (topic ? [topic] : [])))
}

function passBroker(decoder: Decoder): void {
  decoder.readInt32() // node_id
  decoder.readUVarIntString() // host
  decoder.readInt32() // port
  decoder.readUVarIntString() // rack
  decoder.readTaggedFields()
}

/** @returns undefined for a topic that does not exist, or that we may not describe */
function readTopic(decoder: Decoder): [name: string, TopicIdentity] | undefined {
  const error = decoder.readInt16()
  const name = decoder.readUVarIntString()
  const id = decoder.readBytes(UUID_BYTES).toString('base64url')
  decoder.readBoolean() // is_internal
  const partitions = decoder.readUVarIntArray(passPartition)?.length ?? 0
  decoder.readInt32() // topic_authorized_operations
  decoder.readTaggedFields()
  return error === 0 && name !== null ? [name, { id: id === NO_ID ? null : id, partitions }] : undefined
}

function passPartition(decoder: Decoder): void {
  decoder.readInt16() // error_code
  decoder.readInt32() // partition_index
  decoder.readInt32() // leader_id
  decoder.readInt32() // leader_epoch
  for (let list = 0; list < 3; list++) decoder.readUVarIntArray((each) => each.readInt32())
  decoder.readTaggedFields()
}
