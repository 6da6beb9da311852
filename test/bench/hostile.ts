// `npm run bench:hostile`: healthy deliveries apart from hostile remote APIs and beside them, in turn, at a rate that leaves the machine
// room. Apart: the hostile ones have a forwarder of their own, so the machine and its network carry the same load in both.
// It measures and prints; it asserts nothing. Each pair of windows gives a ratio, and what is told is the median of the pairs.
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { startStack } from '../../deploy/local/stack.ts'
import { systemClock } from '../../services/shared/clock.ts'
import { connectKafka } from '../../services/shared/kafka/kafka.ts'
import { openProducer } from '../../services/shared/kafka/producer.ts'
import { openLog } from '../../services/shared/log.ts'
import { openSide, type Place, type Side } from './hostile-ground.ts'
import { median } from './median.ts'
import { readProcessUsage } from './process-usage.ts'
import { renderTable } from './render-report.ts'
import { openToldProcess, type ToldProcess } from './told-process.ts'

const HELP = `npm run bench:hostile -- [options]

Healthy connections and hostile ones, each kind of harm at the same rate as a healthy connection: milliseconds from the publishing
of a change to the beginning of its request at a healthy one. In turn a forwarder has both, or each has a forwarder of its own:
what the hostile ones do to the machine is the same, and what they do to the healthy deliveries of their forwarder shows.

  --pairs N       windows of each kind (12)
  --seconds N     how long a window lasts (5)
  --rate N        changes a second for each connection (10)
  --harms LIST    only these, comma-separated
  --profile DIR   also writes a CPU profile of each forwarder there
  --json          every window as JSON on standard output, instead of a table
  --help

Example: npm run bench:hostile -- --pairs 4 --harms drip,flood
`

const HEALTHY = 20
/** How often changes are published: each batch is a small burst, as from a busy form server. */
const TICK_MS = 20
/** Cases of each connection: enough that a lane is seldom busy. */
const CASES = 500
/** After a window, for what is still under way: a delivery that takes longer counts as this. */
const SETTLE_MS = 3_000
/** Windows of each kind before the first that counts: compilers, sockets, breakers that open. */
const WARM_UP = 2

type Options = { readonly seconds: number; readonly rate: number }
type Window = {
  readonly p50: number
  readonly p99: number
  readonly deliveries: number
  /** Of a core. */
  readonly cpu: number
  readonly megabytes: number
}

const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url))
const say = (line: string) => process.stderr.write(`${line}\n`)

let made = 0
function changeFor(place: string): { key: string; value: string } {
  const id = `${place}-${made++ % CASES}`
  const instant = '2026-01-01T00:00:00Z'
  const value = JSON.stringify({
    ...{ project: 'demo', case_id: id, case_type: place, case_name: 'Somebody', owner_id: 'owner', user_id: 'user' },
    ...{ opened_on: instant, date_modified: instant, server_modified_on: instant, closed: false, date_closed: null },
    properties: { sent_at: String(process.hrtime.bigint()) },
    ...{ indices: [], xform_ids: ['form-1'], attachments: {} },
  })
  return { key: id, value }
}

type Rooms = {
  readonly send: (topic: string, records: { key: string; value: string }[]) => Promise<void>
  readonly receiver: ToldProcess
}

/** @param topics where the changes for each place are published */
async function measure(
  side: Side,
  topics: ReadonlyMap<string, string>,
  { seconds, rate }: Options,
  rooms: Rooms,
): Promise<Window> {
  const places = [...topics]
  await rooms.receiver.ask('')
  const before = readProcessUsage(side.forwarder.pid)
  const startedAt = performance.now()
  let published = 0
  let healthy = 0
  const sends: Promise<void>[] = []
  for (let at = 0; at < seconds * 1_000; at += TICK_MS) {
    // By the clock, not by the sleeps: a busy machine must not thin the load out.
    const due = Math.floor(((performance.now() - startedAt) / 1_000) * rate * places.length)
    const batches = new Map<string, ReturnType<typeof changeFor>[]>()
    for (; published < due; published++) {
      const [place, topic] = places[published % places.length] ?? ['', '']
      if (place.startsWith('healthy')) healthy++
      const batch = batches.get(topic) ?? []
      batches.set(topic, batch)
      batch.push(changeFor(place))
    }
    for (const [topic, batch] of batches) sends.push(rooms.send(topic, batch))
    await sleep(TICK_MS)
  }
  await Promise.all(sends)
  const took: number[] = []
  const until = performance.now() + SETTLE_MS
  while (took.length < healthy && performance.now() < until) {
    took.push(...(JSON.parse(await rooms.receiver.ask('')) as number[]))
    await sleep(TICK_MS)
  }
  const lasted = performance.now() - startedAt
  const after = readProcessUsage(side.forwarder.pid)
  const late = Array.from({ length: healthy - took.length }, () => SETTLE_MS)
  const sorted = [...took, ...late].toSorted((one, other) => one - other)
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
  return {
    p50: at(0.5),
    p99: at(0.99),
    deliveries: took.length,
    cpu: ((after?.cpuMicros ?? Number.NaN) - (before?.cpuMicros ?? Number.NaN)) / 1_000 / lasted,
    megabytes: residentOf(side.forwarder.pid),
  }
}

