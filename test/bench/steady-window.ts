// Samples of a run → its figures. Pure. The start (compiling, joining a group, filling sockets) and the end (a few lanes
// that still run) are left out: what is between 10 % and 90 % of the count is the steady state.

export type Sample = {
  /** Milliseconds by a clock that does not jump. */
  readonly at: number
  /** What is counted: deliveries settled, or requests of a bare loop. */
  readonly count: number
  readonly requests: number
  readonly cpuMicros: number
  readonly waitedMicros: number
  readonly receiverCpuMicros: number
}

export type SteadyFigures = {
  readonly perSecond: number
  readonly requestsPerSecond: number
  readonly cpuMicrosEach: number
  /** The part of the time, 0 to 1, that the system could have run but had no core: above a tenth, the machine is too busy. */
  readonly waited: number
  /** Cores the receiver used: near 1 it would be what is measured. */
  readonly receiverCores: number
  /** Seconds the window lasted. */
  readonly seconds: number
}

const WINDOW_FROM = 0.1
const WINDOW_TO = 0.9

/**
 * @param window `steady` leaves out the first and last tenth; `whole` is from the first count to the last, for workloads
 *   whose length is set by one lane
 * @throws Error when fewer than two samples lie in the window: the run was too short
 */
export function steadyFigures(samples: readonly Sample[], window: 'steady' | 'whole'): SteadyFigures {
  const final = samples.at(-1)?.count ?? 0
  const [from, to] = window === 'steady' ? [final * WINDOW_FROM, final * WINDOW_TO] : [0, final]
  const inside = samples.filter((sample, place) => {
    if (window === 'steady') return sample.count >= from && sample.count <= to
    // The last sample that still shows nothing is the beginning; those after the last count are idle.
    const next = samples[place + 1]
    const before = samples[place - 1]
    return sample.count > 0 ? (before?.count ?? 0) < final : next !== undefined && next.count > 0
  })
  const first = inside[0]
  const last = inside.at(-1)
  if (first === undefined || last === undefined || last.at <= first.at || last.count <= first.count) {
    throw new Error('The run was too short to have a steady window: give it more --seconds or --changes')
  }
  const seconds = (last.at - first.at) / 1_000
  const count = last.count - first.count
  return {
    perSecond: count / seconds,
    requestsPerSecond: (last.requests - first.requests) / seconds,
    cpuMicrosEach: (last.cpuMicros - first.cpuMicros) / count,
    waited: (last.waitedMicros - first.waitedMicros) / (seconds * 1_000_000),
    receiverCores: (last.receiverCpuMicros - first.receiverCpuMicros) / (seconds * 1_000_000),
    seconds,
  }
}
