// A load that is there before: how fast a system works it off.
import type { Ground } from './open-ground.ts'
import type { OpenProcess } from './open-process.ts'
import type { ReceiverFigures } from './open-receiver.ts'
import { probesDue } from './probes-due.ts'
import { Watch, type Progress, type RunFigures } from './watch.ts'

export type BacklogPlan = {
  /** What is counted: requests of a loop that repeats bodies, or changes settled of connections that are well. */
  readonly count: 'requests' | 'wellSettled'
  /** The run ends when so much is counted; Infinity for a loop without end. */
  readonly total: number
  /** The run ends so long after its first delivery, whatever is left. */
  readonly seconds: number
  readonly window: 'steady' | 'whole'
  readonly progress: Progress
}

/** A loop that repeats bodies has no order to keep. */
const NO_ORDER = { outOfOrder: Number.NaN, repeated: Number.NaN, skipped: Number.NaN }
const SAMPLE_EVERY_MS = 100
/** Joining a group and a cold start take a few seconds. */
const SILENCE_LIMIT_MS = 60_000

export async function measureBacklog(
  system: OpenProcess,
  { receiver }: Pick<Ground, 'receiver'>,
  plan: BacklogPlan,
): Promise<RunFigures> {
  const watch = new Watch({
    system,
    receiver,
    count: (figures) => figures[plan.count],
    every: SAMPLE_EVERY_MS,
    silenceLimit: SILENCE_LIMIT_MS,
    progress: plan.progress,
  })
  let firstAt = 0
  let last = await watch.look()
  for (;;) {
    if (last.count > 0 && firstAt === 0) firstAt = last.at
    if (last.count >= plan.total) break
    if (firstAt > 0 && last.at - firstAt > plan.seconds * 1_000) break
    last = await watch.look()
  }
  const seen = watch.figures(plan.window, last)
  return {
    ...seen,
    // A run measured whole has exact ends at the receiver; samples are up to 100 ms off.
    perSecond: plan.window === 'whole' ? (last.count * 1_000) / last.figures.span : seen.perSecond,
    ...(plan.count === 'requests' ? NO_ORDER : {}),
    ...refusals(last.figures),
    secondsToFirst: (firstAt - watch.startedAt) / 1_000,
  }
}

function refusals({ refusals: { refused, mostAfterFirst, since } }: ReceiverFigures) {
  if (refused === 0) return {}
  return { sentToRefusing: mostAfterFirst, probesDue: probesDue(since) }
}
