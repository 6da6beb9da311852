// Who owns which partition numbers. One member owns number p of every topic, so that one process, one thread, holds all that
// concerns a case. Pure. Enter: the members, with what they subscribe and owned, and the topics' partition counts.
// Leave: each member's partitions by topic. Never: a number with two owners, or a topic given to who does not subscribe it.
// MUST: a number that its owner still works on is given to nobody else. The owner learns from its share that the number is to go,
// finishes, and joins again without it; only then has somebody else got it. So whoever keeps a number need not stop for a rebalance.

/** What a member says it owns, as of which generation of the group. */
export type Claim = {
  readonly generation: number
  readonly numbers: readonly number[]
  /** It works on them now. False: it had them, and would read less again than others if it got them back. */
  readonly works: boolean
  /** It is about to leave: what it works on stays with it until then, and it wants no more. */
  readonly leaves: boolean
}

export type Member = {
  readonly id: string
  readonly topics: readonly string[]
  readonly claim: Claim | null
}

/** By topic. A member has every topic it subscribes, also those of which it gets nothing. */
export type Share = Readonly<Record<string, readonly number[]>>

/** The numbers that the same members can own. */
type Kin = { readonly able: readonly Member[]; readonly numbers: number[] }

/**
 * A number goes to a member that subscribes every topic that has it; where nobody does, which is so only while members with
 * different subscriptions meet, to one that subscribes most of them. What that one does not subscribe is read by nobody there
 * until somebody else owns the number: late, for to split the number would take a case apart. A topic that no member subscribes has no part in it.
 *
 * The numbers are spread evenly; within that, whoever owned a number keeps it. The result does not depend on the order of the members.
 * A number that moves has no owner until the one before has given it up.
 *
 * @param partitionCounts of every topic that a member subscribes
 */
export function shareNumbers(
  members: readonly Member[],
  partitionCounts: ReadonlyMap<string, number>,
): ReadonlyMap<string, Share> {
  const sorted = members.toSorted((one, other) => compare(one.id, other.id))
  const claimed = readClaims(sorted)
  const owned = new Map<Member, number[]>(sorted.map((member) => [member, []]))
  const leaving = sorted.filter(({ claim }) => claim?.leaves === true)
  for (const member of leaving) owned.get(member)?.push(...workedOnBy(member, claimed))
  const withLeaving = new Set(leaving.flatMap((member) => owned.get(member) ?? []))
  const staying = sorted.filter((member) => !leaving.includes(member))
  // The low numbers come first. More topics have them, so fewer members can own them: the others make room.
  for (const { able, numbers } of kinsOf(staying, partitionCounts)) {
    const free = numbers.filter((number) => !withLeaving.has(number))
    spread(free, able, claimed, owned)
  }
  const isFreeFor = (member: Member) => (number: number) => {
    const owner = claimed.get(number)
    return owner === member || owner?.claim?.works !== true
  }
  return new Map(
    [...owned].map(([member, numbers]) => [
      member.id,
      shareOf(member, numbers.filter(isFreeFor(member)), partitionCounts),
    ]),
  )
}

const workedOnBy = (member: Member, claimed: ReadonlyMap<number, Member>): readonly number[] =>
  member.claim?.works === true ? member.claim.numbers.filter((number) => claimed.get(number) === member) : []

/** A number that two members claim belongs to the one that had it later. One of them does not know yet that it lost it. */
function readClaims(members: readonly Member[]): ReadonlyMap<number, Member> {
  const claimed = new Map<number, Member>()
  for (const member of members) {
    for (const number of member.claim?.numbers ?? []) {
      const rival = claimed.get(number)?.claim
      if (!rival || rival.generation < (member.claim?.generation ?? 0)) claimed.set(number, member)
    }
  }
  return claimed
}

function kinsOf(members: readonly Member[], partitionCounts: ReadonlyMap<string, number>): readonly Kin[] {
  const kins = new Map<string, Kin>()
  const subscribed = new Map(members.map((member) => [member, new Set(member.topics)]))
  const numbers = Math.max(0, ...partitionCounts.values())
  for (let number = 0; number < numbers; number++) {
    const topics = [...partitionCounts].filter(([, count]) => number < count).map(([topic]) => topic)
    const covered = members.map((member) => topics.filter((topic) => subscribed.get(member)?.has(topic)).length)
    const most = Math.max(0, ...covered)
    const able = most === 0 ? [] : members.filter((_, index) => covered[index] === most)
    const names = JSON.stringify(able.map(({ id }) => id))
    const kin = kins.get(names)
    if (kin) kin.numbers.push(number)
    else kins.set(names, { able, numbers: [number] })
  }
  return [...kins.values()]
}

/** @param owned what each owns already, of other numbers; these are added */
function spread(
  numbers: readonly number[],
  able: readonly Member[],
  claimed: ReadonlyMap<number, Member>,
  owned: ReadonlyMap<Member, number[]>,
): void {
  if (able.length === 0) return
  const claims = Map.groupBy(numbers, (number) => claimed.get(number))
  const room = roomsOf(numbers.length, able, claims, owned)
  const homeless: number[] = []
  for (const [member, theirs] of claims) {
    const kept = member ? (room.get(member) ?? 0) : 0
    if (member && kept > 0) owned.get(member)?.push(...theirs.slice(0, kept))
    homeless.push(...theirs.slice(kept))
  }
  homeless.sort((one, other) => one - other)
  for (const member of able) {
    const kept = Math.min(room.get(member) ?? 0, claims.get(member)?.length ?? 0)
    owned.get(member)?.push(...homeless.splice(0, (room.get(member) ?? 0) - kept))
  }
}

/** How many of these numbers each may own, so that all own as equally many as can be: one by one to who has least. */
function roomsOf(
  count: number,
  able: readonly Member[],
  claims: ReadonlyMap<Member | undefined, readonly number[]>,
  owned: ReadonlyMap<Member, readonly number[]>,
): ReadonlyMap<Member, number> {
  const room = new Map<Member, number>(able.map((member) => [member, 0]))
  const roomOf = (member: Member) => room.get(member) ?? 0
  const loadOf = (member: Member) => (owned.get(member)?.length ?? 0) + roomOf(member)
  /** Of what it claims, what it has no room for yet: among equals, who would lose something comes first. */
  const lossOf = (member: Member) => (claims.get(member)?.length ?? 0) - roomOf(member)
  for (let given = 0; given < count; given++) {
    const next = able.reduce((first, member) => {
      const ahead = loadOf(first) - loadOf(member) || lossOf(member) - lossOf(first)
      return ahead > 0 ? member : first
    })
    room.set(next, roomOf(next) + 1)
  }
  return room
}

function shareOf({ topics }: Member, numbers: readonly number[], partitionCounts: ReadonlyMap<string, number>): Share {
  const rising = numbers.toSorted((one, other) => one - other)
  return Object.fromEntries(
    topics.map((topic) => [topic, rising.filter((number) => number < (partitionCounts.get(topic) ?? 0))]),
  )
}

/** By code units, as every process on every machine does: a locale's order is its own. */
const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0)
