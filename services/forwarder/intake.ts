// May the sources be read further? Pure. The last resort of a bounded memory: it holds every source, so it is visible in
// a metric, and it lets go well below the bound, since a paused partition throws away what was fetched for it.
export class Intake {
  readonly #limit: number
  #held = 0
  #paused = false

  /** @param limit bytes that open deliveries may hold, estimated by `heldBytesOf` */
  constructor(limit: number) {
    this.#limit = limit
  }

  get heldBytes(): number {
    return this.#held
  }

  /** Not even the retry topics are read. They go on when the sources are paused: what they hold is older. */
  get isFull(): boolean {
    return this.#held >= this.#limit
  }

  /** What has to go before the sources are read with room again. */
  get excess(): number {
    return Math.max(0, this.#held - this.#limit * SPILL_TO)
  }

  get paused(): boolean {
    return this.#paused
  }

  hold(bytes: number): void {
    this.#held += bytes
  }

  release(bytes: number): void {
    this.#held -= bytes
  }

  /** @returns what to do now, or undefined when all stays as it is */
  decide(): 'pause' | 'resume' | undefined {
    if (!this.#paused && this.#held >= this.#limit * SOURCES_BELOW) {
      this.#paused = true
      return 'pause'
    }
    if (this.#paused && this.#held <= this.#limit * RESUME_BELOW) {
      this.#paused = false
      return 'resume'
    }
    return undefined
  }
}

/** The rest is the retry topics' own. */
const SOURCES_BELOW = 0.9
const RESUME_BELOW = 0.7
const SPILL_TO = 0.5

/** Measured as growth of the process: a record of 1 KB with one delivery keeps about 8 KB alive, its garbage included. */
const DECODED_FACTOR = 6
const RECORD_OVERHEAD_BYTES = 1_200
const DELIVERY_OVERHEAD_BYTES = 800

export const heldBytesOf = (value: Buffer | null, deliveries: number): number =>
  (value?.length ?? 0) * DECODED_FACTOR + RECORD_OVERHEAD_BYTES + deliveries * DELIVERY_OVERHEAD_BYTES
