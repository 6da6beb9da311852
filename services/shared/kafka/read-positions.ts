// Where partitions that are new to a member begin. Enter: a membership that was given them. Leave: their start positions, once
// the brokers have said them; what was found wrong is in the log. Never: a start that a crash could move.
import type { Clock, Millis } from '../clock.ts'
import { errorText } from '../error-text.ts'
import type { Log } from '../log.ts'
import type { CommitEntry, LogEnd } from './group.ts'
import {
  commitOnce,
  fetchCommitted,
  fetchEdge,
  isGenerationOver,
  type Membership,
  type TopicOffsets,
  type TopicPartitions,
} from './membership.ts'
import type { DoubtedPartitions } from './doubted-partitions.ts'
import { startPosition, type StartPosition } from './start-position.ts'
import { fetchTopicIdentities, type TopicIdentity } from './topic-identities.ts'
import { markBase } from './version-base.ts'

/** What whoever gives the records of topics their versions says of them to the group that reads them. */
export type VersionBook = {
  /** Those whose versions must keep rising. */
  readonly topics: readonly string[]
  /**
   * Told what the brokers have now. Resolves when what follows from it is on record.
   * @throws Error when they have not heard yet of a topic that is on record
   */
  meet(seen: ReadonlyMap<string, TopicIdentity>): Promise<void>
  /** What versions add to offsets there; undefined while that is not known, or the partition is not to be read yet. */
  baseOf(topic: string, partition: number): number | undefined
  /** How many of its partitions are read. */
  countOf(topic: string): number
  /** The offsets of that partition are given anew, under this base. Resolves when it is on record. */
  raise(topic: string, partition: number, base: number): Promise<void>
}

type Options = {
  /** By topic. */
  readonly startFrom: (topic: string) => 'earliest' | 'latest'
  readonly versions?: VersionBook
  readonly doubted: Pick<DoubtedPartitions, 'readTo' | 'believe'>
  readonly log: Log
  readonly clock: Clock
}

/** Between tries while the brokers are away. */
const POSITIONS_AGAIN_AFTER: Millis = 1_000

/**
 * Until the brokers answer: without positions nothing may be read.
 * @returns undefined when the generation is over before they do, or we leave: then nothing is owned until the next join. Partitions
 * whose base is not on record are left out.
 */
export async function readPositions(
  membership: Membership,
  partitions: readonly TopicPartitions[],
  options: Options,
  leaving: AbortSignal,
): Promise<readonly StartPosition[] | undefined> {
  while (!leaving.aborted) {
    try {
      const positions = await askPositions(membership, partitions, options)
      await options.doubted.believe(positions, options.clock.monotonic(), () => membership.cluster.refreshMetadata())
      await settlePositions(membership, positions, options)
      return positions
    } catch (error) {
      options.log.warn('start-positions-unknown', { error: errorText(error) })
      // Nothing beats the heart while we are here, and who does not join again in time is put out of the group.
      if (await isGenerationOver(membership)) return undefined
      await options.clock.sleep(POSITIONS_AGAIN_AFTER, leaving)
    }
  }
  return undefined
}

/**
 * MUST: the edges, the commit and the base of a partition are of one log. A topic may be made anew while the brokers are asked, so
 * the base that was on record before must be the one that they account for behind it.
 */
async function askPositions(
  membership: Membership,
  wanted: readonly TopicPartitions[],
  { versions, doubted, startFrom }: Options,
): Promise<readonly StartPosition[]> {
  const bases = basesOf(wanted, versions)
  const partitions = only(wanted, (topic, partition) => bases.get(nameOf(topic, partition)) !== undefined)
  // Asked for no partition, a broker would name every one of the group.
  if (partitions.length === 0) return []
  // MUST: the end is asked for after the commit, or a log that has grown between the two would seem to have been cut.
  const committed = await fetchCommitted(membership, partitions)
  const [earliest, latest] = await Promise.all([
    fetchEdge(membership, partitions, true),
    fetchEdge(membership, partitions, false),
  ])
  if (versions) await askTopics(membership, versions)
  for (const [name, base] of basesOf(wanted, versions))
    if (base !== bases.get(name)) throw new Error(`what is on record of ${name} changed meanwhile`)
  return committed.flatMap(({ topic, partitions: offsets }) =>
    offsets.map(({ partition, offset, metadata }) =>
      startPosition(topic, partition, {
        base: bases.get(nameOf(topic, partition)) ?? null,
        committed: { offset: Number(offset), metadata: metadata ?? null },
        cutAt: doubted.readTo({ topic, partition }, bases.get(nameOf(topic, partition)) ?? 0),
        edges: { earliest: offsetIn(earliest, topic, partition), latest: offsetIn(latest, topic, partition) },
        startFrom: startFrom(topic),
      }),
    ),
  )
}

