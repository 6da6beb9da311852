// Which letters say what is out of date. Pure. Enter: candidates; then the records of the source topics behind them.
// Leave: the offset of the newest version of a candidate's case that its repeater forwards. Never: a form or an app change.
// A close block says nothing but that the case is closed, so it makes older states pointless only where it is not put back too.
import type { Change } from '../../shared/change.ts'
import { isFullState } from '../../shared/forwarding/is-full-state.ts'
import { matchRepeaters } from '../../shared/forwarding/match-repeaters.ts'
import type { Repeater } from '../../shared/forwarding/repeater.ts'
import { partitionOf } from '../../shared/kafka/murmur2.ts'
import { versionOf } from '../../shared/kafka/version-base.ts'
import { deliveryOf, laneOf, type Candidate } from './judge-letter.ts'
import type { LetterSource } from './letter.ts'

/** Where a change lies. */
export type SourcePlace = { readonly topic: string; readonly partition: number; readonly offset: number }
type Found = SourcePlace & { readonly base: number }
type Newest = { full: Found | null; closeOnly: Found | null }
type Lane = { readonly repeater: Repeater; readonly newest: Newest }

export class NewerVersions {
  readonly #basesOf: (topic: string) => readonly number[]
  readonly #lanes = new Map<string, Lane>()
  /** By topic, partition and case: the lanes of its repeaters. */
  readonly #byCase = new Map<string, Lane[]>()
  readonly #keys = new Set<string>()
  readonly #from = new Map<string, Map<number, number>>()

  /** @param basesOf a topic's bases, by partition, as they are now; of a topic that nobody has seen, none */
  constructor(candidates: Iterable<Candidate>, basesOf: (topic: string) => readonly number[] = () => []) {
    this.#basesOf = basesOf
    for (const candidate of candidates) if (candidate.isState) this.#await(candidate)
  }

  /** Where to read: by topic, by partition, the offset to begin at. */
  get from(): ReadonlyMap<string, ReadonlyMap<number, number>> {
    return this.#from
  }

  /** Whether a record with this key has to be read. */
  concerns(key: Buffer | null): boolean {
    return key !== null && this.#keys.has(key.toString('utf8'))
  }

  /** @param change null where the value could not be read: it counts as a full state that every repeater forwards */
  note(place: SourcePlace, caseId: string, change: Change | null): void {
    const { topic, partition } = place
    const found = { ...place, base: this.#baseOf(topic, partition) }
    for (const { repeater, newest } of this.#byCase.get(`${topic} ${partition} ${caseId}`) ?? []) {
      if (change !== null && matchRepeaters(change, [repeater]).length === 0) continue
      if (change === null || isFullState(change, repeater)) newest.full = newer(newest.full, found)
      else newest.closeOnly = newer(newest.closeOnly, found)
    }
  }

  /**
   * @param planned deliveries (see `deliveryOf`) that are put back as well
   * @returns the offset of the version that makes the candidate pointless; null when there is none
   */
  supersedes(candidate: Candidate, planned: ReadonlySet<string>): number | null {
    const newest = candidate.isState ? this.#lanes.get(laneOf(candidate))?.newest : undefined
    if (!newest) return null
    const { source, repeater } = candidate
    const { full, closeOnly } = newest
    if (full && isNewer(full, source)) return (newer(closeOnly, full) ?? full).offset
    if (!closeOnly || !isNewer(closeOnly, source)) return null
    return planned.has(deliveryOf(repeater.id, closeOnly)) ? null : closeOnly.offset
  }

  #await(candidate: Candidate): void {
    const { repeater, source, case: caseId, sourceKey } = candidate
    const { topic, partition, offset } = source
    this.#keys.add(caseId)
    if (sourceKey !== null) this.#keys.add(sourceKey)
    // Behind itself: only a newer one counts. All that its topic has now is, where that was made anew since.
    this.#readFrom(topic, partition, this.#isOfNow(source) ? offset + 1 : 0)
    const home = this.#homeOf(candidate)
    if (home !== partition) this.#readFrom(topic, home, 0)
    const name = laneOf(candidate)
    if (this.#lanes.has(name)) return
    const lane: Lane = { repeater, newest: { full: null, closeOnly: null } }
    this.#lanes.set(name, lane)
    for (const place of new Set([partition, home])) {
      const ofCase = `${topic} ${place} ${caseId}`
      this.#byCase.set(ofCase, [...(this.#byCase.get(ofCase) ?? []), lane])
    }
  }

  #readFrom(topic: string, partition: number, offset: number): void {
    const offsets = this.#from.get(topic) ?? new Map<number, number>()
    this.#from.set(topic, offsets)
    offsets.set(partition, Math.min(offset, offsets.get(partition) ?? Infinity))
  }

  /** Its case has another partition since the topic got, or was made anew with, others: what is newer is there. */
  #homeOf({ source, sourceKey, case: caseId }: Candidate): number {
    const { length } = this.#basesOf(source.topic)
    if (length <= 1) return source.partition
    const home = partitionOf(Buffer.from(sourceKey ?? caseId), length)
    return this.#baseOf(source.topic, home) > source.base ? home : source.partition
  }

  #baseOf(topic: string, partition: number): number {
    return this.#basesOf(topic)[partition] ?? 0
  }

  /** Of the log that its topic has there now. */
  #isOfNow({ topic, partition, base }: LetterSource): boolean {
    const bases = this.#basesOf(topic)
    return bases.length === 0 || bases[partition] === base
  }
}

const isNewer = (one: Pick<Found, 'base' | 'offset'>, other: Pick<Found, 'base' | 'offset'>): boolean =>
  versionOf(one) > versionOf(other)
const newer = (known: Found | null, found: Found | null): Found | null =>
  !known || (found && isNewer(found, known)) ? found : known
