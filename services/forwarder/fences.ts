// Which records of a tier partition are ghosts: appended by an owner that had lost the partition, or twice because the first
// answer was lost. Pure. Every owner, and every repeated append, raises the partition's epoch and sets a fence at the end of
// the log: a record at or behind a fence with an older epoch than the fence's was never acknowledged to anybody who counts.
// The fences are in the commits, so that a later owner knows the ghosts too.
// MUST: no record is appended under an epoch that no commit holds: the next owner would take the same one, and ours for its own.
import type { Fence } from '../shared/kafka/commit-map.ts'

/** Fences kept in a commit: a storm of rebalances must not fill its metadata. The newest matter: ghosts come soon or never. */
const FENCES_LIMIT = 32

export class Fences {
  #fences: readonly Fence[]
  #epoch: number
  #committedEpoch: number

  /** @param fences as an earlier owner committed them, oldest first */
  constructor(fences: readonly Fence[]) {
    this.#fences = fences
    this.#epoch = fences.at(-1)?.epoch ?? 0
    this.#committedEpoch = this.#epoch
  }

  /** What our records carry. */
  get epoch(): number {
    return this.#epoch
  }

  /** Whoever comes next raises an epoch above ours. */
  get isCommitted(): boolean {
    return this.#committedEpoch === this.#epoch
  }

  /** A commit with this epoch is acknowledged. */
  confirm(epoch: number): void {
    this.#committedEpoch = Math.max(this.#committedEpoch, epoch)
  }

  get all(): readonly Fence[] {
    return this.#fences
  }

  /** From now on our records carry a newer epoch, and what is appended at or behind `offset` with an older one is a ghost. */
  raise(offset: number): void {
    this.#epoch++
    // A fence at the same place with a newer epoch says all that the older one did.
    const others = this.#fences.filter((fence) => fence.offset < offset)
    this.#fences = [...others, { offset, epoch: this.#epoch }].slice(-FENCES_LIMIT)
  }

  isGhost(offset: number, epoch: number): boolean {
    return this.#fences.some((fence) => offset >= fence.offset && epoch < fence.epoch)
  }
}
