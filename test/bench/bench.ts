// `npm run bench`: named workloads, systems side by side, ratios against the goals. It measures and prints; it asserts nothing.
import { parseArgs } from 'node:util'
import { describeMachine } from './describe-machine.ts'
import { judgeHistories } from './judge-history.ts'
import { measure } from './measure.ts'
import { loadsOf, ONWARD, stepsOf, type LoadName, type Measurement } from './measurements.ts'
import { openGround, type Ground } from './open-ground.ts'
import { renderHistories, renderJson, renderMachine, renderWorkload } from './render-report.ts'
import { topOfProfile } from './top-of-profile.ts'
import type { RunFigures } from './watch.ts'
import { WORKLOADS, type Measured, type Workload } from './workloads.ts'

const HELP = `npm run bench -- [workload…] [options]

Measures Onward beside a bare undici loop and a plain kafkajs forwarder: same machine, same run, same kind of receiver, same sockets.
${WORKLOADS.map(({ name, summary }) => `  ${name.padEnd(4)} ${summary}`).join('\n')}

  --runs N        how often each system is measured; medians are printed (3)
  --seconds N     how long a measurement lasts, about (15); W2, W3 and the draining of W7 twice as long
  --changes N     changes published for each load (10,000 for each second)
  --parked N      deliveries that W7 parks (1,000,000)
  --rate N        changes a second of W4 and W5 (half of what W1 showed in the same run)
  --seed N        the same seed makes the same load (1)
  --format F      avro or json: what the records are (avro)
  --profile DIR   also writes a CPU profile of each run of Onward there, and prints where the time of the longest goes
  --only TEXT     only the systems whose name holds TEXT, or one of several: parks,drains; ratios that need others stay open
  --json          figures of every run as JSON on standard output, instead of tables
  --help

KAFKA_BROKERS (and SCHEMA_REGISTRY_URL) use a cluster that already runs; topics named bench-… stay behind on it.
Exit code: 1 when a measurement failed, or the history of one of Onward's is not clean (order, twice, missing).
Examples:
  npm run bench -- W1 --runs 1 --seconds 10
  npm run bench -- W1 W2 W3 W5 W7 --runs 1           about ten minutes
`

class UsageError extends Error {
  readonly code = 'USAGE'
}

type Options = ReturnType<typeof readOptions>

function readOptions(args: readonly string[]) {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      runs: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '15' },
      changes: { type: 'string' },
      parked: { type: 'string' },
      rate: { type: 'string' },
      seed: { type: 'string', default: '1' },
      format: { type: 'string', default: 'avro' },
      profile: { type: 'string' },
      only: { type: 'string', default: '' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const unknown = positionals.filter((name) => !WORKLOADS.some((workload) => workload.name === name))
  if (unknown.length > 0) {
    throw new UsageError(`No workload ${unknown.join(', ')}: there are ${WORKLOADS.map(({ name }) => name).join(', ')}`)
  }
  if (values.format !== 'avro' && values.format !== 'json') throw new UsageError('--format is avro or json')
  return {
    workloads: WORKLOADS.filter(({ name }) => positionals.length === 0 || positionals.includes(name)),
    runs: readCount('--runs', values.runs),
    seconds: readCount('--seconds', values.seconds),
    changes: values.changes === undefined ? null : readCount('--changes', values.changes),
    parked: values.parked === undefined ? null : readCount('--parked', values.parked),
    rate: values.rate === undefined ? null : readCount('--rate', values.rate),
    seed: readCount('--seed', values.seed),
    format: values.format,
    profile: values.profile ?? null,
    only: values.only.toLowerCase().split(','),
    json: values.json,
    help: values.help,
  } as const
}

function readCount(name: string, text: string): number {
  const count = Number(text)
  if (!Number.isSafeInteger(count) || count < 1) throw new UsageError(`${name} is a whole number from 1: not ${text}`)
  return count
}

