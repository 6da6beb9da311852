// What versions the records of a source topic have, and which of its partitions are read: a record of the configuration topic.
// Pure. Enter: what is on record, and the topic as the brokers have it now. Leave: what is to be done about it.
// MUST: versions never fall. A topic that was made anew gets bases above all before it, and so does a partition that was added,
// for cases move there from the others. What was added is not read until an operator accepts it (`onward topics accept`).
import { baseAbove, isBase } from '../kafka/version-base.ts'
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
  /** The broker has not heard yet that the topic was made anew. */
  | { readonly kind: 'outdated' }

/** @param isLasting a broker that lags would have heard by now: the topic that it names is there, whatever is on record */
export function judgeTopic(
  topic: string,
  known: TopicVersions | undefined,
  seen: TopicIdentity,
  isLasting = false,
): Judgement {
  if (!known) {
    const bases = Array.from({ length: seen.partitions }, () => 0)
    return { kind: 'first-seen', versions: { topic, id: seen.id, bases, past: [] } }
  }
  if (seen.id !== null && known.id === null) return { kind: 'first-seen', versions: { ...known, id: seen.id } }
  if (seen.id === null || seen.id === known.id) {
    const added = seen.partitions - known.bases.length
    return added > 0 ? { kind: 'grown', added } : { kind: 'as-known' }
  }
  if (known.past.includes(seen.id) && !isLasting) return { kind: 'outdated' }
  // What it has more than the one before waits, as if that had got it: what is parked of cases that move goes first.
  const bases = known.bases.slice(0, seen.partitions).map(() => baseAbove(known.bases))
  const past = pastOf(known).filter((id) => id !== seen.id)
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

/**
 * The offsets of this partition are given anew, and what is left of it comes again. So does all of the partitions that cases moved to
 * from there: it must stay above.
 */
export function raiseBase(known: TopicVersions, partition: number, base: number): TopicVersions {
  const before = known.bases[partition] ?? 0
  const raised = (other: number, number: number) =>
    number === partition ? Math.max(other, base) : other > before ? baseAbove([other, base]) : other
  return base <= before ? known : { ...known, bases: known.bases.map(raised) }
}

/**
 * What is in force once a record says something. Two that write at once may not have heard of each other, and one whose answer was
 * lost is written twice: whatever the order, bases never fall, and no partition that was accepted is given back.
 */
export function mergeVersions(known: TopicVersions, said: TopicVersions): TopicVersions {
  const isOther = said.id !== null && known.id !== null && said.id !== known.id
  const isAbove = Math.min(...said.bases) > Math.max(...known.bases)
  const past = unite(known.past, said.past).filter((id) => id !== (said.id ?? known.id))
  if (!isOther) {
    const length = Math.max(known.bases.length, said.bases.length)
    const higher = (_: unknown, partition: number) => Math.max(known.bases[partition] ?? 0, said.bases[partition] ?? 0)
    return { ...said, id: said.id ?? known.id, bases: Array.from({ length }, higher), past }
  }
  const ofBefore = known.past.includes(said.id)
  // Its bases are above all that we know: the brokers had named it for so long that it is the one that is there now, after all.
  if (isAbove) return { ...said, past }
  const above = (bases: readonly number[], than: readonly number[]) =>
    bases.map((base) => Math.max(base, baseAbove(than)))
  if (!ofBefore) return { ...said, bases: above(said.bases, known.bases), past }
  // Written late. A version may have been given by it, if it went as high as ours.
  const wasAsHigh = Math.max(...said.bases) >= Math.min(...known.bases)
  return wasAsHigh ? { ...known, bases: above(known.bases, said.bases) } : known
}

const pastOf = ({ id, past }: TopicVersions): readonly string[] => unite(past, id === null ? [] : [id])

const unite = (one: readonly string[], other: readonly string[]): readonly string[] =>
  [...new Set([...one, ...other])].slice(-PAST_LIMIT)

/** They say the same, in whatever order. */
export const isSame = (one: TopicVersions, other: TopicVersions): boolean =>
  renderVersions(sorted(one)) === renderVersions(sorted(other))

const sorted = (versions: TopicVersions): TopicVersions => ({ ...versions, past: versions.past.toSorted() })

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

const isText = (value: unknown): value is string => typeof value === 'string'

function isListOf<Item>(value: unknown, is: (item: unknown) => item is Item): value is readonly Item[] {
  return Array.isArray(value) && value.every(is)
}
