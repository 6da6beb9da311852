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
import { startPosition, type StartPosition } from './start-position.ts'
import { fetchTopicIdentities, type VersionBook } from './topic-identities.ts'
import { markBase } from './version-base.ts'

type Options = {
  /** By topic. */
  readonly startFrom: (topic: string) => 'earliest' | 'latest'
  readonly versions?: VersionBook
  readonly log: Log
  readonly clock: Clock
}

/** Between tries while the brokers are away. */
const POSITIONS_AGAIN_AFTER: Millis = 1_000

/**
 * Until the brokers answer: without positions nothing may be read.
 * @returns undefined when the generation is over before they do, or we leave: then nothing is owned until the next join
 */
export async function readPositions(
  membership: Membership,
  partitions: readonly TopicPartitions[],
  options: Options,
  leaving: AbortSignal,
): Promise<readonly StartPosition[] | undefined> {
  // Asked for no partition, a broker would name every one of the group.
  if (partitions.length === 0) return []
  while (!leaving.aborted) {
    try {
      if (options.versions) await meetTopics(membership, options.versions)
      const baseOf = openBases(options.versions, partitions)
      const [committed, earliest, latest] = await Promise.all([
        fetchCommitted(membership, partitions),
        fetchEdge(membership, partitions, true),
        fetchEdge(membership, partitions, false),
      ])
      const positions = committed.flatMap(({ topic, partitions: offsets }) =>
        offsets.map(({ partition, offset, metadata }) =>
          startPosition(
            topic,
            partition,
            baseOf(topic, partition),
            { offset: Number(offset), metadata: metadata ?? null },
            { earliest: offsetIn(earliest, topic, partition), latest: offsetIn(latest, topic, partition) },
            options.startFrom(topic),
          ),
        ),
      )
      await settlePositions(membership, positions, options.log)
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

export async function meetTopics({ cluster }: Pick<Membership, 'cluster'>, versions: VersionBook): Promise<void> {
  await versions.meet(await fetchTopicIdentities(cluster, versions.topics))
}

/** @throws Error while the base of one of these partitions is not known: read now, its versions could fall */
function openBases(versions: VersionBook | undefined, partitions: readonly TopicPartitions[]) {
  const baseOf = (topic: string, partition: number): number | null => {
    if (!versions?.topics.includes(topic)) return null
    const base = versions.baseOf(topic, partition)
    if (base === undefined) throw new Error(`the configuration does not say yet that ${topic}[${partition}] is read`)
    return base
  }
  for (const { topic, partitions: numbers } of partitions) for (const number of numbers) baseOf(topic, number)
  return baseOf
}

/** A start that comes from no commit is committed at once: a crash before the first record must not move it. */
async function settlePositions(membership: Membership, positions: readonly StartPosition[], log: Log): Promise<void> {
  const unsettled = positions.filter(({ commit }) => commit === null)
  if (unsettled.length > 0)
    await commitOnce(membership, byTopic(unsettled.map((each) => ({ ...each, metadata: markBase(each.base, '') }))))
  for (const { topic, partition, base, offset, found } of positions) {
    if (found.kind === 'first-start')
      log.info('partition-started', { topic, partition, offset, records: found.records })
    else if (found.kind === 'begun-anew')
      log.warn('partition-begun-anew', { topic, partition, offset, records: found.records, base })
    else if (found.kind === 'unread-removed') {
      log.error('unread-records-removed', { topic, partition, offset, records: found.records })
    } else if (found.kind === 'log-shorter') {
      log.error('log-shorter-than-committed', { topic, partition, offset, committed: found.committed })
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
