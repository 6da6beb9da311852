// Commits for the partitions we own: what completed, and what is about to be attempted, in one request for all.
// Enter: the sources' offset maps. Leave: acknowledged offsets, and each source's reservation raised with them.
// MUST: nothing is committed for a partition after it was given up; a report is acknowledged before the offsets it tells of
// are committed, so that what a commit hides is in the log.
import type { Clock, Millis } from '../shared/clock.ts'
import type { CommitEntry, Group } from '../shared/kafka/group.ts'
import type { Commit } from './offset-map.ts'
import { reserveAhead, type LogProgress, type SourceProgress } from './partition-task.ts'
import type { Report } from './report.ts'

/** What a crash may repeat of finished work. */
export const COMMIT_EVERY: Millis = 250
/** For the last commit of what is given up: beyond it the next owner repeats what was finished since the one before. */
const LAST_COMMIT: Millis = 3_000
/** While the group rebalances it takes no commit. */
const LAST_COMMIT_AGAIN_AFTER: Millis = 50

type Options = {
  readonly report: Report
  readonly clock: Clock
  readonly sources: () => Iterable<SourceProgress>
  readonly tiers: () => Iterable<LogProgress>
  /** False while memory is full: what is not going to be read is not reserved either. */
  readonly isReading: () => boolean
  /** Its reservation rose: lanes that waited for that may go. */
  readonly onReserved: (source: SourceProgress) => void
  /** Before each commit that comes with time. */
  readonly onTick: () => void
  readonly fail: (error: unknown) => void
}

/** `nothing`: there was nothing to commit. */
type Result = Awaited<ReturnType<Group['commit']>> | 'nothing'
type Taken = { readonly log: LogProgress; readonly source: SourceProgress | null; readonly commit: Commit }

export class Commits {
  readonly #options: Options
  #group: Group | undefined
  #committing: Promise<Result> = Promise.resolve('nothing')
  /** A commit waits for the one under way: it takes what completes until then. */
  #queued = false
  #cancel: (() => void) | undefined
  #onTheWire: Promise<unknown> = Promise.resolve()
  /** How often partitions were given up. */
  #givenUp = 0

  constructor(options: Options) {
    this.#options = options
  }

  use(group: Group): void {
    this.#group = group
  }

  /** From now on, a few times a second. */
  start(): void {
    if (this.#cancel) return
    const cancel = this.#options.clock.after(COMMIT_EVERY, () => {
      this.#options.onTick()
      this.now()
        .then(() => {
          if (this.#cancel !== cancel) return
          this.#cancel = undefined
          this.start()
        })
        .catch(this.#options.fail)
    })
    this.#cancel = cancel
  }

  /** Nothing is owned any more. */
  stop(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }

  /** Reading has come near the reservation: the next commit is not waited for. */
  reserveSoon(source: SourceProgress): void {
    if (this.#queued || source.offsets.reserved - source.position >= reserveAhead(source) / 2) return
    this.now().catch(this.#options.fail)
  }

  /** The last commit of partitions that are given up. What was not committed by now counts for nobody. */
  async giveUp(): Promise<void> {
    const { clock } = this.#options
    const over = new AbortController()
    const isLate = clock.sleep(LAST_COMMIT, over.signal).then((): Result => 'nothing')
    while ((await Promise.race([this.now(), isLate])) === 'failed') await clock.sleep(LAST_COMMIT_AGAIN_AFTER)
    over.abort()
    this.#givenUp++
    // Landing after the positions were read for whoever is next, ourselves perhaps, it would be taken back by their first commit.
    await this.#onTheWire
  }

  /** One request for all that completed since the last one; a second caller waits its turn. */
  now(): Promise<Result> {
    this.#queued = true
    this.#committing = this.#committing.then(() => {
      this.#queued = false
      return this.#commit()
    })
    return this.#committing
  }

  async #commit(): Promise<Result> {
    const { report, sources, tiers, isReading, onReserved } = this.#options
    // One snapshot of all: a version must not be shown as finished while the commit leaves out an older one of its lane.
    const taken: Taken[] = []
    for (const source of sources()) {
      const commit = source.offsets.takeCommit(source.position + (isReading() ? reserveAhead(source) : 0))
      if (commit) taken.push({ log: source, source, commit })
    }
    for (const log of tiers()) {
      const commit = log.offsets.takeCommit(0)
      if (commit) taken.push({ log, source: null, commit })
    }
    const givenUp = this.#givenUp
    await report.flush()
    // Given up meanwhile: committed now, these offsets would count as the next generation's and take back what its owner committed.
    if (givenUp !== this.#givenUp) {
      for (const { log } of taken) log.offsets.markChanged()
      return 'failed'
    }
    if (taken.length === 0) return 'nothing'
    const entries = taken.map(({ log, commit }): CommitEntry => {
      return { topic: log.topic, partition: log.partition, offset: commit.offset, metadata: commit.metadata }
    })
    const sent = this.#group?.commit(entries)
    this.#onTheWire = sent ?? Promise.resolve()
    const result = (await sent) ?? 'failed'
    for (const { log, source, commit } of taken) {
      if (result !== 'committed') {
        log.offsets.markChanged()
        continue
      }
      log.committed = commit.offset
      log.offsets.fences.confirm(commit.epoch)
      if (source && commit.reserved > source.reserved) {
        source.reserved = commit.reserved
        onReserved(source)
      }
    }
    return result
  }
}
