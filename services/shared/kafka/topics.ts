// The topics of this installation: looks, plans, creates. Enter: settings, wishes. Leave: what was found and done.
// Never: a change to a topic that exists; a source topic made without being asked for.
import { systemClock, type Millis } from '../clock.ts'
import { isAway, openAdmin, type Admin } from './admin.ts'
import type { KafkaClient } from './kafka.ts'
import {
  ownTopics,
  planTopics,
  sourceTopics,
  wantedTopics,
  type Difference,
  type TopicPlan,
  type TopicSettings,
  type TopicWishes,
} from './plan-topics.ts'

export type TopicFindings = TopicPlan & {
  /** Source topics that do not exist and that the plan leaves to upstream. */
  readonly missingSources: readonly string[]
  /** False: no source topic exists and nothing else says how many partitions Onward's own should have. */
  readonly partitionsKnown: boolean
}

/** @param addresses the brokers as the settings name them, for the commands in the findings */
export async function findTopics(
  admin: Admin,
  settings: TopicSettings,
  addresses: readonly string[],
  wishes: Omit<TopicWishes, 'brokers'>,
): Promise<TopicFindings> {
  const sources = sourceTopics(settings.topics)
  const ids = await admin.brokers()
  const existing = await admin.describeTopics([...sources, ...ownTopics(settings)])
  const wanted = wantedTopics(settings, { ...wishes, brokers: ids }, existing)
  const missingSources = wishes.sources ? [] : sources.filter((name) => !existing.has(name))
  return {
    ...planTopics(wanted, existing, sources, { addresses, ids }),
    missingSources,
    partitionsKnown: wishes.sources || wishes.partitions !== undefined || sources.some((name) => existing.has(name)),
  }
}

export type TopicCheck = {
  /** Empty: the service may start. */
  readonly missing: readonly string[]
  /** What to tell the operator, with the line to run; empty when nothing is missing. */
  readonly advice: string
  /** Ours that have another number of partitions than they should have. */
  readonly counts: readonly Difference[]
}

/** Between tries while a broker that was asked goes away. */
const AGAIN_AFTER: Millis = 500

/** For services, which refuse to start while a topic is missing. Waits as long as no broker answers. */
export async function checkTopics(
  kafka: KafkaClient,
  settings: TopicSettings,
  addresses: readonly string[],
): Promise<TopicCheck> {
  const findings = await untilAnswered(async () => {
    await using admin = await openAdmin(kafka)
    return await findTopics(admin, settings, addresses, { sources: false })
  })
  const own = findings.create.map(({ name }) => name)
  const advice = [
    findings.missingSources.length > 0
      ? `source topics missing: ${findings.missingSources.join(', ')}. They are upstream's to create (or turn one off with an empty ONWARD_TOPIC_…); to have them made here, run: npx onward topics --sources`
      : '',
    own.length > 0 ? `topics missing: ${own.join(', ')}. Run: npx onward topics` : '',
  ]
  return {
    missing: [...findings.missingSources, ...own],
    advice: advice.filter((line) => line !== '').join('\n'),
    counts: findings.differs.filter(({ what }) => what === 'partitions'),
  }
}

/**
 * Partition p of a source is parked in partition p: one that is not there has nowhere to go. A source's partitions that are not
 * read yet need none.
 * @param read how many partitions of the largest source are read
 * @returns those of `counts` that nobody can start with
 */
export const tooNarrow = (counts: readonly Difference[], read: number): readonly Difference[] =>
  // More than wanted is only told of topics that must have one: their records have no order across several.
  counts.filter(({ is, wanted }) => Number(is) > Number(wanted) || Number(is) < read)

export const adviseOnCount = ({ topic, is, wanted, fix }: Difference): string =>
  `${topic} has ${is} partitions and needs ${wanted}, as many as the largest source topic has. Run: ${fix}`

/** kafkajs waits for brokers that refuse a connection, and not for one that takes it and closes it, as a load balancer does. */
async function untilAnswered<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      if (!isAway(error)) throw error
      await systemClock.sleep(AGAIN_AFTER)
    }
  }
}
