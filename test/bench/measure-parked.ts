// A million deliveries that are parked: what reading costs without them, what parking them costs, and how a forwarder starts
// that has them to restore, and drains them once they are due.
import type { Receiver } from './open-receiver.ts'
import type { OpenProcess } from './open-process.ts'
import { scrape, type Scraped } from './scrape.ts'
import { Watch, type Progress, type RunFigures } from './watch.ts'

type Plan = {
  readonly receiver: Receiver
  /** Where its metrics are. */
  readonly port: number
  /** Changes of the load. */
  readonly total: number
  readonly seconds: number
  readonly progress: Progress
}

/** A scrape costs the forwarder tens of milliseconds. */
const SCRAPE_EVERY_MS = 1_000
const SAMPLE_EVERY_MS = 100
const SILENCE_LIMIT_MS = 90_000
/** What is open in memory when all of it is parked: reports, and copies that came back and are parked again. */
const NEARLY_NOTHING_BYTES = 512 * 1024
/** On a machine so busy that copies come back before all are parked, memory is never empty: then what is parked is enough. */
const PATIENCE_MS = 120_000

const watchMetrics = (system: OpenProcess, { receiver, port, progress }: Plan, count: (scraped: Scraped) => number) =>
  new Watch({
    system,
    receiver,
    count: async () => count(await scrape(port)),
    every: SCRAPE_EVERY_MS,
    silenceLimit: SILENCE_LIMIT_MS,
    progress,
  })

export async function measureReads(system: OpenProcess, plan: Plan): Promise<RunFigures> {
  const watch = watchMetrics(system, plan, (scraped) => scraped.sum('onward_changes_consumed_total'))
  let last = await watch.look()
  while (last.count === 0) last = await watch.look()
  const endAt = last.at + plan.seconds * 1_000
  while (last.count < plan.total && last.at < endAt) last = await watch.look()
  return { ...watch.figures('steady', last), ...NO_ORDER }
}

/** Until all of the load is parked, and nothing of it is in memory: so is a forwarder whose remotes have been down for an hour. */
export async function measureParks(system: OpenProcess, plan: Plan): Promise<RunFigures> {
  let inMemory = Infinity
  const watch = watchMetrics(system, plan, (scraped) => {
    inMemory = scraped.sum('onward_held_bytes')
    return scraped.sum('onward_deliveries_parked_total')
  })
  let last = await watch.look()
  while (last.count < plan.total * MOSTLY) last = await watch.look()
  const figures = watch.figures('steady', last)
  const givenUpAt = last.at + PATIENCE_MS
  while (inMemory > NEARLY_NOTHING_BYTES && last.at < givenUpAt) last = await watch.look()
  return { ...figures, ...NO_ORDER, peakMegabytes: watch.peakMegabytes }
}

/** Its last ones are the newest of each connection, which wait in memory for a probe: they are not what parking is measured by. */
const MOSTLY = 0.99

/** Nothing was taken by the receiver. */
const NO_ORDER = { outOfOrder: Number.NaN, repeated: Number.NaN, skipped: Number.NaN }

/** @param fresh changes that were published while it was down, of cases of which nothing is parked, stamped @param delay of the tier */
export async function measureDrain(
  system: OpenProcess,
  plan: Plan & { readonly fresh: number; readonly delay: number },
): Promise<RunFigures> {
  const { receiver, progress, fresh, delay, seconds, total } = plan
  const watch = new Watch({
    system,
    receiver,
    count: ({ settled }) => settled,
    every: SAMPLE_EVERY_MS,
    silenceLimit: SILENCE_LIMIT_MS + delay,
    progress,
  })
  let last = await watch.look()
  while (last.figures.latency.count === 0) last = await watch.look()
  const secondsToFirst = (last.at - watch.startedAt) / 1_000
  // What is parked comes when it is due: the fresh ones came before.
  while (last.count < 2 * fresh) last = await watch.look()
  watch.forget()
  const endAt = last.at + seconds * 1_000
  while (last.at < endAt && last.count < total) last = await watch.look()
  return { ...watch.figures('steady', last), secondsToFirst }
}
