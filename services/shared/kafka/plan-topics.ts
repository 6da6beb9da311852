// Which topics Onward needs and how they should be; what is missing and what differs. A pure room.
// Enter: topic names from the settings, what exists. Leave: a plan. Never: I/O. Adding a topic is one line in OWN_TOPICS.
import type { SourceKind } from '../change.ts'
import type { Millis } from '../clock.ts'
import { renderDuration } from '../duration.ts'
import type { NewTopic, TopicDescription } from './admin.ts'

/** Source topics by what they carry; null: turned off. */
export type SourceTopics = Readonly<Record<SourceKind, string | null>>
export type TopicSettings = {
  readonly topics: SourceTopics
  readonly topicPrefix: string
  /** The delays of the retry topics. */
  readonly retryTiers: readonly Millis[]
}

const DAY = 86_400_000
const retained = (days: number) => ({ 'cleanup.policy': 'delete', 'retention.ms': String(days * DAY) })
const COMPACTED = { 'cleanup.policy': 'compact' }

/** `largest`: as many partitions as the largest source topic has, for partition p of it belongs to partition p of the sources. */
const OWN_TOPICS = {
  requeue: { partitions: 'largest', settings: retained(7) },
  'dead-letters': { partitions: 'largest', settings: retained(30) },
  deliveries: { partitions: 'largest', settings: retained(7) },
  // One partition each: one notifier reads them, in order.
  failures: { partitions: 1, settings: retained(7) },
  notices: { partitions: 1, settings: COMPACTED },
  config: { partitions: 1, settings: COMPACTED },
} as const satisfies Record<string, { partitions: number | 'largest'; settings: Readonly<Record<string, string>> }>

export type OwnTopic = keyof typeof OWN_TOPICS

/** @returns the name of a retry topic: `onward.retry.1m` with the default prefix and a delay of a minute */
export const retryTopic = (prefix: string, delay: Millis): string => `${prefix}retry.${renderDuration(delay)}`

/** Time beyond its delay that a record may lie in a retry topic while nobody runs. */
const RETRY_GRACE_DAYS = 7
const retrySettings = (delay: Millis) => ({
  'cleanup.policy': 'delete',
  'retention.ms': String(delay + RETRY_GRACE_DAYS * DAY),
  // The broker's time, so that due times rise along a partition.
  'message.timestamp.type': 'LogAppendTime',
})

/** @returns the name of one of Onward's topics: `onward.config` with the default prefix */
export const ownTopic = (prefix: string, topic: OwnTopic): string => `${prefix}${topic}`

export const ownTopics = ({ topicPrefix, retryTiers }: Omit<TopicSettings, 'topics'>): readonly string[] => [
  ...Object.keys(OWN_TOPICS).map((topic) => `${topicPrefix}${topic}`),
  ...retryTiers.map((delay) => retryTopic(topicPrefix, delay)),
]

export const sourceTopics = (topics: SourceTopics): readonly string[] =>
  [topics.forms, topics.cases, topics.apps].filter((name) => name !== null)

export function kindsByTopic(topics: SourceTopics): ReadonlyMap<string, SourceKind> {
  const kinds = ['forms', 'cases', 'apps'] as const
  return new Map(kinds.flatMap((kind) => (topics[kind] === null ? [] : [[topics[kind], kind] as const])))
}

/** What a record of Onward's own may need beside the source value it carries: headers, addresses, error text. */
const ROOM_BESIDE_VALUE = 64 * 1024
/** Kafka's default `max.message.bytes`: what a source topic that is yet to be created will have. */
const DEFAULT_MESSAGE_BYTES = 1_048_588
/** Partitions of topics made where neither a source topic nor an option says how many. */
const DEFAULT_PARTITIONS = 12

export type TopicWishes = {
  readonly brokers: readonly number[]
  /** Overrides the largest source's count. */
  readonly partitions?: number
  /** Overrides min(3, brokers). */
  readonly replication?: number
  /** Create source topics too: they are upstream's, so only when asked. */
  readonly sources: boolean
}

/** The topics that should exist, given those that do. */
export function wantedTopics(
  { topics, topicPrefix, retryTiers }: TopicSettings,
  wishes: TopicWishes,
  existing: ReadonlyMap<string, TopicDescription>,
): readonly NewTopic[] {
  const sources = sourceTopics(topics)
  const found = sources.map((name) => existing.get(name)).filter((topic) => topic !== undefined)
  const replication = wishes.replication ?? Math.min(3, Math.max(1, wishes.brokers.length))
  const largest = Math.max(0, ...found.map(({ replicas }) => replicas.length)) || DEFAULT_PARTITIONS
  const partitions = wishes.partitions ?? largest
  const messageBytes = Math.max(
    DEFAULT_MESSAGE_BYTES,
    ...found.map(({ settings }) => Number(settings.get('max.message.bytes') ?? DEFAULT_MESSAGE_BYTES)),
  )
  const planned = [
    ...Object.entries(OWN_TOPICS).map(([name, topic]) => ({ ...topic, name: `${topicPrefix}${name}` })),
    ...retryTiers.map((delay) => ({
      name: retryTopic(topicPrefix, delay),
      partitions: 'largest' as const,
      settings: retrySettings(delay),
    })),
  ]
  const own = planned.map((topic) => ({
    name: topic.name,
    partitions: topic.partitions === 'largest' ? Math.max(partitions, largestOf(found)) : topic.partitions,
    replication,
    settings: { ...topic.settings, 'max.message.bytes': String(messageBytes + ROOM_BESIDE_VALUE) },
  }))
  if (!wishes.sources) return own
  return [...sources.map((name) => ({ name, partitions, replication, settings: {} })), ...own]
}

