// What versions the records of the sources have, and which of their partitions are read: looked up for the group, and kept in the
// configuration topic. Enter: the topics as the brokers have them. Leave: a record on the configuration topic where one is due.
// MUST: the record is acknowledged before a version is given by it: whoever comes next must not begin below.
import type { Directory } from '../shared/forwarding/directory.ts'
import { judgeTopic, type TopicVersions } from '../shared/forwarding/topic-versions.ts'
import type { TopicIdentity, VersionBook } from '../shared/kafka/topic-identities.ts'
import { areOfOneLog } from '../shared/kafka/version-base.ts'
import type { Log } from '../shared/log.ts'

type Options = {
  readonly topics: readonly string[]
  readonly directory: Pick<Directory, 'source' | 'refusesSource'>
  /** Resolves when it is acknowledged, and in force here. */
  readonly put: (versions: TopicVersions) => Promise<void>
  readonly log: Log
}

export class SourceVersions implements VersionBook {
  readonly #options: Options
  readonly #waiting = new Map<string, number>()

  constructor(options: Options) {
    this.#options = options
  }

  get topics(): readonly string[] {
    return this.#options.topics
  }

  async meet(seen: ReadonlyMap<string, TopicIdentity>): Promise<void> {
    const { directory, put, log } = this.#options
    for (const [topic, identity] of seen) {
      const known = directory.source(topic)
      // Begun anew as if nothing had been on record, versions would fall.
      if (!known && directory.refusesSource(topic)) continue
      const judged = judgeTopic(topic, known, identity)
      this.#setWaiting(topic, judged.kind === 'grown' ? judged.added : 0)
      if (judged.kind === 'made-anew')
        log.error('source-made-anew', { topic, base: judged.versions.bases[0], id: identity.id })
      if (judged.kind === 'first-seen' || judged.kind === 'made-anew') await put(judged.versions)
    }
  }

  baseOf(topic: string, partition: number): number | undefined {
    return this.#options.directory.source(topic)?.bases[partition]
  }

  /** Until somebody has seen the topic, all that there are. */
  countOf(topic: string): number {
    return this.#options.directory.source(topic)?.bases.length ?? Infinity
  }

  /** Of the source of which most partitions are read. */
  get mostRead(): number {
    return Math.max(...this.topics.map((topic) => this.countOf(topic)))
  }

  /** What is read there is of the log that the topic has now. */
  isOfNow(topic: string, partition: number, base: number): boolean {
    const now = this.baseOf(topic, partition)
    return now !== undefined && areOfOneLog(now, base)
  }

  /** By topic: partitions that were added and are not read until an operator says so. */
  get waiting(): ReadonlyMap<string, number> {
    return this.#waiting
  }

  #setWaiting(topic: string, partitions: number): void {
    if (partitions > 0 && this.#waiting.get(topic) !== partitions)
      this.#options.log.warn('source-partitions-added', { topic, partitions, fix: 'run: npx onward topics accept' })
    this.#waiting.set(topic, partitions)
  }
}