const residentOf = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? Number.NaN) / 1_024

function report(apart: readonly Window[], beside: readonly Window[]): string {
  const over = (windows: readonly Window[], of: (window: Window) => number) => median(windows.map(of))
  const row = (name: string, windows: readonly Window[]) => [
    name,
    over(windows, ({ p50 }) => p50).toFixed(1),
    over(windows, ({ p99 }) => p99).toFixed(1),
    (over(windows, ({ cpu }) => cpu) * 100).toFixed(1),
    (windows[0]?.megabytes ?? Number.NaN).toFixed(0),
    (windows.at(-1)?.megabytes ?? Number.NaN).toFixed(0),
  ]
  const ratios = (of: (window: Window) => number) =>
    median(beside.map((window, pair) => of(window) / of(apart[pair] ?? window)))
  return [
    renderTable([
      ['healthy deliveries', 'p50 ms', 'p99 ms', 'CPU % of a core', 'RSS MB first', 'last'],
      row('apart from hostile ones', apart),
      row('beside hostile ones', beside),
    ]),
    `p99 beside ÷ apart: ${ratios(({ p99 }) => p99).toFixed(2)} (median of ${apart.length} pairs; goal ≤ 1.1); p50: ${ratios(({ p50 }) => p50).toFixed(2)}\n`,
  ].join('\n')
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      pairs: { type: 'string', default: '12' },
      seconds: { type: 'string', default: '5' },
      rate: { type: 'string', default: '10' },
      harms: { type: 'string' },
      profile: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return void process.stdout.write(HELP)
  const options = { seconds: Number(values.seconds), rate: Number(values.rate) }
  await using receiver = await openToldProcess(here('timing-receiver.ts'))
  await using hostile = await openToldProcess(here('../support/hostile-server.ts'), [
    `http://127.0.0.1:${receiver.first}/`,
  ])
  const known = JSON.parse(hostile.first) as { readonly port: number; readonly harms: readonly string[] }
  const chosen = values.harms?.split(',') ?? known.harms
  const healthy = Array.from({ length: HEALTHY }, (_, index): Place => ({
    id: `healthy-${index}`,
    url: `http://127.0.0.1:${receiver.first}/healthy`,
  }))
  const harms = chosen.map((harm): Place => ({ id: `hostile-${harm}`, url: `http://127.0.0.1:${known.port}/${harm}` }))
  const metadata: Place = { id: 'hostile-metadata', url: 'http://169.254.169.254/latest/' }
  await using stack = await startStack({ registry: false })
  const log = openLog(process.stderr, 'error', 'bench', systemClock)
  const kafka = connectKafka({ brokers: stack.brokers, ssl: null, sasl: null }, 'onward-bench', log)
  await using producer = await openProducer(kafka)
  const profile = values.profile ?? null
  const hostileOnes = [...harms, metadata]
  await using forwarders = new AsyncDisposableStack()
  const open = async (places: readonly Place[]) => {
    const side = await openSide(kafka, stack.brokers, places, profile)
    forwarders.use(side.forwarder)
    return side
  }
  const alone = await open(healthy)
  const apart = await open(hostileOnes)
  const beside = await open([...healthy, ...hostileOnes])
  const topicsOf = (sideOfHealthy: Side, sideOfHostile: Side) =>
    new Map([
      ...healthy.map(({ id }) => [id, sideOfHealthy.topic] as const),
      ...hostileOnes.map(({ id }) => [id, sideOfHostile.topic] as const),
    ])
  const rooms: Rooms = { send: (topic, records) => producer.send(topic, records), receiver }
  const windows = { apart: [] as Window[], beside: [] as Window[] }
  const pairs = Number(values.pairs)
  for (let pair = 1 - WARM_UP; pair <= pairs; pair++) {
    const measureApart = () => measure(alone, topicsOf(alone, apart), options, rooms)
    const measureBeside = () => measure(beside, topicsOf(beside, beside), options, rooms)
    // Every other pair the other way round: neither always has what the other left behind.
    const turned = pair % 2 === 0
    const early = turned ? await measureBeside() : null
    const first = await measureApart()
    const second = early ?? (await measureBeside())
    const each = ({ p99, cpu, megabytes }: Window) =>
      `p99 ${p99.toFixed(1)} ms, ${(cpu * 100).toFixed(0)} % of a core, ${megabytes.toFixed(0)} MB`
    say(`${pair < 1 ? 'warm-up' : `pair ${pair} of ${pairs}`}: apart ${each(first)}; beside ${each(second)}`)
    if (pair < 1) continue
    windows.apart.push(first)
    windows.beside.push(second)
  }
  process.stdout.write(
    values.json ? `${JSON.stringify(windows, null, 2)}\n` : `\n${report(windows.apart, windows.beside)}`,
  )
}

await main()
process.exit()
