// What versions the records of the sources have, and which of their partitions are read: looked up for the group, and kept in the
// configuration topic. Enter: the topics as the brokers have them. Leave: a record on the configuration topic where one is due.
// MUST: the record is acknowledged before a version is given by it: whoever comes next must not begin below.
import type { Clock, Millis } from '../shared/clock.ts'
import { errorText } from '../shared/error-text.ts'
import type { Directory } from '../shared/forwarding/directory.ts'
import { judgeTopic, raiseBase, type Judgement, type TopicVersions } from '../shared/forwarding/topic-versions.ts'
import type { VersionBook } from '../shared/kafka/read-positions.ts'
import { ProduceError } from '../shared/kafka/producer.ts'
import type { TopicIdentity } from '../shared/kafka/topic-identities.ts'
import type { Log } from '../shared/log.ts'

/** Brokers hear of a topic within seconds. */
const LAGS_AT_MOST: Millis = 60_000
const PUT_WITHIN: Millis = 5_000

type Options = {
  readonly topics: readonly string[]
  readonly directory: Pick<Directory, 'source' | 'isSourceUnsaid'>
  /** Resolves when it is acknowledged, and in force here. */
  readonly put: (versions: TopicVersions) => Promise<void>
  readonly clock: Pick<Clock, 'monotonic' | 'sleep'>
  readonly log: Log
  /** The cluster takes no record of ours, and never will: somebody has to grant a right. */
  readonly fail: (error: unknown) => void
}

export class SourceVersions implements VersionBook {
  readonly #options: Options
  readonly #waiting = new Map<string, number>()
  readonly #outdatedSince = new Map<string, Millis>()

  constructor(options: Options) {
    this.#options = options
  }

  get topics(): readonly string[] {
    return this.#options.topics
  }

  async meet(seen: ReadonlyMap<string, TopicIdentity>): Promise<void> {
    for (const [topic, identity] of seen) await this.#meetOne(topic, identity)
  }

  async #meetOne(topic: string, identity: TopicIdentity): Promise<void> {
    const { directory, put, clock, log } = this.#options
    const known = directory.source(topic)
    // Begun anew as if nothing had been on record, versions would fall.
    if (!known && directory.isSourceUnsaid(topic)) return
    const since = this.#outdatedSince.get(topic) ?? clock.monotonic()
    const judged = judgeTopic(topic, known, identity, clock.monotonic() - since > LAGS_AT_MOST)
    if (judged.kind === 'outdated') {
      this.#outdatedSince.set(topic, since)
      throw new Error(`a broker still names the ${topic} that was there before`)
    }
    this.#outdatedSince.delete(topic)
    this.#count(topic, judged)
    if ('versions' in judged) {
      await this.#put(judged.versions)
      if (judged.kind === 'made-anew')
        log.error('source-made-anew', { topic, base: judged.versions.bases[0], id: identity.id })
    } else if (known && directory.isSourceUnsaid(topic)) {
      // Nothing hangs on it here.
      put(known).catch((error: unknown) => log.warn('source-record-unwritten', { topic, error: errorText(error) }))
    }
  }

  /** @throws Error when it takes longer: a member that joins must be heard of */
  async #put(versions: TopicVersions): Promise<void> {
    const over = new AbortController()
    const isLate = this.#options.clock.sleep(PUT_WITHIN, over.signal).then(() => {
      if (!over.signal.aborted) throw new Error(`the brokers do not take the record of ${versions.topic}`)
    })
    try {
      await Promise.race([this.#options.put(versions), isLate])
    } catch (error) {
      if (error instanceof ProduceError) this.#options.fail(error)
      throw error
    } finally {
      over.abort()
    }
  }

  baseOf(topic: string, partition: number): number | undefined {
    return this.#options.directory.source(topic)?.bases[partition]
  }

  /** Until somebody has seen the topic, all that there are. */
  countOf(topic: string): number {
    return this.#options.directory.source(topic)?.bases.length ?? Infinity
  }

  async raise(topic: string, partition: number, base: number): Promise<void> {
    const known = this.#options.directory.source(topic)
    if (known) await this.#put(raiseBase(known, partition, base))
  }

  /** Of the source of which most partitions are read. */
  get mostRead(): number {
    return Math.max(...this.topics.map((topic) => this.countOf(topic)))
  }

  /** By topic: partitions that were added and are not read until an operator says so. */
  get waiting(): ReadonlyMap<string, number> {
    return this.#waiting
  }

  #count(topic: string, judged: Judgement): void {
    const partitions = judged.kind === 'grown' ? judged.added : 0
    if (partitions > 0 && this.#waiting.get(topic) !== partitions)
      this.#options.log.warn('source-partitions-added', { topic, partitions, fix: 'run: npx onward topics accept' })
    this.#waiting.set(topic, partitions)
  }
}
