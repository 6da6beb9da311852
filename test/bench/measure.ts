// One measurement: its system is started, watched, and ended. Enter: what is to be measured, on which ground. Leave: figures.
import { freePorts } from '../../deploy/local/free-ports.ts'
import { renderDuration } from '../../services/shared/duration.ts'
import { measureBacklog } from './measure-backlog.ts'
import { measureLive } from './measure-live.ts'
import { measureDrain, measureParks, measureReads } from './measure-parked.ts'
import type { How, Measurement, OnwardSubject } from './measurements.ts'
import type { Ground, LiveTopic } from './open-ground.ts'
import type { OpenProcess } from './open-process.ts'
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
  readonly progress: Progress
}

/** The product's own default. */
const RETRY_TIERS = [60_000, 300_000, 1_800_000, 7_200_000, 21_600_000]
/** Long enough to park a million, and to start again, before most are due; short enough to wait for it. */
const PARKED_TIER = 90_000
/** Published while the forwarder that has a million to restore is down, of cases that the parked ones know nothing of. */
const FRESH = { changes: 1_200, cases: 600, firstCase: 900_000 }

export async function measure(measurement: Measurement, ground: Ground, options: MeasureOptions): Promise<RunFigures> {
  const { subject, how } = measurement
  const { receiver } = ground
  const seconds = options.seconds * (measurement.times ?? 1)
  await receiver.begin(errandOf(subject.system === 'onward' && how !== 'drains' ? subject.trouble : 'none'))
  const backlog = { seconds, progress: options.progress, window: how === 'whole' ? 'whole' : 'steady' } as const
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
    case 'onward':
      return await measureOnward(measurement, subject, ground, { ...options, seconds })
  }
}

async function measureOnward(
  measurement: Measurement,
  subject: OnwardSubject,
  ground: Ground,
  options: MeasureOptions,
): Promise<RunFigures> {
  const { how } = measurement
  const { run, seconds, progress, liveRate } = options
  // What one parks the other drains: the same group, the same topics.
  const isParked = how === 'parks' || how === 'drains'
  const name = isParked ? `parked-${run}` : nameOf(measurement, run)
  const tiers = isParked ? [PARKED_TIER] : RETRY_TIERS
  const live = subject.load === 'live' ? await ground.openTopic(name) : null
  const load = subject.load === 'live' ? null : ground.load(subject.load)
  const topic = live?.topic ?? load?.topic ?? ''
  if (how === 'drains') await ground.append(topic, FRESH)
  const [port = 0] = await freePorts(1)
  const topicPrefix = await ground.configure(name, topic, subject, tiers)
  const retryTiers = tiers.map(renderDuration).join(',')
  await using system: OpenProcess = openOnward(ground, {
    group: name,
    topic,
    topicPrefix,
    retryTiers,
    port,
    profile: options.profile,
  })
  const total = load?.changes ?? Infinity
  const figures = await watchOnward(how, system, ground, { live, port, total, seconds, progress, liveRate })
  return { ...figures, assignments: (await scrape(port)).sum('onward_consumer_rebalances_total') }
}

type Watched = Pick<MeasureOptions, 'seconds' | 'progress' | 'liveRate'> & {
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
