// How much of each partition goes. Pure. Enter: where partitions begin and end, where they are to begin. Leave: a plan.
// A log can only lose its beginning: every letter below an offset, whatever its repeater or reason.
import { readPlace } from './letter.ts'
import { UsageError } from '../arguments.ts'

export type PurgePart = {
  readonly partition: number
  readonly from: number
  /** The first offset that stays. */
  readonly before: number
  /** At most: compaction and transactions, which this topic has not, would leave gaps. */
  readonly letters: number
}

type Offsets = ReadonlyMap<number, number>

/** @param wanted by partition, the first offset that stays; a partition that is not in it keeps all */
export const planPurge = (begins: Offsets, ends: Offsets, wanted: Offsets): readonly PurgePart[] =>
  [...wanted]
    .map(([partition, offset]): PurgePart => {
      const from = begins.get(partition) ?? 0
      const before = Math.min(offset, ends.get(partition) ?? 0)
      return { partition, from, before, letters: Math.max(0, before - from) }
    })
    .filter(({ letters }) => letters > 0)
    .sort((one, other) => one.partition - other.partition)

/** @param texts places, each the last letter that goes in its partition @throws UsageError */
export function readThrough(texts: readonly string[], partitions: Offsets): Offsets {
  const wanted = new Map<number, number>()
  for (const text of texts) {
    const place = readPlace(text)
    if (!place) throw new UsageError(`--through takes <partition>:<offset>, such as 3:1042, not "${text}"`)
    if (!partitions.has(place.partition))
      throw new UsageError(`--through ${text}: there is no partition ${place.partition}`)
    if (wanted.has(place.partition)) throw new UsageError(`--through names partition ${place.partition} twice`)
    wanted.set(place.partition, place.offset + 1)
  }
  return wanted
}
