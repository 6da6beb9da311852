// Watches one system work, from outside, and turns what it saw into figures.
// Enter: the system's process, the receiver, what is counted. Leave: samples, and the figures of their window.
// Never: a judgement. A system that ended, or that does nothing for too long, is an error with its own words.
import { setTimeout as sleep } from 'node:timers/promises'
import type { OpenProcess } from './open-process.ts'
import type { Receiver, ReceiverFigures } from './open-receiver.ts'
import { readProcessUsage } from './process-usage.ts'
import { steadyFigures, type Sample } from './steady-window.ts'

/** What was not measured is NaN. */
export type RunFigures = {
  readonly perSecond: number
  readonly requestsPerSecond: number
  readonly cpuMicrosEach: number
  readonly waited: number
  readonly peakMegabytes: number
  readonly receiverCores: number
  readonly outOfOrder: number
  readonly repeated: number
  readonly skipped: number
  readonly mostSockets: number
  readonly counted: number
  /** From the system's start to the first request of what its source brought. */
  readonly secondsToFirst: number
  /** Milliseconds from produce to request. */
  readonly p50: number
  readonly p99: number
  /** How often the group gave Onward partitions: more than once when it missed the member, or others came. */
  readonly assignments: number
  /** The most requests that a connection which refuses was sent once that was known, and the probes that were due to it. */
  readonly sentToRefusing: number
  readonly probesDue: number
}

/** How often a person is told how far it is. */
const PROGRESS_EVERY_MS = 5_000

export type Progress = (counted: number, perSecond: number) => void

type Plan = {
  readonly system: OpenProcess
  readonly receiver: Receiver
  /** What a sample counts. */
  readonly count: (figures: ReceiverFigures) => number | Promise<number>
  /** Between samples, in milliseconds. */
  readonly every: number
  /** A count that stays as it is for so long, in milliseconds, says that something is broken. */
  readonly silenceLimit: number
  readonly progress: Progress
}

export type Look = { readonly at: number; readonly count: number; readonly figures: ReceiverFigures }

export class Watch {
  readonly #plan: Plan
  readonly #samples: Sample[] = []
  readonly startedAt = performance.now()
  #grewAt = this.startedAt
  #saidAt = this.startedAt
  #peakBytes = 0

  constructor(plan: Plan) {
    this.#plan = plan
  }

  /** Waits for the next sample, and takes it. @throws Error when the system ended, or nothing happens for too long */
  async look(): Promise<Look> {
    await sleep(this.#plan.every)
    return await this.take()
  }

  /** @param at of the sample: now, or milliseconds of a clock that goes while the system does @throws Error as `look` */
  async take(at?: number): Promise<Look> {
    const figures = await this.#plan.receiver.figures()
    const count = await this.#plan.count(figures)
    return this.#enter(figures, count, at ?? performance.now())
  }

  #enter(figures: ReceiverFigures, count: number, at: number): Look {
    const { system, receiver, silenceLimit, progress } = this.#plan
    const usage = readProcessUsage(system.pid)
    const failed = system.ended()
    if (failed !== null) throw new Error(failed)
    const before = this.#samples.at(-1)
    if (count > (before?.count ?? 0)) this.#grewAt = at
    this.#peakBytes = Math.max(this.#peakBytes, usage?.peakBytes ?? 0)
    this.#samples.push({
      at,
      count,
      requests: figures.requests,
      cpuMicros: usage?.cpuMicros ?? Number.NaN,
      waitedMicros: usage?.waitedMicros ?? Number.NaN,
      receiverCpuMicros: readProcessUsage(receiver.pid)?.cpuMicros ?? Number.NaN,
    })
    if (at - this.#saidAt >= PROGRESS_EVERY_MS) {
      this.#saidAt = at
      progress(count, before === undefined ? 0 : ((count - before.count) * 1_000) / (at - before.at))
    }
    if (at - this.#grewAt > silenceLimit) {
      throw new Error(`Nothing happened for ${silenceLimit / 1_000} s (${count} so far)`)
    }
    return { at, count, figures }
  }

  get peakMegabytes(): number {
    return this.#peakBytes / 1_000_000
  }

  /** What was seen until now is left out: another phase begins. */
  forget(): void {
    this.#samples.length = 0
  }

  /** @param window as `steadyFigures` @param last the newest look */
  figures(window: 'steady' | 'whole', { count, figures }: Look): RunFigures {
    const steady = steadyFigures(this.#samples, window)
    return {
      perSecond: steady.perSecond,
      requestsPerSecond: steady.requestsPerSecond,
      cpuMicrosEach: steady.cpuMicrosEach,
      waited: steady.waited,
      peakMegabytes: this.peakMegabytes,
      receiverCores: steady.receiverCores,
      outOfOrder: figures.outOfOrder,
      repeated: figures.repeated,
      skipped: figures.skipped,
      mostSockets: figures.mostSockets,
      counted: count,
      secondsToFirst: Number.NaN,
      p50: Number.NaN,
      p99: Number.NaN,
      assignments: Number.NaN,
      sentToRefusing: Number.NaN,
      probesDue: Number.NaN,
    }
  }
}