const startedAt = performance.now()
const say = (line: string): void => {
  const seconds = Math.round((performance.now() - startedAt) / 1_000)
  process.stderr.write(`[${String(seconds).padStart(4)} s] ${line}\n`)
}

/** Each once: W1z is held against W1's Onward, whoever asks for it. */
function measurementsOf(workloads: readonly Workload[], { only }: Options): Measurement[] {
  const all = new Set(workloads.flatMap((workload) => workload.measurements))
  return [...all].filter(({ label }) => only.some((text) => label.toLowerCase().includes(text)))
}

/** Each run measures every system once, one after the other or by slices of time: a ratio is of two that were measured side by side. */
async function measureAll(measurements: readonly Measurement[], ground: Ground, options: Options): Promise<Measured[]> {
  const skewed = measurements.some((measurement) => loadOf(measurement).includes('zipf-short'))
  const hottestShare = skewed ? ground.load('zipf-short').hottestShare : Number.NaN
  const runs: Measured[] = []
  for (let run = 1; run <= options.runs; run += 1) {
    const figures = new Map<string, RunFigures>()
    for (const step of stepsOf(measurements, run)) {
      const labels = step.kind === 'alone' ? step.measurement.label : step.group.map(({ label }) => label).join('; ')
      say(`run ${run} of ${options.runs}: ${labels}`)
      const progressOf = (label: string) => (counted: number, perSecond: number) =>
        say(`  ${label}: ${counted}, ${Math.round(perSecond)}/s`)
      const liveRate = options.rate ?? Math.round((figures.get(ONWARD.label)?.perSecond ?? Number.NaN) / 2)
      const { seconds, profile } = options
      try {
        for (const [label, measured] of await measure(step, ground, { run, seconds, liveRate, profile, progressOf })) {
          figures.set(label, measured)
          say(`${label}: ${Math.round(measured.perSecond)}/s, ${measured.cpuMicrosEach.toFixed(1)} µs CPU each`)
        }
      } catch (error) {
        // What breaks leaves the figures of other steps standing; the table says what it was.
        say(`${labels} FAILED: ${error instanceof Error ? error.message : String(error)}`)
        process.exitCode = 1
      }
    }
    runs.push({ figures, hottestShare })
  }
  return runs
}

const loadOf = ({ subject }: Measurement): LoadName[] =>
  subject.system === 'bare' || subject.load === 'live' ? [] : [subject.load]

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2))
  if (options.help) {
    process.stdout.write(HELP)
    return
  }
  const measurements = measurementsOf(options.workloads, options)
  const loads = loadsOf(options.seconds, options.changes, options.parked)
  await using ground = await openGround(
    {
      loads: [...new Set(measurements.flatMap(loadOf))].map((name) => loads[name]),
      seed: options.seed,
      format: options.format,
    },
    say,
  )
  const runs = await measureAll(measurements, ground, options)
  const machine = describeMachine(options)
  const histories = judgeHistories(measurements, runs)
  if (histories.some(({ faults }) => faults.length > 0)) process.exitCode = 1
  process.stdout.write(
    options.json
      ? `${renderJson(options.workloads, runs, histories, machine)}\n`
      : `\n${[...options.workloads.map((workload) => renderWorkload(workload, runs)), renderHistories(histories), renderMachine(machine)].join('\n')}`,
  )
  if (options.profile !== null) process.stdout.write(`\n${topOfProfile(options.profile)}`)
}

process.on('SIGINT', () => process.exit(130))
process.on('SIGTERM', () => process.exit(143))
// A terminal that is closed: systems that stand still would hear nothing of it.
process.on('SIGHUP', () => process.exit(129))
try {
  await main()
} catch (error) {
  process.stderr.write(
    `${error instanceof UsageError || isParseError(error) ? error.message : String(error instanceof Error ? error.stack : error)}\n`,
  )
  process.exitCode = error instanceof UsageError || isParseError(error) ? 2 : 1
}

function isParseError(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')
}
