// Did what arrived at the receiver keep what Onward promises? Pure. Enter: the measurements, and what each run showed.
// Leave: the faults of each of Onward's: out of order, twice, missing though nothing may be left out.
import type { Measurement } from './measurements.ts'
import type { Measured } from './workloads.ts'

export type History = { readonly label: string; readonly run: number; readonly faults: readonly string[] }

export function judgeHistories(measurements: readonly Measurement[], runs: readonly Measured[]): readonly History[] {
  return runs.flatMap(({ figures }, place) =>
    measurements.flatMap(({ label, subject }) => {
      const seen = figures.get(label)
      // NaN: nothing was to arrive.
      if (subject.system !== 'onward' || !seen || Number.isNaN(seen.outOfOrder)) return []
      const faults = [
        ...(seen.outOfOrder > 0 ? [`${seen.outOfOrder} out of order`] : []),
        // On a machine that is too busy the group may miss a member: what it had on the wire may then come again.
        ...(seen.repeated > 0
          ? [`${seen.repeated} twice (partitions were given to it ${seen.assignments} times)`]
          : []),
        ...(seen.skipped > 0 && subject.supersede === 'never' ? [`${seen.skipped} missing`] : []),
      ]
      return [{ label, run: place + 1, faults }]
    }),
  )
}
