// What is printed under each name: systems side by side, and what their figures are held against.
// Pure values. The goals of the step being built are called `first`, those of the finished thing `final`; neither is asserted.
import {
  BARE,
  BARE_DISPATCH,
  CASES,
  CONNECTIONS,
  HANG_FOR,
  HOT_CASE_UPDATES,
  ONE_AT_A_TIME,
  ONWARD,
  ONWARD_DIGEST,
  ONWARD_DRAINS,
  ONWARD_HALF,
  ONWARD_HANG,
  ONWARD_HOT,
  ONWARD_NEVER,
  ONWARD_OAUTH2,
  ONWARD_PARKS,
  ONWARD_READS,
  ONWARD_REFUSE,
  ONWARD_UNPROVEN,
  ONWARD_UNPROVEN_AGAIN,
  ONWARD_WAITING,
  PARTITIONS,
  PLAIN,
  PLAIN_ZIPF,
  RECEIVER_LATENCY,
  SLICE_MS,
  ZIPF_EXPONENT,
  type Measurement,
} from './measurements.ts'
import type { RunFigures } from './watch.ts'

/** What one run gave of each measurement, by label; and the hottest case's share of the load that one case paces. */
export type Measured = {
  readonly figures: ReadonlyMap<string, RunFigures>
  readonly hottestShare: number
}

export type Goal = {
  readonly figure: string
  readonly of: (measured: Measured) => number
  /** `≥` or `≤`, and the number; null where none is set. */
  readonly first: Bound | null
  readonly final: Bound | null
}
export type Bound = { readonly is: '≥' | '≤'; readonly value: number }

export type Workload = {
  readonly name: string
  readonly summary: string
  readonly measurements: readonly Measurement[]
  /** One case sets the pace: the bound that follows is printed. */
  readonly boundByOneCase: boolean
  readonly goals: readonly Goal[]
}

const figureOf = ({ figures }: Measured, { label }: Measurement, name: keyof RunFigures): number =>
  figures.get(label)?.[name] ?? Number.NaN

const ratio = (name: keyof RunFigures, one: Measurement, other: Measurement) => (measured: Measured) =>
  figureOf(measured, one, name) / figureOf(measured, other, name)

const atLeast = (value: number): Bound => ({ is: '≥', value })
const atMost = (value: number): Bound => ({ is: '≤', value })

/** Changes a second that a load can settle when its hottest case has one request at a time. */
export function hottestBound(measured: Measured): number {
  const secondsOfARequest = 1 / figureOf(measured, ONE_AT_A_TIME, 'perSecond')
  return 1 / (secondsOfARequest * measured.hottestShare)
}

