// What a forwarder holds of one connection's streak, and when there is something to tell of it. Pure, mutable: the failure book
// owns its pages. The states are in failure-book.ts.
import type { Millis } from '../shared/clock.ts'
import type { ProjectId } from '../shared/ids.ts'
import type { ConnectionState, FailureKind, Letter, Sample, Words } from '../shared/notices/failure-record.ts'

/** A streak that lasts is told again this often: counts, and that the member still lives. */
const STREAK_EVERY: Millis = 60_000
/** After a recovery what waits is told so soon, then after twice as long each time, up to `STREAK_EVERY`. */
const FIRST_DRAIN_LOOK: Millis = 1_000
/** And no longer than this: a connection that is well always has something on its way. */
const DRAIN_TOLD_FOR: Millis = 3_600_000

export type FailurePage = {
  readonly project: ProjectId
  state: ConnectionState
  /** Nothing was told yet: whether an earlier process left trouble open is not known here. */
  unknown: boolean
  since: Millis | null
  failed: number
  affected: number
  delivered: number
  lastFailedAt: Millis | null
  deadLettered: number
  successesInARow: number
  nextTryAt: Millis | null
  reason: string | null
  last: Words | null
  samples: Sample[]
  letters: Letter[]
  /** Deliveries of the streak that failed before: no count is kept for what memory has let go. */
  seen: WeakSet<object>
  /** What is new and not told; the latest wins, dead letters wait for their turn. */
  news: FailureKind | null
  lettersUntold: boolean
  drain: Drain | null
  sequence: number
  toldAt: Millis
}

/** What waited when a streak ended goes out by and by. */
type Drain = { readonly until: Millis; readonly lookAt: Millis; readonly gap: Millis }

export const newFailurePage = (project: ProjectId): FailurePage => ({
  project,
  state: 'well',
  unknown: true,
  since: null,
  failed: 0,
  affected: 0,
  delivered: 0,
  lastFailedAt: null,
  deadLettered: 0,
  successesInARow: 0,
  nextTryAt: null,
  reason: null,
  last: null,
  samples: [],
  letters: [],
  seen: new WeakSet(),
  news: null,
  lettersUntold: false,
  drain: null,
  sequence: 0,
  toldAt: 0,
})

/** Either way: a clock that was put back must not keep a record back until it has caught up. */
export const spanBetween = (then: Millis, now: Millis): Millis => Math.abs(now - then)

/** Looked at for every connection twice a second: nothing is counted here. */
export const isDue = (page: FailurePage, now: Millis): boolean =>
  page.state === 'recovering' || kindOf(page, now) !== null

/** A change of state goes before dead letters, for its record carries their count and samples too. */
export function kindOf(page: FailurePage, now: Millis): FailureKind | null {
  if (page.news !== null) return page.news
  if (page.lettersUntold) return 'dead-letters'
  if (page.state === 'well') return page.drain !== null && page.drain.lookAt <= now ? 'streak' : null
  return spanBetween(page.toldAt, now) >= STREAK_EVERY ? 'streak' : null
}

/**
 * When it is told next how much of what the trouble held up still waits; null when that is over, or was never begun.
 * @param kind of the record that is told now
 */
export function nextDrain(
  { state, since, drain }: FailurePage,
  kind: FailureKind,
  waiting: number,
  now: Millis,
): Drain | null {
  if (waiting === 0 || state !== 'well') return null
  // The first success of a process ends no streak of its own.
  if (kind === 'recovered' && since !== null)
    return { until: now + DRAIN_TOLD_FOR, lookAt: now + FIRST_DRAIN_LOOK, gap: FIRST_DRAIN_LOOK }
  if (drain === null || now >= drain.until) return null
  const gap = Math.min(drain.gap * 2, STREAK_EVERY)
  return { ...drain, gap, lookAt: now + gap }
}

export function beginStreak(page: FailurePage, now: Millis): void {
  page.since = now
  page.failed = 0
  page.affected = 0
  page.delivered = 0
  page.samples = []
  page.seen = new WeakSet()
}

/** The counts stay until the next streak: the record that tells of the end carries them. */
export function recover(page: FailurePage): void {
  page.state = 'well'
  page.news = 'recovered'
  page.reason = null
  page.successesInARow = 0
}

export function endStreak(page: FailurePage): void {
  page.since = null
  page.failed = 0
  page.affected = 0
  page.delivered = 0
  page.samples = []
  page.successesInARow = 0
}
