// The brokers in virtual time, as far as a forwarder meets them: logs that only grow until their topic is made anew, offsets that are
// committed under the generation in force, and what a member finds when it is given partitions. Enter: records and commits. Leave: the same, later.
// It knows every copy in the retry topics, so that somebody may ask what would be lost if everybody died now.
import type { FetchedRecord, CommitEntry } from '../../services/shared/kafka/group.ts'
import type { PlacedRecord } from '../../services/shared/kafka/appender.ts'
import { startPosition, type StartPosition } from '../../services/shared/kafka/start-position.ts'
import { baseAbove, markBase, readMark } from '../../services/shared/kafka/version-base.ts'
import { readRetryHeader, RETRY_HEADER, versionIn, type RetryHeader } from '../../services/shared/wire/retry-header.ts'
import { readMap } from '../../services/shared/kafka/commit-map.ts'
import type { VirtualTime } from './virtual-time.ts'
import { BEGAN_AT } from './virtual-time.ts'

/** A delivery as its idempotency key names it: `demo/never:cases:0:7`, whatever run put it back. */
export type DeliveryName = string

/** A record of a retry topic, or of the one for what operators put back. */
export type Copy = {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly header: RetryHeader
  readonly case: string
  readonly delivery: DeliveryName
  /** Milliseconds since the world began. */
  readonly appendedAt: number
}

type Committed = {
  readonly offset: number
  readonly metadata: string
  readonly said: ReturnType<typeof readMap>
}

const NONE: readonly Copy[] = []

export class Broker {
  readonly #time: VirtualTime
  readonly #logs = new Map<string, FetchedRecord[]>()
  readonly #committed = new Map<string, Committed>()
  /** Aligned with the logs of the retry topics. */
  readonly #copies = new Map<string, Copy[]>()
  readonly #byDelivery = new Map<DeliveryName, Copy[]>()
  /** Whose records anybody may append at any time: no epoch says which of them count. */
  readonly #foreign: string
  /** Of the sources, as the configuration has them. */
  readonly #bases: Map<string, number>
  readonly #partitions: number

  /** @param foreign the topic that operators write to */
  constructor(
    time: VirtualTime,
    sources: readonly string[],
    retries: readonly string[],
    foreign: string,
    partitions: number,
  ) {
    this.#time = time
    this.#foreign = foreign
    this.#bases = new Map(sources.map((topic) => [topic, 0]))
    this.#partitions = partitions
    for (let partition = 0; partition < partitions; partition++) {
      for (const topic of [...sources, ...retries]) this.#logs.set(nameOf(topic, partition), [])
      for (const topic of retries) this.#copies.set(nameOf(topic, partition), [])
    }
  }

  log(topic: string, partition: number): FetchedRecord[] {
    const log = this.#logs.get(nameOf(topic, partition))
    if (!log) throw new Error(`there is no ${nameOf(topic, partition)}`)
    return log
  }

