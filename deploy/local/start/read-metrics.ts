// The forwarder's own books, from the text of its /metrics. Pure. Enter: Prometheus exposition text. Leave: counts.
// Never: a value of a metric that is not there; what nobody counted is 0.

export type CountedDeliveries = {
  readonly made: number
  readonly delivered: number
  readonly superseded: number
  readonly deadLettered: number
}

export type ForwarderBooks = {
  /** By repeater. */
  readonly repeaters: ReadonlyMap<string, CountedDeliveries>
  /** Made and not settled, over all connections. */
  readonly waiting: number
  /** Changes that no repeater wanted, by topic. */
  readonly unmatched: ReadonlyMap<string, number>
}

type Sample = { readonly name: string; readonly labels: ReadonlyMap<string, string>; readonly value: number }

const SAMPLE = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/
const LABEL = /([a-z_]+)="((?:[^"\\]|\\.)*)"/g

const NOTHING: CountedDeliveries = { made: 0, delivered: 0, superseded: 0, deadLettered: 0 }
const PLACES: Readonly<Record<string, keyof CountedDeliveries>> = {
  delivered: 'delivered',
  superseded: 'superseded',
  'dead-letter': 'deadLettered',
}

export function readMetrics(text: string): ForwarderBooks {
  const repeaters = new Map<string, CountedDeliveries>()
  const unmatched = new Map<string, number>()
  let waiting = 0
  for (const { name, labels, value } of readSamples(text)) {
    if (name === 'onward_deliveries_waiting') waiting += value
    const topic = labels.get('topic')
    if (name === 'onward_changes_consumed_total' && topic !== undefined && labels.get('result') === 'unmatched') {
      unmatched.set(topic, value)
    }
    const place =
      name === 'onward_deliveries_made_total'
        ? 'made'
        : name === 'onward_deliveries_settled_total'
          ? PLACES[labels.get('verdict') ?? '']
          : undefined
    const repeater = labels.get('repeater')
    if (place === undefined || repeater === undefined) continue
    const counted = repeaters.get(repeater) ?? NOTHING
    repeaters.set(repeater, { ...counted, [place]: counted[place] + value })
  }
  return { repeaters, waiting, unmatched }
}

/** Of all repeaters. */
export const settledOf = ({ repeaters }: ForwarderBooks): number =>
  [...repeaters.values()].reduce(
    (sum, { delivered, superseded, deadLettered }) => sum + delivered + superseded + deadLettered,
    0,
  )

function* readSamples(text: string): Generator<Sample, void, undefined> {
  for (const line of text.split('\n')) {
    const [, name, labels = '', value] = SAMPLE.exec(line) ?? []
    if (name === undefined) continue
    yield {
      name,
      labels: new Map([...labels.matchAll(LABEL)].map(([, label = '', content = '']) => [label, content])),
      value: Number(value),
    }
  }
}
