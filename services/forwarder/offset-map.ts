// Which offsets of one source partition are complete. Pure.
// Enter: records as they are opened and completed. Leave: the low watermark to commit, and in the commit's metadata the
// reservation and the completed offsets above the watermark, run-length encoded: a restart then sends nothing again that
// succeeded, and knows how far the owner before it may have come.
// MUST: the watermark never passes an open record; an encoding that is too long is cut at its top only, so that it never
// shows a version complete while it leaves out an older finished one of the same lane.

import { readMap, type Range } from '../shared/kafka/commit-map.ts'
import { LONGEST_MARK, markBase } from '../shared/kafka/version-base.ts'
import { Fences } from './fences.ts'

/** The broker's `offset.metadata.max.bytes` is 4,096 by default: some room is left. */
export const METADATA_LIMIT = 4_000
/** Of the metadata. What is open is still being finished while the rest fills: beyond it, what keeps it so full is to leave. */
const NEARLY_FULL = 0.75

/** One opened record. Mutable: completing it is the hot path, and a closure for each record would cost more than the rest. */
export type OffsetEntry = { readonly offset: number; complete: boolean }

export type Commit = {
  readonly offset: number
  readonly metadata: string
  /** Once this commit is acknowledged, deliveries of the records below it may be attempted. */
  readonly reserved: number
  /** Of the fences in it. */
  readonly epoch: number
}

export class OffsetMap {
  /** Opened records from the watermark on, in offset order; `#head` is the first that counts. */
  #entries: OffsetEntry[] = []
  #head = 0
  #watermark: number
  readonly #finishedBefore: readonly Range[]
  /** The first range that may still hold a record to come: records come in offset order. */
  #nextRange = 0
  #lastOpened: number
  #reserved: number
  #open = 0
  #changed = false
  #isNearlyFull = false
  /** Only the logs that we write have any. */
  readonly fences: Fences

  readonly #base: number

  /**
   * @param start the next offset to read
   * @param commit what an earlier owner committed last; null when nothing of it counts
   * @param base what versions add to these offsets: the commits name it
   */
  constructor(start: number, commit: { readonly offset: number; readonly metadata: string | null } | null, base = 0) {
    this.#base = base
    const before = readMap(commit?.offset ?? start, commit?.metadata ?? null)
    this.#watermark = start
    this.#lastOpened = start - 1
    this.#reserved = Math.max(start, before.reserved)
    this.#finishedBefore = before.finished
    this.fences = new Fences(before.fences)
  }

  /** The reservation taken with the last commit. It never falls: what is below it may have been attempted. */
  get reserved(): number {
    return this.#reserved
  }

  /** True for a record that was opened already: a fetch may be answered twice around a leader change. */
  wasOpened(offset: number): boolean {
    return offset <= this.#lastOpened
  }

  /** True when an earlier owner completed this offset: the record is not delivered again, and counts as complete. */
  wasFinished(offset: number): boolean {
    let range = this.#finishedBefore[this.#nextRange]
    while (range && range.to <= offset) range = this.#finishedBefore[++this.#nextRange]
    return range !== undefined && range.from <= offset
  }

  /** Records are opened in offset order, each once. */
  open(offset: number): OffsetEntry {
    const entry: OffsetEntry = { offset, complete: false }
    this.#entries.push(entry)
    this.#open++
    this.#lastOpened = offset
    return entry
  }

  /** Opens and completes in one step: unmatched, a tombstone, or finished by an earlier owner. */
  skip(offset: number): void {
    this.complete(this.open(offset))
  }

