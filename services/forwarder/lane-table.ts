// The parked versions of one repeater's lanes, in little memory. Pure: a million lanes cost about 60 bytes each.
// A lane is found by 64 bits of a hash of its case and recognised by 32 more; two cases that agree in the first and differ in
// the others are kept by their ids, so that no lane ever answers for another.

/** Versions stay below 2^51: the two lowest bits of an entry hold the rest. */
export type ParkedVersion = {
  readonly version: number
  /** It says all there is of its case. */
  readonly full: boolean
  /** It may have reached the remote: an older one that did not must not follow it. */
  readonly attempted: boolean
}

export type HashCase = (caseId: string) => readonly [place: number, rest: number, check: number]

const SMALLEST = 16
const FREE = -1
/** Its lane has several versions: they are in `#several`, by slot. */
const SEVERAL = -2
/** A slot that was used: what lies behind it must still be found. */
const GONE = -3

export class LaneTable {
  readonly #hash: HashCase
  #capacity = SMALLEST
  #used = 0
  #places = new Uint32Array(SMALLEST)
  #rests = new Uint32Array(SMALLEST)
  #checks = new Uint32Array(SMALLEST)
  /** One encoded version, or one of the marks above. */
  #entries = new Float64Array(SMALLEST).fill(FREE)
  #dueAts = new Float64Array(SMALLEST)
  #several = new Map<number, number[]>()
  /** Cases whose first 64 bits belong to another. */
  readonly #collided = new Map<string, { entries: number[]; dueAt: number }>()
  #lanes = 0
  #versions = 0

  constructor(hash: HashCase = hashCase) {
    this.#hash = hash
  }

  /** Lanes with at least one version. */
  get lanes(): number {
    return this.#lanes
  }

  get versions(): number {
    return this.#versions
  }

  /** Slots, free ones too: 40 bytes each. */
  get capacity(): number {
    return this.#capacity
  }

  /** What is known of a version that is there already is replaced. */
  add(caseId: string, parked: ParkedVersion, dueAt: number): void {
    const found = this.#find(caseId)
    const several = found === undefined ? undefined : this.#several.get(found)
    // Nearly always it is the newest. Copied and sorted each time, sixteen thousand versions of one case cost 0.8 ms each.
    if (found !== undefined && several && versionIn(several.at(-1) ?? 0) < parked.version) {
      several.push(encode(parked))
      this.#dueAts[found] = dueAt
      this.#versions++
      return
    }
    const before = found === undefined ? [] : this.#entriesOf(found, caseId)
    const others = before.filter((each) => versionIn(each) !== parked.version)
    if (others.length === before.length) this.#versions++
    if (before.length === 0) this.#lanes++
    const entries = [...others, encode(parked)].sort((one, other) => one - other)
    this.#put(caseId, entries, dueAt)
  }

  remove(caseId: string, version: number): void {
    const found = this.#find(caseId)
    if (found === undefined) return
    const several = this.#several.get(found)
    if (several && several.length > 2) {
      const place = placeOf(several, version)
      if (versionIn(several[place] ?? -1) !== version) return
      several.splice(place, 1)
      this.#versions--
      return
    }
    const before = this.#entriesOf(found, caseId)
    const entries = before.filter((each) => versionIn(each) !== version)
    if (entries.length === before.length) return
    this.#versions--
    if (entries.length === 0) this.#lanes--
    if (found === COLLIDED) {
      const kept = this.#collided.get(caseId)
      if (entries.length === 0 || !kept) this.#collided.delete(caseId)
      else kept.entries = entries
    } else this.#write(found, entries)
  }

  /** Oldest first. */
  versionsOf(caseId: string): readonly ParkedVersion[] {
    return this.#all(caseId).map(decode)
  }

  /** Full states newer than `version`, oldest first. */
  newerFull(caseId: string, version: number): readonly ParkedVersion[] {
    const entries = this.#all(caseId)
    return entries
      .slice(placeOf(entries, version + 1))
      .filter(isFull)
      .map(decode)
  }

  /** Oldest first, one by one: whoever asks stops at the first nearly always, and a hot case has thousands. */
  *olderThan(caseId: string, version: number): Iterable<number> {
    for (const entry of this.#all(caseId)) {
      if (versionIn(entry) >= version) return
      yield versionIn(entry)
    }
  }

  has(caseId: string, version: number): boolean {
    const found = this.#find(caseId)
    if (found === undefined) return false
    const entries = this.#entriesOf(found, caseId)
    return versionIn(entries[placeOf(entries, version)] ?? -1) === version
  }

  oldest(caseId: string): number | undefined {
    const found = this.#find(caseId)
    if (found === undefined) return undefined
    const entry = this.#entriesOf(found, caseId)[0]
    return entry === undefined ? undefined : versionIn(entry)
  }

  /** When the version parked last is due, by the steady clock; undefined for a lane without any. */
  dueAt(caseId: string): number | undefined {
    const found = this.#find(caseId)
    if (found === undefined || this.#entriesOf(found, caseId).length === 0) return undefined
    return found === COLLIDED ? this.#collided.get(caseId)?.dueAt : this.#dueAts[found]
  }

  #all(caseId: string): readonly number[] {
    const found = this.#find(caseId)
    return found === undefined ? NONE : this.#entriesOf(found, caseId)
  }

