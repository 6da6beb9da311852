// Where reading begins after an assignment. Pure.
// Enter: what the group committed, and the edges of the log. Leave: the position, and what was found wrong with it.

export type StartPosition = {
  readonly topic: string
  readonly partition: number
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
    /** Retention removed records that nobody had read: said aloud, for they are gone. */
    | { readonly kind: 'unread-removed'; readonly records: number }
    /** The log ends before the committed offset: the topic was made anew or cut. Its records are read from its start. */
    | { readonly kind: 'log-shorter'; readonly committed: number }
}

export function startPosition(
  topic: string,
  partition: number,
  committed: { readonly offset: number; readonly metadata: string | null },
  edges: { readonly earliest: number; readonly latest: number },
  startFrom: 'earliest' | 'latest',
): StartPosition {
  const { earliest, latest } = edges
  const at = (offset: number, commit: StartPosition['commit'], found: StartPosition['found']): StartPosition => ({
    topic,
    partition,
    offset,
    end: latest,
    commit,
    found,
  })
  if (committed.offset < 0) {
    const offset = startFrom === 'earliest' ? earliest : latest
    return at(offset, null, { kind: 'first-start', records: latest - offset })
  }
  if (committed.offset < earliest) {
    return at(earliest, committed, { kind: 'unread-removed', records: earliest - committed.offset })
  }
  if (committed.offset > latest) return at(earliest, null, { kind: 'log-shorter', committed: committed.offset })
  return at(committed.offset, committed, { kind: 'committed' })
}
