// What each forwarder said last of a connection, and what that comes to together. Pure. Enter: records. Leave: books, sums.
import type { Millis } from '../shared/clock.ts'
import type { FailureRecord } from '../shared/notices/failure-record.ts'
import type { ConnectionBook, Figures, MemberBook } from '../shared/notices/notice.ts'

/** A member tells of a lasting streak each minute: one that was silent for longer holds nothing any more. */
const MEMBER_SILENT_AFTER: Millis = 150_000
/** Beyond the retention of the failures no record of such a member can come again. */
const MEMBER_FORGOTTEN_AFTER: Millis = 8 * 24 * 3_600_000
/** Members remembered for one connection: what bounds a record of the topic, however often processes are replaced. */
const MEMBERS_LIMIT = 64

type Members = ConnectionBook['members']

export const NO_FIGURES: Figures = { failed: 0, affected: 0, delivered: 0 }

export const addFigures = (left: Figures, right: Figures): Figures => ({
  failed: left.failed + right.failed,
  affected: left.affected + right.affected,
  delivered: left.delivered + right.delivered,
})

/** @param past of streaks that no member holds any more */
export const figuresOf = (members: Members, past: Figures): Figures =>
  Object.values(members).reduce((total, { streak }) => (streak === null ? total : addFigures(total, streak)), past)

/** Deliveries that wait, over all members that still tell something. */
export function waitingOf(members: Members): number {
  const all = Object.values(members)
  const newestAt = Math.max(0, ...all.map(({ at }) => at))
  return all.reduce((count, { at, waiting }) => (newestAt - at < MEMBER_SILENT_AFTER ? count + waiting : count), 0)
}

/**
 * @param key `<member>@<run>`
 * @param begins an incident begins with this record: streaks that are over are none of its business
 */
export function rememberMember(members: Members, key: string, record: FailureRecord, begins: boolean): Members {
  const { since, failed, affected, delivered, sequence, at, state, waiting, lastFailedAt } = record
  const kept = Object.entries(members)
    .filter(([name, member]) => name !== key && at - member.at < MEMBER_FORGOTTEN_AFTER)
    .map(([name, member]) => [name, begins && member.state === 'well' ? { ...member, streak: null } : member] as const)
    .toSorted(([, left], [, right]) => right.at - left.at)
    .slice(0, MEMBERS_LIMIT - 1)
  const streak = since === null ? null : { since, failed, affected, delivered }
  const deadLettered = Math.max(record.deadLettered, members[key]?.deadLettered ?? 0)
  const member: MemberBook = { sequence, at, state, waiting, deadLettered, lastFailedAt, streak }
  return Object.fromEntries([...kept, [key, member]])
}
