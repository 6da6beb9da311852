// What of our lanes lies in the retry topics: for each lane the versions whose copies are not finished. Pure.
// A version enters before its copy is appended and leaves when its copy is finished, so that it is never believed to be gone
// while a copy may still come. The set is exact: a version in it is somebody's copy, any other is not, whatever is larger.
// MUST: of several copies of a version all are finished before the last one is taken. One that was left when its version had
// ended would be believed by the next owner, and send an old version again behind its successors.
import type { RepeaterId } from '../shared/ids.ts'
import type { Millis } from '../shared/clock.ts'
import type { LaneName } from './delivery.ts'
import { LaneTable, type ParkedVersion } from './lane-table.ts'

export class ParkedVersions {
  /** By topic and repeater: two topics have the same versions. */
  readonly #byTopic = new Map<string, Map<RepeaterId, LaneTable>>()
  /** Copies beyond the first: a crash between a copy and the commit of what it replaced leaves two. */
  readonly #surplus = new Map<string, number>()

  /** @param dueAt by the steady clock */
  add({ topic, repeater, caseId }: LaneName, version: ParkedVersion, dueAt: Millis): void {
    let ofTopic = this.#byTopic.get(topic)
    if (!ofTopic) this.#byTopic.set(topic, (ofTopic = new Map<RepeaterId, LaneTable>()))
    let lanes = ofTopic.get(repeater)
    if (!lanes) ofTopic.set(repeater, (lanes = new LaneTable()))
    lanes.add(caseId, version, dueAt)
  }

  /** As `add`, for a copy that is found in a retry topic: there may be others of its version. */
  addFound(lane: LaneName, version: ParkedVersion, dueAt: Millis): void {
    if (this.has(lane, version.version)) {
      const name = nameOf(lane, version.version)
      this.#surplus.set(name, (this.#surplus.get(name) ?? 0) + 1)
    }
    this.add(lane, version, dueAt)
  }

  /** A copy of a parked version has come. @returns true when another is still to come, and this one is passed over */
  takeSurplus(lane: LaneName, version: number): boolean {
    if (this.#surplus.size === 0) return false
    const name = nameOf(lane, version)
    const surplus = this.#surplus.get(name) ?? 0
    if (surplus > 1) this.#surplus.set(name, surplus - 1)
    else this.#surplus.delete(name)
    return surplus > 0
  }

  remove({ topic, repeater, caseId }: LaneName, version: number): void {
    const ofTopic = this.#byTopic.get(topic)
    const lanes = ofTopic?.get(repeater)
    lanes?.remove(caseId, version)
    if (lanes?.lanes === 0) ofTopic?.delete(repeater)
    if (ofTopic?.size === 0) this.#byTopic.delete(topic)
  }

  /** The version and all its copies: those that still come are nobody's. */
  removeAll(lane: LaneName, version: number): void {
    this.#surplus.delete(nameOf(lane, version))
    this.remove(lane, version)
  }

  /** Everything of a repeater, of every topic. */
  forget(repeater: RepeaterId): void {
    for (const [topic, ofTopic] of this.#byTopic) {
      ofTopic.delete(repeater)
      if (ofTopic.size === 0) this.#byTopic.delete(topic)
      for (const name of this.#surplus.keys()) if (name.startsWith(`${topic} ${repeater} `)) this.#surplus.delete(name)
    }
  }

  has(lane: LaneName, version: number): boolean {
    return this.#tableOf(lane)?.has(lane.caseId, version) === true
  }

  /** A version older than this one is parked: whoever is newer waits for it. */
  holdsOlder(lane: LaneName, version: number): boolean {
    const oldest = this.#tableOf(lane)?.oldest(lane.caseId)
    return oldest !== undefined && oldest < version
  }

  /** Older ones first, as far as `below`, exclusive. */
  olderThan(lane: LaneName, below: number): Iterable<number> {
    return this.#tableOf(lane)?.olderThan(lane.caseId, below) ?? []
  }

  /** Full states newer than `version`: each says all that the older one would. */
  newerFull(lane: LaneName, version: number): readonly ParkedVersion[] {
    return this.#tableOf(lane)?.newerFull(lane.caseId, version) ?? []
  }

  /** When the version that was parked last is due; undefined for a lane that has none. */
  dueAt(lane: LaneName): Millis | undefined {
    return this.#tableOf(lane)?.dueAt(lane.caseId)
  }

  /** How many versions of a repeater there are, of all topics. */
  versionsOf(repeater: RepeaterId): number {
    let count = 0
    for (const ofTopic of this.#byTopic.values()) count += ofTopic.get(repeater)?.versions ?? 0
    return count
  }

  /** Versions and lanes of each repeater, once for each topic that it has any of. */
  *counts(): Iterable<readonly [RepeaterId, { readonly versions: number; readonly lanes: number }]> {
    for (const ofTopic of this.#byTopic.values())
      for (const [repeater, { versions, lanes }] of ofTopic) yield [repeater, { versions, lanes }]
  }

  get isEmpty(): boolean {
    return this.#byTopic.size === 0
  }

  #tableOf({ topic, repeater }: LaneName): LaneTable | undefined {
    return this.#byTopic.get(topic)?.get(repeater)
  }
}

const nameOf = ({ topic, repeater, caseId }: LaneName, version: number): string =>
  `${topic} ${repeater} ${version} ${caseId}`
