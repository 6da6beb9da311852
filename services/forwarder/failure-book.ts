// How each connection fares, as the notifier is to hear of it. Pure; one book a process.
// Enter: what attempts showed, dead letters, the breaker's transitions. Leave: at most one record a connection and moment, with
// counts that only rise, so that a storm of failures costs no more records than a single one.
//
// | state | after a failure | after a success | told as |
// |---|---|---|---|
// | unknown | well, with a streak | well | nothing; the first success as `recovered`, for an earlier process may have told of trouble |
// | well | a streak begins or goes on; failing once it lasts or must wait long | the streak ends | nothing |
// | failing, open | goes on | recovering | `failing`, `open`, then `streak` now and then |
// | recovering | failing | well after two in a row, or when nothing waits | `recovering`, `recovered` |
// | well, with what waited meanwhile | as well | the same | `streak` more and more seldom, until nothing waits: the mail that says that it is over says how many still do |
import type { Millis } from '../shared/clock.ts'
import type { ConnectionId, ProjectId } from '../shared/ids.ts'
import {
  SAMPLES_LIMIT,
  type FailureKind,
  type FailureRecord,
  type Letter,
  type Sample,
  type Words,
} from '../shared/notices/failure-record.ts'
import {
  beginStreak,
  endStreak,
  isDue,
  kindOf,
  newFailurePage,
  nextDrain,
  recover,
  spanBetween,
  type FailurePage,
} from './failure-page.ts'

/** Between two records of one connection: what happens meanwhile is told by the next. */
const LEAST_GAP: Millis = 1_000
/** The clock is asked more than once in the turn that ends an attempt. Less than the shortest retry topic waits. */
const SAME_TURN: Millis = 50
/** Successes in a row that end a streak: one may be luck. */
const SUCCESSES_IN_A_ROW = 2

/** A failed attempt. `wait`: until the delivery's next attempt; null when there is none. */
export type Failure = {
  readonly connection: ConnectionId
  readonly project: ProjectId
  readonly words: Words
  readonly wait: Millis | null
  /** Asked for only when it is kept: it costs a look into the record. */
  readonly sample: () => Sample
  /** Stands for the delivery: the same object for each of its attempts, until it goes through a retry topic. */
  readonly delivery: object
  /** In Unix milliseconds, of the delivery: it outlasts the object. */
  readonly firstFailedAt: Millis | null
}

export class FailureBook {
  readonly #member: string
  readonly #run: Millis
  readonly #failingAfter: Millis
  readonly #pages = new Map<ConnectionId, FailurePage>()

  /** @param failingAfter how long a streak lasts, or a delivery must wait, before it is called failing: short trouble ends in memory */
  constructor(member: string, run: Millis, failingAfter: Millis) {
    this.#member = member
    this.#run = run
    this.#failingAfter = failingAfter
  }

  /** On the path of every delivery: a look-up and a comparison while the connection is well. */
  succeeded(connection: ConnectionId, project: ProjectId): void {
    const page = this.#pages.get(connection) ?? this.#open(connection, project)
    if (page.since === null && !page.unknown) return
    page.delivered++
    page.successesInARow++
    page.nextTryAt = null
    // A short streak that nobody heard of ends here; so does what an earlier process may have told.
    if (page.state === 'well') {
      if (page.news === null) endStreak(page)
      if (page.unknown) page.news ??= 'recovered'
    } else if (page.successesInARow >= SUCCESSES_IN_A_ROW) recover(page)
    else if (page.state !== 'recovering') {
      page.state = 'recovering'
      page.news = 'recovering'
    }
  }

