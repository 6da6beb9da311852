// What Onward wrote into its own topics, counted by repeater. Pure. Enter: values of `onward.deliveries`, headers of
// `onward.dead-letters`. Leave: counts of deliveries that ended, each counted once.
import type { TopicRecord } from '../../../services/shared/kafka/reader.ts'

export type LoggedDeliveries = {
  readonly delivered: number
  readonly superseded: number
  readonly deadLettered: number
}

const NOTHING: LoggedDeliveries = { delivered: 0, superseded: 0, deadLettered: 0 }
const PLACES: Readonly<Record<string, keyof LoggedDeliveries>> = {
  delivered: 'delivered',
  superseded: 'superseded',
  'dead-letter': 'deadLettered',
}

/** @throws Error when a value is not a page of the log */
export function countLogged(values: readonly Buffer[]): ReadonlyMap<string, LoggedDeliveries> {
  const counts = new Map<string, LoggedDeliveries>()
  for (const value of values) {
    const page: unknown = JSON.parse(value.toString('utf8'))
    const repeaters = listAt(page, 'repeaters')
    for (const entry of listAt(page, 'entries')) {
      if (!Array.isArray(entry)) continue
      const [kind, repeaterAt] = entry as readonly unknown[]
      const repeater = typeof repeaterAt === 'number' ? repeaters[repeaterAt] : undefined
      // `failed` is an attempt that another one follows: the delivery has not ended.
      const place = typeof kind === 'string' ? PLACES[kind] : undefined
      if (typeof repeater !== 'string' || place === undefined) continue
      const counted = counts.get(repeater) ?? NOTHING
      counts.set(repeater, { ...counted, [place]: counted[place] + 1 })
    }
  }
  return counts
}

/** A letter without a repeater is a record that could not be read: counted under the empty name. */
export function countDeadLetters(records: readonly TopicRecord[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const { headers } of records) {
    const repeater = headers['onward-repeater']?.toString('utf8') ?? ''
    counts.set(repeater, (counts.get(repeater) ?? 0) + 1)
  }
  return counts
}

function listAt(page: unknown, name: string): readonly unknown[] {
  const list: unknown = typeof page === 'object' && page !== null ? Reflect.get(page, name) : undefined
  if (!Array.isArray(list)) throw new Error(`a record of the deliveries has no ${name}`)
  return list
}
