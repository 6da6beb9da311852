// Keeps V8's heap near what is alive. Left alone, V8 sizes it by the machine's memory: measured with the healthy workload of the
// benchmark, 128 MB for the young, of which 10 were in use, and 200 MB for the old, of which 60 were alive.
// Enter: nothing. Leave: V8's own switches, set while the process runs, so that it does not matter how it was started.
// Never: a limit that ends the process: what ONWARD_HELD_BYTES_LIMIT lets wait always finds room.
import { PerformanceObserver } from 'node:perf_hooks'
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'

/**
 * The young, both halves. Requests on the wire must fit in a half several times over, or their garbage is taken for old: with
 * 8 MB for each half a delivery takes about 5 % more of the processor, with 4 MB 8 %.
 */
export const YOUNG_BYTES = 32 * 1024 * 1024
/**
 * How far the old may grow beyond what was alive in it before it is collected again: against 120, a delivery takes 8 % more of the
 * processor with 75, and 3 % less with 150, for 25 MB more.
 */
const GROWTH_PERCENT = 100

/** Once, before anything is read. */
export function keepHeapSmall(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`)
  let mayGrow = true
  // The limit itself (--max-semi-space-size) is read once, before our first line; how fast the young grow is read each time.
  const observer = new PerformanceObserver(() => {
    const young = getHeapSpaceStatistics().find((space) => space.space_name === 'new_space')
    const isBelow = (young?.space_size ?? 0) < YOUNG_BYTES
    if (isBelow === mayGrow) return
    // An idle process gives its young back: then they may grow again.
    mayGrow = isBelow
    setFlagsFromString(`--semi-space-growth-factor=${mayGrow ? 2 : 1}`)
  })
  observer.observe({ entryTypes: ['gc'] })
}