  failed(failure: Failure): void {
    const { connection, project, words, wait, sample, delivery } = failure
    const page = this.#pages.get(connection) ?? this.#open(connection, project)
    // The recovery was not told yet, and is none.
    const relapsed = page.news === 'recovered' && page.since !== null
    if (page.news === 'recovered') page.news = null
    if (page.since === null) beginStreak(page, words.at)
    page.failed++
    page.lastFailedAt = words.at
    page.last = words
    page.successesInARow = 0
    if (!page.seen.has(delivery) && !failedBefore(failure, page)) {
      page.seen.add(delivery)
      page.affected++
      if (page.samples.length < SAMPLES_LIMIT) page.samples.push(sample())
    }
    if (wait !== null) page.nextTryAt = earliest(page.nextTryAt, words.at, words.at + wait)
    if (page.state === 'open' || page.state === 'failing') return
    const lasts = spanBetween(page.since ?? words.at, words.at) >= this.#failingAfter
    if (relapsed || page.state === 'recovering' || lasts || (wait !== null && wait > this.#failingAfter)) {
      page.state = 'failing'
      page.news = 'failing'
    }
  }

  deadLettered(connection: ConnectionId, project: ProjectId, letter: Letter): void {
    const page = this.#pages.get(connection) ?? this.#open(connection, project)
    page.deadLettered++
    page.letters = [letter, ...page.letters].slice(0, SAMPLES_LIMIT)
    page.lettersUntold = true
  }

  /**
   * The circuit breaker's own transitions.
   * @param reason why it opened: `credentials`, `address-not-allowed`, …
   * @param nextTryAt when the next probe goes, in Unix milliseconds
   */
  breaker(
    connection: ConnectionId,
    project: ProjectId,
    to: 'open' | 'recovering' | 'recovered',
    now: Millis,
    { reason = null, nextTryAt = null }: { readonly reason?: string | null; readonly nextTryAt?: Millis | null } = {},
  ): void {
    const page = this.#pages.get(connection) ?? this.#open(connection, project)
    if (to === 'recovered') {
      // Its own successes have told of it already.
      if (page.state !== 'well') recover(page)
      return
    }
    if (page.since === null) beginStreak(page, now)
    page.state = to
    page.news = to
    page.reason = reason
    page.nextTryAt = nextTryAt
  }

  /**
   * What is to be told now.
   * @param waiting deliveries of each connection that have not ended; asked for at most once, for counting them costs
   */
  take(now: Millis, waiting: () => ReadonlyMap<string, number>): FailureRecord[] {
    const records: FailureRecord[] = []
    let counted: ReadonlyMap<string, number> | undefined
    for (const [connection, page] of this.#pages) {
      if (spanBetween(page.toldAt, now) < LEAST_GAP || !isDue(page, now)) continue
      counted ??= waiting()
      const waits = counted.get(connection) ?? 0
      // A single delivery that waited was the whole of it: no second success will come.
      if (page.state === 'recovering' && waits === 0) recover(page)
      const kind = kindOf(page, now)
      if (kind !== null) records.push(this.#tell(connection, page, kind, now, waits))
    }
    return records
  }

  /** Forgets connections that are no longer configured. */
  keepOnly(configured: (id: ConnectionId) => boolean): void {
    for (const id of this.#pages.keys()) if (!configured(id)) this.#pages.delete(id)
  }

  #open(connection: ConnectionId, project: ProjectId): FailurePage {
    const page = newFailurePage(project)
    this.#pages.set(connection, page)
    return page
  }

  #tell(connection: ConnectionId, page: FailurePage, kind: FailureKind, now: Millis, waiting: number): FailureRecord {
    const record: FailureRecord = {
      kind,
      state: page.state,
      connection,
      project: page.project,
      member: this.#member,
      run: this.#run,
      sequence: ++page.sequence,
      at: now,
      since: page.since,
      failed: page.failed,
      affected: page.affected,
      delivered: page.delivered,
      lastFailedAt: page.lastFailedAt,
      deadLettered: page.deadLettered,
      waiting,
      nextTryAt: page.nextTryAt,
      reason: page.reason,
      last: page.last,
      samples: [...page.samples],
      letters: page.lettersUntold ? page.letters : [],
    }
    page.toldAt = now
    page.lettersUntold = false
    if (kind !== 'dead-letters') {
      page.news = null
      page.unknown = false
    }
    page.drain = nextDrain(page, kind, waiting, now)
    if (kind === 'recovered') endStreak(page)
    return record
  }
}

/** It failed in this streak, and came back from a retry topic since. */
const failedBefore = ({ firstFailedAt, words }: Failure, { since }: FailurePage): boolean =>
  firstFailedAt !== null && since !== null && firstFailedAt >= since - SAME_TURN && firstFailedAt < words.at - SAME_TURN

const earliest = (known: Millis | null, now: Millis, next: Millis): Millis =>
  known === null || known <= now ? next : Math.min(known, next)
