// What connections that refuse were still sent. Pure. Enter: whose request, and when. Leave: how many of them came after the
// first moment, when a sender has had the time to learn that it is refused.

export type RefusalFigures = {
  /** Requests of all of them. */
  readonly refused: number
  /** The most that one of them was sent after its first moment. */
  readonly mostAfterFirst: number
  /** Milliseconds from that one's first request until now. */
  readonly since: number
}

export type RefusalBook = {
  /** @param now milliseconds by any clock that does not jump */
  enter(connection: string, now: number): void
  figures(now: number): RefusalFigures
  clear(): void
}

/** What was on its way, and what it takes to see that a remote is broken, comes within this; the first probe later. */
const FIRST_MOMENT_MS = 2_500

type Refused = { readonly firstAt: number; afterFirst: number }

export function createRefusalBook(): RefusalBook {
  const connections = new Map<string, Refused>()
  let refused = 0
  return {
    enter(connection, now) {
      refused += 1
      const known = connections.get(connection)
      if (!known) connections.set(connection, { firstAt: now, afterFirst: 0 })
      else if (now - known.firstAt > FIRST_MOMENT_MS) known.afterFirst += 1
    },
    figures(now) {
      let most: Refused | undefined
      for (const one of connections.values()) if (!most || one.afterFirst > most.afterFirst) most = one
      return { refused, mostAfterFirst: most?.afterFirst ?? 0, since: most ? now - most.firstAt : 0 }
    },
    clear() {
      connections.clear()
      refused = 0
    },
  }
}
