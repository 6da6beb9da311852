// Which letters say what is out of date. Pure. Enter: candidates; then the records of the source topics behind them.
// Leave: the offset of the newest version of a candidate's case that its repeater forwards. Never: a form or an app change.
// A close block says nothing but that the case is closed, so it makes older states pointless only where it is not put back too.
import type { Change } from '../../shared/change.ts'
import { isFullState } from '../../shared/forwarding/is-full-state.ts'
import { matchRepeaters } from '../../shared/forwarding/match-repeaters.ts'
import type { Repeater } from '../../shared/forwarding/repeater.ts'
import { deliveryOf, laneOf, type Candidate } from './judge-letter.ts'

type Newest = { full: number; closeOnly: number }
type Lane = { readonly repeater: Repeater; readonly newest: Newest }

export type SourcePlace = { readonly topic: string; readonly partition: number; readonly offset: number }

export class NewerVersions {
  readonly #lanes = new Map<string, Lane>()
  /** By topic, partition and case: the lanes of its repeaters. */
  readonly #byCase = new Map<string, Lane[]>()
  readonly #keys = new Set<string>()
  readonly #from = new Map<string, Map<number, number>>()

  constructor(candidates: Iterable<Candidate>) {
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
  note({ topic, partition, offset }: SourcePlace, caseId: string, change: Change | null): void {
    for (const { repeater, newest } of this.#byCase.get(`${topic} ${partition} ${caseId}`) ?? []) {
      if (change !== null && matchRepeaters(change, [repeater]).length === 0) continue
      if (change === null || isFullState(change, repeater)) newest.full = Math.max(newest.full, offset)
      else newest.closeOnly = Math.max(newest.closeOnly, offset)
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
    if (newest.full > source.offset) return Math.max(newest.full, newest.closeOnly)
    if (newest.closeOnly <= source.offset) return null
    return planned.has(deliveryOf(repeater.id, { ...source, offset: newest.closeOnly })) ? null : newest.closeOnly
  }

  #await(candidate: Candidate): void {
    const { repeater, source, case: caseId, sourceKey } = candidate
    const { topic, partition, offset } = source
    this.#keys.add(caseId)
    if (sourceKey !== null) this.#keys.add(sourceKey)
    const offsets = this.#from.get(topic) ?? new Map<number, number>()
    this.#from.set(topic, offsets)
    // Behind itself: only a newer one counts.
    offsets.set(partition, Math.min(offset + 1, offsets.get(partition) ?? Infinity))
    const name = laneOf(candidate)
    if (this.#lanes.has(name)) return
    const lane: Lane = { repeater, newest: { full: -1, closeOnly: -1 } }
    this.#lanes.set(name, lane)
    const ofCase = `${topic} ${partition} ${caseId}`
    this.#byCase.set(ofCase, [...(this.#byCase.get(ofCase) ?? []), lane])
  }
}