  #entriesOf(slot: number, caseId: string): readonly number[] {
    if (slot === COLLIDED) return this.#collided.get(caseId)?.entries ?? []
    const entry = this.#entries[slot] ?? FREE
    if (entry === SEVERAL) return this.#several.get(slot) ?? []
    return entry >= 0 ? [entry] : []
  }

  /** @returns its slot, COLLIDED, or undefined when the case has none */
  #find(caseId: string): number | undefined {
    if (this.#collided.size > 0 && this.#collided.has(caseId)) return COLLIDED
    const [place, rest, check] = this.#hash(caseId)
    for (let slot = place % this.#capacity; ; slot = (slot + 1) % this.#capacity) {
      const entry = this.#entries[slot] ?? FREE
      if (entry === FREE) return undefined
      if (entry === GONE || this.#places[slot] !== place || this.#rests[slot] !== rest) continue
      return this.#checks[slot] === check ? slot : undefined
    }
  }

  #put(caseId: string, entries: number[], dueAt: number): void {
    if (this.#collided.has(caseId)) return void this.#collided.set(caseId, { entries, dueAt })
    if ((this.#used + 1) * 4 > this.#capacity * 3) this.#resize()
    const [place, rest, check] = this.#hash(caseId)
    let free = FREE
    for (let slot = place % this.#capacity; ; slot = (slot + 1) % this.#capacity) {
      const entry = this.#entries[slot] ?? FREE
      if (entry === GONE && free === FREE) free = slot
      if (entry === FREE) {
        const target = free === FREE ? slot : free
        if (target === slot) this.#used++
        this.#places[target] = place
        this.#rests[target] = rest
        this.#checks[target] = check
        this.#dueAts[target] = dueAt
        this.#write(target, entries)
        return
      }
      if (entry === GONE || this.#places[slot] !== place || this.#rests[slot] !== rest) continue
      if (this.#checks[slot] !== check) {
        this.#collided.set(caseId, { entries, dueAt })
        return
      }
      this.#dueAts[slot] = dueAt
      this.#write(slot, entries)
      return
    }
  }

  #write(slot: number, entries: readonly number[]): void {
    if (entries.length > 1) this.#several.set(slot, [...entries])
    else this.#several.delete(slot)
    this.#entries[slot] = entries.length > 1 ? SEVERAL : (entries[0] ?? GONE)
  }

  /** Larger when it is full of lanes, as large when it is full of traces of them. */
  #resize(): void {
    const old = {
      places: this.#places,
      rests: this.#rests,
      checks: this.#checks,
      entries: this.#entries,
      dueAts: this.#dueAts,
    }
    const several = this.#several
    const size = this.#lanes * 2 >= this.#capacity ? this.#capacity * 2 : this.#capacity
    this.#capacity = size
    this.#used = 0
    this.#places = new Uint32Array(size)
    this.#rests = new Uint32Array(size)
    this.#checks = new Uint32Array(size)
    this.#entries = new Float64Array(size).fill(FREE)
    this.#dueAts = new Float64Array(size)
    this.#several = new Map()
    for (let from = 0; from < old.entries.length; from++) {
      const entry = old.entries[from] ?? FREE
      if (entry === FREE || entry === GONE) continue
      let slot = (old.places[from] ?? 0) % size
      while (this.#entries[slot] !== FREE) slot = (slot + 1) % size
      this.#places[slot] = old.places[from] ?? 0
      this.#rests[slot] = old.rests[from] ?? 0
      this.#checks[slot] = old.checks[from] ?? 0
      this.#dueAts[slot] = old.dueAts[from] ?? 0
      this.#entries[slot] = entry
      const versions = several.get(from)
      if (versions) this.#several.set(slot, versions)
      this.#used++
    }
  }
}

const COLLIDED = -4
const NONE: readonly number[] = []

const encode = ({ version, full, attempted }: ParkedVersion): number =>
  version * 4 + (attempted ? 2 : 0) + (full ? 1 : 0)
const versionIn = (entry: number): number => Math.floor(entry / 4)
const isFull = (entry: number): boolean => entry % 2 === 1
const decode = (entry: number): ParkedVersion => ({
  version: versionIn(entry),
  full: isFull(entry),
  attempted: entry % 4 >= 2,
})

/** @returns the place of the first that is not below the version */
function placeOf(entries: readonly number[], version: number): number {
  let from = 0
  let to = entries.length
  while (from < to) {
    const middle = (from + to) >> 1
    if (versionIn(entries[middle] ?? 0) < version) from = middle + 1
    else to = middle
  }
  return from
}

/** Three mixes of the UTF-16 units, each with its own multiplier (the finalisers are MurmurHash3's, in the public domain). */
export const hashCase: HashCase = (caseId) => {
  let one = 0x9e3779b9
  let two = 0x85ebca6b
  let three = 0xc2b2ae35
  for (let at = 0; at < caseId.length; at++) {
    const unit = caseId.charCodeAt(at)
    one = Math.imul(one ^ unit, 0x01000193)
    two = Math.imul(two ^ unit, 0x5bd1e995)
    two ^= two >>> 13
    three = Math.imul((three << 5) ^ (three >>> 27) ^ unit, 0x27d4eb2f)
  }
  return [finish(one), finish(two ^ caseId.length), finish(three)]
}

function finish(hash: number): number {
  let mixed = hash ^ (hash >>> 16)
  mixed = Math.imul(mixed, 0x85ebca6b)
  mixed ^= mixed >>> 13
  mixed = Math.imul(mixed, 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}