  /** Records of retry topics, as a request brings them. @returns by partition, the offset behind the last */
  append(topic: string, records: readonly PlacedRecord[]): ReadonlyMap<number, number> {
    const ends = new Map<number, number>()
    for (const { partition, key, value, headers } of records) {
      const log = this.log(topic, partition)
      const offset = log.length
      const bytes = (part: Buffer | string | null) => (typeof part === 'string' ? Buffer.from(part) : part)
      log.push({
        offset: String(offset),
        timestamp: String(BEGAN_AT + Math.round(this.#time.now)),
        key: bytes(key),
        value: bytes(value),
        ...(headers ? { headers } : {}),
      })
      ends.set(partition, log.length)
      const read = readRetryHeader(headers?.[RETRY_HEADER], partition)
      if (read.kind === 'malformed') throw new Error(`appended to ${topic}: ${read.error}`)
      const { header } = read
      const delivery = `${header.repeater}:${header.topic}:${header.partition}:${versionIn(header)}`
      const copy = { topic, partition, offset, header, case: String(key), delivery, appendedAt: this.#time.now }
      this.#copies.get(nameOf(topic, partition))?.push(copy)
      const ofDelivery = this.#byDelivery.get(delivery)
      if (ofDelivery) ofDelivery.push(copy)
      else this.#byDelivery.set(delivery, [copy])
    }
    return ends
  }

  copiesIn(topic: string, partition: number): readonly Copy[] {
    return this.#copies.get(nameOf(topic, partition)) ?? NONE
  }

  copiesOf(delivery: DeliveryName): readonly Copy[] {
    return this.#byDelivery.get(delivery) ?? NONE
  }

  // ── commits ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** 0 where it is of a topic that is no more, or of one that was not there yet. */
  committed({ topic, partition, metadata }: Omit<CommitEntry, 'offset'>): number {
    const committed = this.#committed.get(nameOf(topic, partition))
    return committed && baseIn(committed.metadata) === baseIn(metadata) ? committed.offset : 0
  }

  /** Shown as complete by the last commit, or gone with its topic. */
  isComplete(topic: string, partition: number, version: number): boolean {
    const base = this.baseOf(topic)
    const committed = this.#committed.get(nameOf(topic, partition))
    if (version < base) return true
    const isOfNow = committed !== undefined && (!this.#bases.has(topic) || baseIn(committed.metadata) === base)
    return isOfNow && isCompleteIn(committed.offset, committed.said.finished, version - base)
  }

  /** Whoever is given the partition next would believe in it. */
  counts({ topic, partition, offset, header }: Copy): boolean {
    if (this.isComplete(topic, partition, offset)) return false
    const fences = this.#committed.get(nameOf(topic, partition))?.said.fences ?? []
    return topic === this.#foreign || !fences.some((fence) => offset >= fence.offset && header.epoch < fence.epoch)
  }

  /** 0 where no commit holds one. */
  committedEpoch(topic: string, partition: number): number {
    return this.#committed.get(nameOf(topic, partition))?.said.fences.at(-1)?.epoch ?? 0
  }

  commit({ topic, partition, offset, metadata }: CommitEntry): void {
    this.#committed.set(nameOf(topic, partition), { offset, metadata, said: readMap(offset, metadata) })
  }

  /** Where a member begins that is given the partition now. */
  positionOf(topic: string, partition: number): StartPosition {
    const log = this.log(topic, partition)
    const committed = this.#committed.get(nameOf(topic, partition)) ?? { offset: -1, metadata: '' }
    const position = startPosition(topic, partition, {
      base: this.#bases.get(topic) ?? null,
      committed,
      cutAt: 0,
      edges: { earliest: 0, latest: log.length },
      startFrom: 'earliest',
    })
    const { base, offset, commit } = position
    if (commit === null) this.commit({ topic, partition, offset, metadata: markBase(base, '') })
    return position
  }

  // ── a source topic that is deleted and made anew ────────────────────────────────────────────────────────────────────

  /** 0 for a topic that has no versions. */
  baseOf(topic: string): number {
    return this.#bases.get(topic) ?? 0
  }

  /** What was committed for it goes with it. Who lives commits for it all the same, until it has heard. */
  makeAnew(topic: string): void {
    this.#bases.set(topic, baseAbove([this.baseOf(topic)]))
    for (let partition = 0; partition < this.#partitions; partition++) {
      this.#logs.set(nameOf(topic, partition), [])
      this.#committed.delete(nameOf(topic, partition))
    }
  }
}

const baseIn = (metadata: string): number => readMark(metadata)?.base ?? 0

export const nameOf = (topic: string, partition: number): string => `${topic}/${partition}`

export const isCompleteIn = (
  watermark: number,
  finished: readonly { readonly from: number; readonly to: number }[],
  offset: number,
): boolean => offset < watermark || finished.some(({ from, to }) => offset >= from && offset < to)
