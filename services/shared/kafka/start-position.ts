// Where reading begins after an assignment. Pure.
// Enter: what the group committed, and the edges of the log. Leave: the position, and what was found wrong with it.
// MUST: a commit of a log that is no more says nothing about the one that has its name now.
import { baseAfterCut, readMetadata } from './version-base.ts'

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
    /** The topic was made anew, or the partition added: all of its `records` are read. */
    | { readonly kind: 'begun-anew'; readonly records: number }
    /** Retention removed records that nobody had read: said aloud, for they are gone. */
    | { readonly kind: 'unread-removed'; readonly records: number }
    /** The log ends before the committed offset: the topic was made anew or cut. Its records are read from its start. */
    | { readonly kind: 'log-shorter'; readonly committed: number }
}

/** @param base what versions add to offsets here, as the configuration says; null for a topic that has no versions */
export function startPosition(
  topic: string,
  partition: number,
  base: number | null,
  committed: { readonly offset: number; readonly metadata: string | null },
  edges: { readonly earliest: number; readonly latest: number },
  startFrom: 'earliest' | 'latest',
): StartPosition {
  const { earliest, latest } = edges
  const committedBase = base === null ? null : (readMetadata(committed.metadata)?.base ?? null)
  const wanted = base ?? 0
  const at = (
    offset: number,
    commit: StartPosition['commit'],
    found: StartPosition['found'],
    // Above what the configuration says where the log was cut, or where we have not heard of it yet: the offset goes with this one.
    versionBase = Math.max(wanted, committedBase ?? 0),
  ): StartPosition => ({ topic, partition, base: versionBase, offset, end: latest, commit, found })

  if (committed.offset < 0 && wanted === 0) {
    const offset = startFrom === 'earliest' ? earliest : latest
    return at(offset, null, { kind: 'first-start', records: latest - offset })
  }
  // An offset that names no base was set by an operator's hand, and counts.
  if (committed.offset < 0 || (committedBase !== null && committedBase < wanted))
    return at(earliest, null, { kind: 'begun-anew', records: latest - earliest }, wanted)
  if (committed.offset < earliest)
    return at(earliest, committed, { kind: 'unread-removed', records: earliest - committed.offset })
  if (committed.offset > latest) {
    const raised = base === null ? 0 : baseAfterCut(Math.max(wanted, committedBase ?? 0))
    return at(earliest, null, { kind: 'log-shorter', committed: committed.offset }, raised)
  }
  return at(committed.offset, committed, { kind: 'committed' })
}
