// How often somebody may ask. Pure: token buckets by a key, with a bound on how many keys are remembered.
import type { Millis } from '../shared/clock.ts'

type Bucket = { tokens: number; at: Millis }

export class RateLimit {
  readonly #burst: number
  readonly #perSecond: number
  readonly #keys: number
  readonly #buckets = new Map<string, Bucket>()

  /** @param keys remembered at most: the ones longest unused are forgotten, which only ever lets somebody in */
  constructor(burst: number, perSecond: number, keys: number) {
    this.#burst = burst
    this.#perSecond = perSecond
    this.#keys = keys
  }

  /** @param now monotonic milliseconds @returns false when it is too often */
  take(key: string, now: Millis): boolean {
    const known = this.#buckets.get(key) ?? { tokens: this.#burst, at: now }
    const tokens = Math.min(this.#burst, known.tokens + ((now - known.at) / 1_000) * this.#perSecond)
    // A map keeps the order in which keys were put in: the newest last.
    this.#buckets.delete(key)
    this.#buckets.set(key, { tokens: tokens >= 1 ? tokens - 1 : tokens, at: now })
    const [oldest] = this.#buckets.keys()
    if (this.#buckets.size > this.#keys && oldest !== undefined) this.#buckets.delete(oldest)
    return tokens >= 1
  }
}
