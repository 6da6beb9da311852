// How long things took, counted in small steps so that any number of them costs the same memory. Pure.

export type LatencyFigures = {
  readonly count: number
  /** Milliseconds; NaN when nothing was counted. */
  readonly p50: number
  readonly p99: number
}

export type Latencies = {
  /** @param millis what is below 0 counts as 0 */
  enter(millis: number): void
  figures(): LatencyFigures
  clear(): void
}

const STEP_MS = 0.1
/** Longer ones count as this long: a minute. */
const STEPS = 600_000

export function createLatencies(): Latencies {
  const counts = new Uint32Array(STEPS + 1)
  let count = 0
  /** @returns the upper end of the step in which so large a part of all lies below or in it */
  const percentile = (part: number): number => {
    if (count === 0) return Number.NaN
    let left = Math.ceil(part * count)
    for (let step = 0; step <= STEPS; step += 1) {
      left -= counts[step] ?? 0
      if (left <= 0) return (step + 1) * STEP_MS
    }
    return STEPS * STEP_MS
  }
  return {
    enter(millis) {
      const step = Math.min(STEPS, Math.max(0, Math.floor(millis / STEP_MS)))
      counts[step] = (counts[step] ?? 0) + 1
      count += 1
    },
    figures: () => ({ count, p50: percentile(0.5), p99: percentile(0.99) }),
    clear() {
      counts.fill(0)
      count = 0
    },
  }
}