const askTopics = async (membership: Membership, versions: VersionBook): Promise<void> =>
  versions.meet(await fetchTopicIdentities(membership, versions.topics))

/** As `askPositions` begins, and in between: what the brokers do not say is asked for again. */
export const meetTopics = (membership: Membership, versions: VersionBook, log: Log): Promise<void> =>
  askTopics(membership, versions).catch((error: unknown) => log.warn('topics-unknown', { error: errorText(error) }))

/** By `nameOf`; null for a topic that has no versions. */
function basesOf(wanted: readonly TopicPartitions[], versions: VersionBook | undefined) {
  const bases = new Map<string, number | null | undefined>()
  for (const { topic, partitions } of wanted)
    for (const partition of partitions)
      bases.set(nameOf(topic, partition), versions?.topics.includes(topic) ? versions.baseOf(topic, partition) : null)
  return bases
}

const nameOf = (topic: string, partition: number): string => `${topic}[${partition}]`

const only = (of: readonly TopicPartitions[], wanted: (topic: string, partition: number) => boolean) =>
  of
    .map(({ topic, partitions }) => ({ topic, partitions: partitions.filter((partition) => wanted(topic, partition)) }))
    .filter(({ partitions }) => partitions.length > 0)

/** A start that comes from no commit is committed at once: a crash before the first record must not move it. */
async function settlePositions(
  membership: Membership,
  positions: readonly StartPosition[],
  { versions, log }: Options,
): Promise<void> {
  const unsettled = positions.filter(({ commit }) => commit === null)
  if (unsettled.length > 0)
    await commitOnce(membership, byTopic(unsettled.map((each) => ({ ...each, metadata: markBase(each.base, '') }))))
  // Behind the commit, which whoever was put out of the group cannot make. One that died in between left only the commit.
  for (const { topic, partition, base } of positions)
    if (base > (versions?.baseOf(topic, partition) ?? Infinity)) await versions?.raise(topic, partition, base)
  for (const { topic, partition, base, offset, found } of positions) {
    if (found.kind === 'first-start')
      log.info('partition-started', { topic, partition, offset, records: found.records })
    else if (found.kind === 'begun-anew')
      log.warn('partition-begun-anew', { topic, partition, offset, records: found.records, base })
    else if (found.kind === 'unread-removed') {
      log.error('unread-records-removed', { topic, partition, offset, records: found.records })
    } else if (found.kind === 'log-shorter') {
      log.error('log-shorter-than-committed', { topic, partition, offset, readTo: found.readTo, base })
    }
  }
}

export const offsetIn = (offsets: readonly TopicOffsets[], topic: string, partition: number): number => {
  const found = offsets
    .find((entry) => entry.topic === topic)
    ?.partitions.find((entry) => entry.partition === partition)
  if (!found) throw new Error(`the brokers named no offset for ${topic}[${partition}]`)
  return Number(found.offset)
}

export const endsOf = ({ topic, partitions }: TopicOffsets): readonly LogEnd[] =>
  partitions.map(({ partition, offset }) => ({ topic, partition, end: Number(offset) }))

export function byTopic(entries: readonly CommitEntry[]): TopicOffsets[] {
  const topics = new Map<string, { partition: number; offset: string; metadata: string }[]>()
  for (const { topic, partition, offset, metadata } of entries) {
    let partitions = topics.get(topic)
    if (!partitions) topics.set(topic, (partitions = []))
    partitions.push({ partition, offset: String(offset), metadata })
  }
  return [...topics].map(([topic, partitions]) => ({ topic, partitions }))
}
