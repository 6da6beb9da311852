// Keeps an eye on the source topics: one that is made anew, or gets partitions, says so to nobody. Enter: the group that reads them,
// and word that what is on record of a topic has changed, here or by another process. Leave: the group shares its numbers again.
import type { Clock, Millis } from '../shared/clock.ts'
import type { JoinedGroup } from '../shared/kafka/group.ts'
import type { PartitionTask } from './partition-task.ts'
import type { SourceVersions } from './source-versions.ts'

/**
 * How long a topic that was made anew under a running forwarder may be read as if it were the old one: where it has more records by
 * then than the old one had, what is read of those comes again, in order, under higher versions. One small request.
 */
const LOOK_EVERY: Millis = 1_000

type Options = {
  readonly versions: SourceVersions
  /** What this process owns, by number. */
  readonly tasks: ReadonlyMap<number, PartitionTask>
  readonly clock: Clock
  readonly fail: (error: unknown) => void
}

export class SourceWatch {
  readonly #options: Options
  readonly #counts = new Map<string, number>()
  #group: Pick<JoinedGroup, 'meetTopics' | 'joinAgain'> | undefined

  constructor(options: Options) {
    this.#options = options
    for (const topic of options.versions.topics) this.#counts.set(topic, options.versions.countOf(topic))
  }

  /** From now on, until the signal aborts. */
  start(group: Pick<JoinedGroup, 'meetTopics' | 'joinAgain'>, signal: AbortSignal): void {
    this.#group = group
    this.#look(signal).catch(this.#options.fail)
    for (const topic of this.#options.versions.topics) this.changed(topic)
  }

  /** What is on record of the topic may be another. */
  changed(topic: string): void {
    const { versions, tasks } = this.#options
    // What the group is told before it is joined, it is told by the join.
    if (!this.#group || !versions.topics.includes(topic)) return
    const before = this.#counts.get(topic)
    const count = versions.countOf(topic)
    this.#counts.set(topic, count)
    const stale = [...tasks.values()].flatMap(({ number, sources }) => {
      const source = sources.get(topic)
      return source && source.base < (versions.baseOf(topic, number) ?? 0) ? [number] : []
    })
    // Nothing was on record before: every partition was dealt out, and is now.
    const isShared = before === count || before === Infinity
    if (stale.length > 0 || !isShared) this.#group.joinAgain(stale)
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { clock, versions } = this.#options
    for (;;) {
      await clock.sleep(LOOK_EVERY, signal)
      if (signal.aborted) return
      await this.#group?.meetTopics()
      // Also what changed while a partition was being taken.
      for (const topic of versions.topics) this.changed(topic)
    }
  }
}