  /**
   * From `from` up to `to`, exclusive, the log holds nothing for us: control records, aborted ones. They need no completing; a
   * watermark that stopped before them would show lag for ever, and would miss them once retention took them.
   * MUST: no offset below `from` is passed over, whoever says it late or twice.
   */
  pass(from: number, to: number): void {
    if (from > this.#lastOpened + 1 || to <= this.#lastOpened + 1) return
    this.#lastOpened = to - 1
    this.#changed = true
  }

  /** Each entry once. */
  complete(entry: OffsetEntry): void {
    this.#open--
    entry.complete = true
    this.#changed = true
  }

  /** The lowest offset that was opened and is not complete: the watermark stands before it. */
  get firstOpen(): number | undefined {
    for (let at = this.#head; at < this.#entries.length; at++) {
      const entry = this.#entries[at]
      if (entry && !entry.complete) return entry.offset
    }
    return undefined
  }

  /** Records opened and not complete. */
  get openCount(): number {
    return this.#open
  }

  /** The last commit's metadata is nearly full: soon it shows no more what was finished behind so many open records. */
  get isNearlyFull(): boolean {
    return this.#isNearlyFull
  }

  /**
   * @param reserve the records below it are to be attempted
   * @returns what to commit, or undefined when nothing was completed since the last call and all that is reserved already
   */
  takeCommit(reserve: number): Commit | undefined {
    if (!this.#changed && reserve <= this.#reserved) return undefined
    this.#changed = false
    this.#reserved = Math.max(this.#reserved, reserve)
    this.#advance()
    return {
      offset: this.#watermark,
      metadata: this.#renderMetadata(),
      reserved: this.#reserved,
      epoch: this.fences.epoch,
    }
  }

  /** Another owner, or another try to append: what comes with an older epoch from here on is a ghost. */
  raiseFence(offset: number): void {
    this.fences.raise(offset)
    this.#changed = true
  }

  /** The last commit did not reach the broker: it is due again. */
  markChanged(): void {
    this.#changed = true
  }

  #advance(): void {
    let entry = this.#entries[this.#head]
    while (entry?.complete) {
      this.#watermark = entry.offset + 1
      this.#head++
      entry = this.#entries[this.#head]
    }
    if (!entry) this.#watermark = Math.max(this.#watermark, this.#lastOpened + 1)
    // Shifting one by one would cost the whole array each time; cutting when half is done costs nothing to speak of.
    if (this.#head > 1_024 && this.#head * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head)
      this.#head = 0
    }
  }

  /**
   * Variable-length integers in base64: how far the reservation is above the watermark; the number of fences, offset and epoch
   * of each; then run lengths from the watermark on: open, complete, open, complete, …
   */
  #renderMetadata(): string {
    const bytes: number[] = []
    pushVarint(bytes, Math.max(0, this.#reserved - this.#watermark))
    pushVarint(bytes, this.fences.all.length)
    for (const { offset, epoch } of this.fences.all) {
      pushVarint(bytes, offset)
      pushVarint(bytes, epoch)
    }
    const longest = Math.floor(((METADATA_LIMIT - LONGEST_MARK) * 3) / 4) - 2 * LONGEST_RUN_BYTES
    let position = this.#watermark
    for (let i = this.#head; i < this.#entries.length && bytes.length < longest;) {
      i = this.#endOfRun(i, false)
      const firstComplete = this.#entries[i]
      if (!firstComplete) break
      const openUntil = firstComplete.offset
      i = this.#endOfRun(i, true)
      const lastComplete = this.#entries[i - 1]
      if (!lastComplete) break
      pushVarint(bytes, openUntil - position)
      pushVarint(bytes, lastComplete.offset + 1 - openUntil)
      position = lastComplete.offset + 1
    }
    // What an earlier owner finished and we have not read again yet: left out, a second crash would send it all once more.
    for (let at = this.#nextRange; at < this.#finishedBefore.length && bytes.length < longest; at++) {
      const range = this.#finishedBefore[at]
      if (!range || range.to <= this.#lastOpened + 1) continue
      const from = Math.max(range.from, this.#lastOpened + 1)
      pushVarint(bytes, from - position)
      pushVarint(bytes, range.to - from)
      position = range.to
    }
    this.#isNearlyFull = bytes.length > longest * NEARLY_FULL
    const saysNothing = bytes.length === 2 && bytes[0] === 0 && bytes[1] === 0
    return markBase(this.#base, saysNothing ? '' : Buffer.from(bytes).toString('base64'))
  }

  #endOfRun(start: number, complete: boolean): number {
    let i = start
    while (this.#entries[i]?.complete === complete) i++
    return i
  }
}

/** Offsets stay below 2^53: eight groups of seven bits. */
const LONGEST_RUN_BYTES = 8

function pushVarint(bytes: number[], value: number): void {
  let rest = value
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80)
    rest = Math.floor(rest / 0x80)
  }
  bytes.push(rest)
}