export const WORKLOADS: readonly Workload[] = [
  {
    name: 'W1',
    summary: `healthy: 1 KB case changes, ${CONNECTIONS} connections, ${CASES} cases (uniform), ${PARTITIONS} partitions, answered in ${RECEIVER_LATENCY} ms`,
    boundByOneCase: false,
    measurements: [BARE, BARE_DISPATCH, PLAIN, ONWARD],
    goals: [
      {
        figure: 'deliveries/s ÷ bare undici',
        of: ratio('perSecond', ONWARD, BARE),
        first: atLeast(0.5),
        final: atLeast(0.8),
      },
      { figure: 'deliveries/s ÷ plain kafkajs', of: ratio('perSecond', ONWARD, PLAIN), first: atLeast(4), final: null },
      {
        figure: 'CPU a delivery ÷ bare undici',
        of: ratio('cpuMicrosEach', ONWARD, BARE),
        first: null,
        final: atMost(1.25),
      },
      {
        figure: 'RSS, MB',
        of: (measured) => figureOf(measured, ONWARD, 'peakMegabytes'),
        first: atMost(300),
        final: null,
      },
    ],
  },
  {
    name: 'W1a',
    summary: `W1 with digest, with OAuth 2, and without a proof, in slices of ${SLICE_MS} ms`,
    boundByOneCase: false,
    measurements: [ONWARD_UNPROVEN, ONWARD_DIGEST, ONWARD_UNPROVEN_AGAIN, ONWARD_OAUTH2],
    goals: [
      {
        figure: 'digest: deliveries/s ÷ no proof',
        of: ratio('perSecond', ONWARD_DIGEST, ONWARD_UNPROVEN),
        first: null,
        final: atLeast(0.9),
      },
      {
        figure: 'OAuth 2: deliveries/s ÷ no proof',
        of: ratio('perSecond', ONWARD_OAUTH2, ONWARD_UNPROVEN),
        first: null,
        final: atLeast(0.9),
      },
      {
        figure: 'no proof, again ÷ no proof: the error that is left',
        of: ratio('perSecond', ONWARD_UNPROVEN_AGAIN, ONWARD_UNPROVEN),
        first: null,
        final: null,
      },
    ],
  },
  {
    name: 'W1z',
    summary: `the same with Zipf ${ZIPF_EXPONENT}: the hottest case is 15 % of all changes`,
    boundByOneCase: true,
    measurements: [ONE_AT_A_TIME, ONWARD, PLAIN_ZIPF, ONWARD_NEVER, ONWARD_WAITING],
    goals: [
      {
        figure: 'never: settled/s ÷ the bound of one request at a time per case',
        of: (measured) => figureOf(measured, ONWARD_NEVER, 'perSecond') / hottestBound(measured),
        first: null,
        final: atLeast(0.9),
      },
      {
        figure: 'waiting: settled/s ÷ W1',
        of: ratio('perSecond', ONWARD_WAITING, ONWARD),
        first: null,
        final: atLeast(0.8),
      },
    ],
  },
  {
    name: 'W2',
    summary: `W1 with 5 % of the connections hanging for ${HANG_FOR / 1_000} s`,
    boundByOneCase: false,
    measurements: [ONWARD, ONWARD_HANG],
    goals: [
      {
        figure: 'deliveries/s of the healthy ÷ W1',
        of: ratio('perSecond', ONWARD_HANG, ONWARD),
        first: null,
        final: atLeast(0.95),
      },
    ],
  },
  {
    name: 'W3',
    summary: 'W1 with 10 % of the connections refusing: half answer 503, half have nobody listening',
    boundByOneCase: false,
    measurements: [ONWARD, ONWARD_REFUSE],
    goals: [
      {
        figure: 'deliveries/s of the healthy ÷ W1',
        of: ratio('perSecond', ONWARD_REFUSE, ONWARD),
        first: null,
        final: atLeast(0.95),
      },
      {
        figure: 'requests to a broken connection ÷ probes due',
        of: (measured) =>
          figureOf(measured, ONWARD_REFUSE, 'sentToRefusing') / figureOf(measured, ONWARD_REFUSE, 'probesDue'),
        first: null,
        final: atMost(1),
      },
    ],
  },
  {
    name: 'W4',
    summary: "half of W1's rate, published while it is measured",
    boundByOneCase: false,
    measurements: [ONWARD, ONWARD_HALF],
    goals: [
      {
        figure: 'p50 from produce to request, ms',
        of: (measured) => figureOf(measured, ONWARD_HALF, 'p50'),
        first: null,
        final: null,
      },
      {
        figure: 'p99 from produce to request, ms',
        of: (measured) => figureOf(measured, ONWARD_HALF, 'p99'),
        first: null,
        final: atMost(20),
      },
    ],
  },
  {
    name: 'W5',
    summary: `W4 and ${HOT_CASE_UPDATES} updates/s of one case among the others; the figures are the others'`,
    boundByOneCase: false,
    measurements: [ONWARD, ONWARD_HALF, ONWARD_HOT],
    goals: [{ figure: 'p99 ÷ W4', of: ratio('p99', ONWARD_HOT, ONWARD_HALF), first: null, final: atMost(1.1) }],
  },
  {
    name: 'W7',
    summary: 'a million parked deliveries: parked while all connections refuse, restart, drained once they are well',
    boundByOneCase: false,
    measurements: [ONWARD, ONWARD_READS, ONWARD_PARKS, ONWARD_DRAINS],
    goals: [
      {
        figure: 'restart to first source delivery, s',
        of: (measured) => figureOf(measured, ONWARD_DRAINS, 'secondsToFirst'),
        first: null,
        final: atMost(15),
      },
      {
        figure: 'RSS, MB',
        of: (measured) =>
          Math.max(
            figureOf(measured, ONWARD_PARKS, 'peakMegabytes'),
            figureOf(measured, ONWARD_DRAINS, 'peakMegabytes'),
          ),
        first: null,
        final: atMost(512),
      },
      {
        figure: 'requests/s while draining ÷ W1',
        of: ratio('requestsPerSecond', ONWARD_DRAINS, ONWARD),
        first: null,
        final: atLeast(0.8),
      },
      {
        figure: 'CPU of parking, µs: beyond that of reading',
        of: (measured) =>
          figureOf(measured, ONWARD_PARKS, 'cpuMicrosEach') - figureOf(measured, ONWARD_READS, 'cpuMicrosEach'),
        first: null,
        final: atMost(30),
      },
    ],
  },
]
