// What versions the records of a source topic have, and which of its partitions are read: a record of the configuration topic.
// Pure. Enter: what is on record, and the topic as the brokers have it now. Leave: what is to be done about it.
// MUST: versions never fall. A topic that was made anew gets bases above all before it, and so does a partition that was added,
// for cases move there from the others. What was added is not read until an operator accepts it (`onward topics accept`).
import { baseAbove } from '../kafka/version-base.ts'
import type { TopicIdentity } from '../kafka/topic-identities.ts'

export type TopicVersions = {
  readonly topic: string
  /** Of the topic that has these bases; null where the brokers have no ids. */
  readonly id: string | null
  /** By partition: what versions add to offsets. Partitions beyond are not read. */
  readonly bases: readonly number[]
  /** Ids of topics that had the name before, the newest last: a broker that lags may still name them. */
  readonly past: readonly string[]
}

/** Far more than can be confused with one another. */
const PAST_LIMIT = 16

export type Judgement =
  | { readonly kind: 'as-known' }
  /** Nobody has seen it before, or nobody could tell it by an id: all of its partitions are read. */
  | { readonly kind: 'first-seen'; readonly versions: TopicVersions }
  | { readonly kind: 'made-anew'; readonly versions: TopicVersions }
  /** `added` partitions wait for an operator. */
  | { readonly kind: 'grown'; readonly added: number }
  /** The broker has not heard yet that the topic was made anew: it is to be asked again. */
  | { readonly kind: 'outdated' }

export function judgeTopic(topic: string, known: TopicVersions | undefined, seen: TopicIdentity): Judgement {
  if (!known) {
    const bases = Array.from({ length: seen.partitions }, () => 0)
    return { kind: 'first-seen', versions: { topic, id: seen.id, bases, past: [] } }
  }
  if (seen.id !== null && known.id === null) return { kind: 'first-seen', versions: { ...known, id: seen.id } }
  if (seen.id === null || seen.id === known.id) {
    const added = seen.partitions - known.bases.length
    return added > 0 ? { kind: 'grown', added } : { kind: 'as-known' }
  }
  if (known.past.includes(seen.id)) return { kind: 'outdated' }
  const above = baseAbove(known.bases)
  const bases = Array.from({ length: seen.partitions }, () => above)
  const past = [...known.past, ...(known.id === null ? [] : [known.id])].slice(-PAST_LIMIT)
  return { kind: 'made-anew', versions: { topic, id: seen.id, bases, past } }
}

/** The same topic with its added partitions: cases move to them from those that were read before. */
export function acceptAdded(known: TopicVersions, partitions: number): TopicVersions {
  const above = baseAbove(known.bases)
  return {
    ...known,
    bases: Array.from({ length: partitions }, (_, partition) => known.bases[partition] ?? above),
  }
}

export const renderVersions = ({ id, bases, past }: TopicVersions): string => JSON.stringify({ id, bases, past })

/** @returns undefined for what is no such record: other hands may write to the topic */
export function readVersions(topic: string, value: Buffer): TopicVersions | undefined {
  let read: unknown
  try {
    read = JSON.parse(value.toString('utf8'))
  } catch {
    return undefined
  }
  if (typeof read !== 'object' || read === null) return undefined
  const { id, bases, past } = read as Readonly<Record<string, unknown>>
  if (id !== null && typeof id !== 'string') return undefined
  if (!isListOf(bases, isBase) || bases.length === 0 || !isListOf(past, isText)) return undefined
  return { topic, id, bases, past }
}

const isBase = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0
const isText = (value: unknown): value is string => typeof value === 'string'

function isListOf<Item>(value: unknown, is: (item: unknown) => item is Item): value is readonly Item[] {
  return Array.isArray(value) && value.every(is)
}
