// Where reading begins after an assignment. Pure.
// Enter: what the group committed, and the edges of the log. Leave: the position, and what was found wrong with it.
// MUST: a commit of a log that is no more says nothing about the one that has its name now.
import { readMap } from './commit-map.ts'
import { baseAbove, readMark } from './version-base.ts'

export type StartPosition = {
  readonly topic: string
  readonly partition: number
  /** What versions add to offsets here; 0 for a topic that has none. */
  readonly base: number
  /** The next offset to read. */
  readonly offset: number
  /** The end of what can be read at that moment. */
  readonly end: number
  /** The commit that an earlier owner left; null when there is none, or when it is of a log that is no more. */
  readonly commit: { readonly offset: number; readonly metadata: string | null } | null
  readonly found:
    /** Goes on where the group left off. */
    | { readonly kind: 'committed' }
    /** The group has no offset here: it starts at an end of the log, `records` before the newest. */
    | { readonly kind: 'first-start'; readonly records: number }
    /** The group has committed nothing for the topic that has the name now, or for a partition that was added: all `records` are read. */
    | { readonly kind: 'begun-anew'; readonly records: number }
    /** Retention removed records that nobody had read: said aloud, for they are gone. */
    | { readonly kind: 'unread-removed'; readonly records: number }
    /** The log ends before `readTo`, where we had been: it was cut, or its topic made anew. Its records are read from its start. */
    | { readonly kind: 'log-shorter'; readonly readTo: number }
}

/** What the brokers, the configuration and we ourselves know of a partition. */
export type KnownOf = {
  /** What versions add to offsets there; null for a topic that has no versions. */
  readonly base: number | null
  /** Offset -1 where nothing is. */
  readonly committed: { readonly offset: number; readonly metadata: string | null }
  /** How far we had read when the brokers had our place no more; 0 where that was not so. */
  readonly cutAt: number
  readonly edges: { readonly earliest: number; readonly latest: number }
  readonly startFrom: 'earliest' | 'latest'
}

export function startPosition(topic: string, partition: number, known: KnownOf): StartPosition {
  const { base, committed, cutAt, startFrom } = known
  const { earliest, latest } = known.edges
  const wanted = base ?? 0
  const committedBase = base === null ? null : (readMark(committed.metadata)?.base ?? null)
  const at = (
    offset: number,
    commit: StartPosition['commit'],
    found: StartPosition['found'],
    // Above what the configuration says where we have not heard of it yet: the offset goes with this one.
    versionBase = Math.max(wanted, committedBase ?? 0),
  ): StartPosition => ({ topic, partition, base: versionBase, offset, end: latest, commit, found })

  const readTo = Math.max(cutAt, readToBy(committed))
  // An offset that names no base was set by an operator's hand, and counts.
  if (committedBase !== null && committedBase < wanted)
    return at(earliest, null, { kind: 'begun-anew', records: latest - earliest }, wanted)
  // Its tail is gone, and its offsets are given anew: to be above, all that is left of it comes again.
  if (readTo > latest) {
    const raised = base === null ? 0 : baseAbove([Math.max(wanted, committedBase ?? 0)])
    return at(earliest, null, { kind: 'log-shorter', readTo }, raised)
  }
  if (committed.offset < 0 && wanted > 0)
    return at(earliest, null, { kind: 'begun-anew', records: latest - earliest }, wanted)
  if (committed.offset < 0) {
    const offset = startFrom === 'earliest' ? earliest : latest
    return at(offset, null, { kind: 'first-start', records: latest - offset })
  }
  if (committed.offset < earliest)
    return at(earliest, committed, { kind: 'unread-removed', records: earliest - committed.offset })
  return at(committed.offset, committed, { kind: 'committed' })
}

/** What was finished above the committed offset was there, too. */
const readToBy = ({ offset, metadata }: KnownOf['committed']): number =>
  offset < 0 ? 0 : Math.max(offset, readMap(offset, metadata).finished.at(-1)?.to ?? 0)
