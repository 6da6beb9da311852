// `onward plan`: partitions, processes, sockets, memory and disk for a load. Never: a look at a cluster.
import { readDuration, renderDuration } from '../shared/duration.ts'
import type { Millis } from '../shared/clock.ts'
import { readArguments, readCount, readRate, UsageError } from './arguments.ts'
import { decidePlan, type Load, type Plan } from './plan/decide-plan.ts'
import { EXIT, type Verb } from './verb.ts'

const HELP = `Usage: onward plan --changes RATE [options]

Says what a load needs, from figures that were measured (docs/scaling.md says which, and what to do beyond them).

Options:
  --changes RATE     changes at the peak: 500/s, 3000/m or 100000/h
  --average RATE     changes over days (default a quarter of the peak)
  --fan-out N        repeaters that match a change, on average (default 1)
  --bytes N          of a change's value (default 1024)
  --connections N    remote APIs (default 1)
  --latency T        how long a remote API takes to answer (default 200ms)
  --outage T         the longest time that one is away (default 3d)
  --away PERCENT     of all deliveries, those of remote APIs that are away at the same time (default 10)
  --retention T      how long the source topics keep their records (default 7d)
  --replication N    of the topics (default 3)
  --json             as JSON

Exit codes: 0 printed; 1 more than one cluster should carry; 2 usage.

Examples:
  onward plan --changes 500/s --connections 20
  onward plan --changes 2000/s --average 300/s --fan-out 1.5 --connections 100 --latency 1s --outage 7d --away 5
`

const DAY: Millis = 86_400_000

export const verb: Verb = {
  name: 'plan',
  summary: 'say how many partitions, processes, sockets and bytes a load needs',
  help: HELP,
  run: async (args, terminal) => {
    const { values } = readArguments(args, {
      changes: { type: 'string' },
      average: { type: 'string' },
      'fan-out': { type: 'string' },
      bytes: { type: 'string' },
      connections: { type: 'string' },
      latency: { type: 'string' },
      outage: { type: 'string' },
      away: { type: 'string' },
      retention: { type: 'string' },
      replication: { type: 'string' },
      json: { type: 'boolean' },
    })
    const changesPerSecond = readRate('changes', values.changes)
    if (changesPerSecond === null) throw new UsageError('how many changes at the peak? --changes 500/s')
    const load: Load = {
      changesPerSecond,
      changesPerSecondOnAverage: readRate('average', values.average) ?? changesPerSecond / 4,
      deliveriesPerChange: readAmount('fan-out', values['fan-out'], 1, Infinity),
      bytes: readCount('bytes', values.bytes) ?? 1_024,
      connections: readCount('connections', values.connections) ?? 1,
      latency: readTime('latency', values.latency, 200),
      outage: readTime('outage', values.outage, 3 * DAY),
      away: readAmount('away', values.away, 10, 100) / 100,
      retention: readTime('retention', values.retention, 7 * DAY),
      replication: readCount('replication', values.replication) ?? 3,
    }
    const plan = decidePlan(load)
    terminal.stdout(values.json ? `${JSON.stringify({ load, plan }, null, 2)}\n` : renderPlan(load, plan))
    return Promise.resolve(plan.partitions === null ? EXIT.failed : EXIT.done)
  },
}

/** @throws UsageError */
function readAmount(option: string, text: string | undefined, otherwise: number, most: number): number {
  if (text === undefined) return otherwise
  const amount = Number(text)
  if (text.trim() === '' || !(amount >= 0) || amount > most || amount === Infinity) {
    const range = most === Infinity ? 'a number of at least 0' : `a number from 0 to ${most}`
    throw new UsageError(`--${option} takes ${range}, not "${text}"`)
  }
  return amount
}

/** @throws UsageError */
function readTime(option: string, text: string | undefined, otherwise: Millis): Millis {
  if (text === undefined) return otherwise
  const time = readDuration(text)
  if (time === undefined || time === 0) throw new UsageError(`--${option} takes a duration such as 30s, not "${text}"`)
  return time
}

function renderPlan(load: Load, plan: Plan): string {
  const lines: readonly (readonly [what: string, value: string, why: string])[] = [
    ['deliveries', `${amount(plan.deliveriesPerSecond)}/s`, 'at the peak'],
    [
      'forwarders',
      String(plan.processes),
      `${plan.cores.toFixed(2)} cores in all; one core a process, filled to 60 %, a million parked; two at least`,
    ],
    [
      'partitions',
      plan.partitions === null ? 'too many' : String(plan.partitions),
      plan.partitions === null
        ? 'more than one cluster should carry: docs/scaling.md'
        : 'of each source topic; room to grow, for adding some later moves cases',
    ],
    [
      'limits.concurrency',
      String(plan.concurrency),
      `for each connection; ${amount(plan.socketsInAll)} sockets in all, twice what the load keeps busy`,
    ],
    [
      'one case',
      `${amount(plan.changesPerSecondOfOneCase)}/s`,
      'changes that its remote API can take of it: one request at a time',
    ],
    [
      'memory',
      `${amount(plan.memoryPerProcessMb)} MB`,
      `for each forwarder, with ${amount(plan.parked)} deliveries parked in all`,
    ],
    [
      'source topics',
      gigabytes(plan.sourceDiskGb),
      `on the brokers, ${renderDuration(load.retention)} of changes, replicated`,
    ],
    [
      'retry topics',
      gigabytes(plan.retryDiskGb),
      `on the brokers, at the end of ${renderDuration(load.outage)} of outage`,
    ],
    ['drain', drainText(plan), 'after that outage, beside what is new'],
  ]
  const widths = [0, 1].map((column) => Math.max(...lines.map((line) => line[column === 0 ? 0 : 1].length)))
  return lines
    .map(([what, value, why]) => `${what.padEnd(widths[0] ?? 0)}  ${value.padStart(widths[1] ?? 0)}  ${why}\n`)
    .join('')
}

const amount = (value: number): string =>
  value < 10 ? String(Math.round(value * 10) / 10) : Math.round(value).toLocaleString('en')

const gigabytes = (value: number): string => (value < 1 ? `${Math.ceil(value * 1_000)} MB` : `${amount(value)} GB`)

function drainText({ drain }: Plan): string {
  if (drain === null) return 'never'
  const minutes = drain / 60_000
  if (minutes < 1) return `${Math.ceil(drain / 1_000)} s`
  return minutes < 120 ? `${Math.ceil(minutes)} min` : `${amount(minutes / 60)} h`
}
