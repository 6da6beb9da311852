// A measurement, or those that share the time: systems are started, watched, and ended. Enter: what is to be measured, on which ground.
// Leave: figures, by label.
import { freePorts } from '../../deploy/local/free-ports.ts'
import { renderDuration } from '../../services/shared/duration.ts'
import { measureBacklog } from './measure-backlog.ts'
import { measureBySlices, untilItDelivers } from './measure-by-slices.ts'
import { measureLive } from './measure-live.ts'
import { measureDrain, measureParks, measureReads } from './measure-parked.ts'
import {
  HANG_FOR,
  RECEIVER_LATENCY,
  type Alone,
  type How,
  type Measurement,
  type OnwardSubject,
  type Sliced,
  type Step,
} from './measurements.ts'
import type { Ground, LiveTopic } from './open-ground.ts'
import type { OpenProcess } from './open-process.ts'
import { openReceiver, type Receiver } from './open-receiver.ts'
import { openBare, openOnward, openPlain } from './open-system.ts'
import { scrape } from './scrape.ts'
import { errandOf } from './troubles.ts'
import type { Progress, RunFigures } from './watch.ts'

export type MeasureOptions = {
  /** Which run of the benchmark: each has topics and groups of its own. */
  readonly run: number
  readonly seconds: number
  /** Changes a second of live loads. */
  readonly liveRate: number
  readonly profile: string | null
  readonly progressOf: (label: string) => Progress
}

/** The product's own default. */
const RETRY_TIERS = [60_000, 300_000, 1_800_000, 7_200_000, 21_600_000]
/** Long enough to park a million, and to start again, before most are due; short enough to wait for it. */
const PARKED_TIER = 90_000
/** Published while the forwarder that has a million to restore is down, of cases that the parked ones know nothing of. */
const FRESH = { changes: 1_200, cases: 600, firstCase: 900_000 }

export async function measure(
  step: Step,
  ground: Ground,
  options: MeasureOptions,
): Promise<ReadonlyMap<string, RunFigures>> {
  if (step.kind === 'sliced') return await measureSliced(step.group, ground, options)
  return new Map([[step.measurement.label, await measureAlone(step.measurement, ground, options)]])
}

async function measureAlone(measurement: Alone, ground: Ground, options: MeasureOptions): Promise<RunFigures> {
  const { subject, how, label } = measurement
  const { receiver } = ground
  const seconds = options.seconds * (measurement.times ?? 1)
  const progress = options.progressOf(label)
  await receiver.begin(errandOf(subject.system === 'onward' && how !== 'drains' ? subject.trouble : 'none'))
  const backlog = { seconds, progress, window: how === 'whole' ? 'whole' : 'steady' } as const
  switch (subject.system) {
    case 'bare': {
      await using system = openBare(subject, ground)
      return await measureBacklog(system, ground, { ...backlog, count: 'requests', total: Infinity })
    }
    case 'plain': {
      await using system = openPlain(subject, ground, nameOf(measurement, options.run))
      const total = ground.load(subject.load).changes
      return await measureBacklog(system, ground, { ...backlog, count: 'wellSettled', total })
    }
    case 'onward': {
      const { system, port, live, total } = await startOnward(measurement, subject, ground, receiver, options)
      await using running = system
      const figures = await watchOnward(how, running, ground, { ...options, seconds, progress, live, port, total })
      return { ...figures, assignments: await assignmentsOf(port) }
    }
  }
}

/** Each has a receiver of its own, which knows its cases. Nobody's time begins before all of them deliver. */
async function measureSliced(
  group: readonly Sliced[],
  ground: Ground,
  options: MeasureOptions,
): Promise<ReadonlyMap<string, RunFigures>> {
  await using opened = new AsyncDisposableStack()
  const started = []
  for (const measurement of group) {
    const { subject, label } = measurement
    const receiver = opened.use(await openReceiver(RECEIVER_LATENCY, HANG_FOR))
    const { system, port, total } = await startOnward(measurement, subject, ground, receiver, options)
    opened.use(system)
    started.push({ label, receiver, system, total, progress: options.progressOf(label), port })
  }
  await Promise.all(started.map(untilItDelivers))
  const figures = new Map<string, RunFigures>()
  for (const [{ label, port }, seen] of await measureBySlices(started, options.seconds))
    figures.set(label, { ...seen, assignments: await assignmentsOf(port) })
  return figures
}

const assignmentsOf = async (port: number): Promise<number> =>
  (await scrape(port)).sum('onward_consumer_rebalances_total')

type Started = {
  readonly system: OpenProcess
  readonly port: number
  readonly live: LiveTopic | null
  readonly total: number
}

async function startOnward(
  measurement: Measurement,
  subject: OnwardSubject,
  ground: Ground,
  { origin }: Receiver,
  { run, profile }: MeasureOptions,
): Promise<Started> {
  const { how } = measurement
  // What one parks the other drains: the same group, the same topics.
  const isParked = how === 'parks' || how === 'drains'
  const name = isParked ? `parked-${run}` : nameOf(measurement, run)
  const tiers = isParked ? [PARKED_TIER] : RETRY_TIERS
  const live = subject.load === 'live' ? await ground.openTopic(name) : null
  const load = subject.load === 'live' ? null : ground.load(subject.load)
  const topic = live?.topic ?? load?.topic ?? ''
  if (how === 'drains') await ground.append(topic, FRESH)
  const [port = 0] = await freePorts(1)
  const topicPrefix = await ground.configure(name, topic, subject, tiers, origin)
  const retryTiers = tiers.map(renderDuration).join(',')
  const system = openOnward(ground, { group: name, topic, topicPrefix, retryTiers, port, profile })
  return { system, port, live, total: load?.changes ?? Infinity }
}

type Watched = Pick<MeasureOptions, 'seconds' | 'liveRate'> & {
  readonly progress: Progress
  readonly live: LiveTopic | null
  readonly port: number
  readonly total: number
}

async function watchOnward(
  how: How,
  system: OpenProcess,
  ground: Ground,
  { live, port, total, seconds, progress, liveRate }: Watched,
): Promise<RunFigures> {
  const { receiver, kafka, seed } = ground
  const parked = { receiver, port, total, seconds, progress }
  switch (how) {
    case 'backlog':
    case 'whole': {
      const window = how === 'whole' ? 'whole' : 'steady'
      return await measureBacklog(system, ground, { seconds, progress, window, count: 'wellSettled', total })
    }
    case 'paced':
    case 'paced-hot': {
      if (!live) throw new Error('a live load needs a topic of its own')
      const hot = how === 'paced-hot'
      return await measureLive(system, { kafka, receiver, ...live, rate: liveRate, hot, seed, seconds, progress })
    }
    case 'reads':
      return await measureReads(system, parked)
    case 'parks':
      return await measureParks(system, parked)
    case 'drains':
      return await measureDrain(system, { ...parked, fresh: FRESH.changes, delay: PARKED_TIER })
  }
}

const nameOf = ({ label }: Measurement, run: number): string =>
  `${label.replaceAll(/[^a-z0-9]+/gi, '-')}-${run}`.toLowerCase()