const largestOf = (found: readonly TopicDescription[]): number =>
  Math.max(0, ...found.map(({ replicas }) => replicas.length))

export type Difference = {
  readonly topic: string
  /** `partitions`, `replication factor`, or a setting's name. */
  readonly what: string
  readonly is: string
  readonly wanted: string
  /** What to run, or, where nothing can be run, what to know. */
  readonly fix: string
}

export type TopicPlan = {
  readonly create: readonly NewTopic[]
  readonly differs: readonly Difference[]
  readonly fine: readonly string[]
}

/** @param brokers `host:port` list for the commands, and the broker ids that a replica may go to */
export function planTopics(
  wanted: readonly NewTopic[],
  existing: ReadonlyMap<string, TopicDescription>,
  sources: readonly string[],
  brokers: { readonly addresses: readonly string[]; readonly ids: readonly number[] },
): TopicPlan {
  const create: NewTopic[] = []
  const differs: Difference[] = []
  const fine: string[] = []
  for (const topic of wanted) {
    const found = existing.get(topic.name)
    // A source topic that exists is upstream's: whatever its shape, it is fine.
    const differences = !found || sources.includes(topic.name) ? [] : differencesOf(topic, found, brokers)
    if (!found) create.push(topic)
    else if (differences.length === 0) fine.push(topic.name)
    differs.push(...differences)
  }
  return { create, differs, fine }
}

function differencesOf(
  wanted: NewTopic,
  found: TopicDescription,
  brokers: { readonly addresses: readonly string[]; readonly ids: readonly number[] },
): readonly Difference[] {
  const server = `--bootstrap-server ${brokers.addresses.join(',')}`
  const differences: Difference[] = []
  const partitions = found.replicas.length
  // More than wanted is harmless where partition p mirrors the sources' p: the rest stays empty.
  if (partitions < wanted.partitions) {
    differences.push({
      topic: wanted.name,
      what: 'partitions',
      is: String(partitions),
      wanted: String(wanted.partitions),
      fix: `kafka-topics.sh ${server} --alter --topic ${wanted.name} --partitions ${wanted.partitions}`,
    })
  } else if (wanted.partitions === 1 && partitions > 1) {
    differences.push({
      topic: wanted.name,
      what: 'partitions',
      is: String(partitions),
      wanted: '1',
      fix: 'a topic cannot lose partitions: its records are read in no order across them; re-create it when it may be emptied',
    })
  }
  const replication = Math.min(...found.replicas.map((replicas) => replicas.length))
  if (replication < wanted.replication) {
    differences.push({
      topic: wanted.name,
      what: 'replication factor',
      is: String(replication),
      wanted: String(wanted.replication),
      fix: `echo '${reassignment(wanted, found, brokers.ids)}' > reassign.json && kafka-reassign-partitions.sh ${server} --reassignment-json-file reassign.json --execute`,
    })
  }
  for (const [setting, value] of Object.entries(wanted.settings)) {
    const is = found.settings.get(setting) ?? ''
    if (suffices(setting, is, value)) continue
    differences.push({
      topic: wanted.name,
      what: setting,
      is,
      wanted: value,
      fix: `kafka-configs.sh ${server} --alter --entity-type topics --entity-name ${wanted.name} --add-config ${setting}=${value}`,
    })
  }
  return differences
}

/** More retention (−1: for ever) or larger records than wanted are an operator's choice; a cleanup policy is the one or not. */
function suffices(setting: string, is: string, wanted: string): boolean {
  if (is === wanted) return true
  if (setting !== 'retention.ms' && setting !== 'max.message.bytes') return false
  return is === '-1' || Number(is) >= Number(wanted)
}

/** Keeps the replicas a partition has, leader first, and adds the brokers that follow them in turn. */
function reassignment(wanted: NewTopic, found: TopicDescription, ids: readonly number[]): string {
  return JSON.stringify({
    version: 1,
    partitions: found.replicas.map((replicas, partition) => {
      const others = ids.filter((id) => !replicas.includes(id))
      const turned = [
        ...others.slice(partition % (others.length || 1)),
        ...others.slice(0, partition % (others.length || 1)),
      ]
      return { topic: wanted.name, partition, replicas: [...replicas, ...turned].slice(0, wanted.replication) }
    }),
  })
}
