// `npm run chaos`: a real broker, forwarders as processes, remotes that fail, upstream publishing all the while, and faults by a
// seeded schedule; then calm, and the history checker, whose verdict is the exit code.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { startStack } from '../../deploy/local/stack.ts'
import { doFaults } from './do-faults.ts'
import { openDoors } from './doors.ts'
import { judgeHistory, type Judgement } from './judge-history.ts'
import { openMembers, type Members } from './members.ts'
import { JUDGE_REFUSES, openGround, PREFIX, REMOTES, RULES, TOPICS, type Ground } from './open-ground.ts'
import { planFaults } from './plan-faults.ts'
import { openPoints, type Point } from './points.ts'
import { openArrivals, type Arrivals, type Remote } from './remotes.ts'
import { publishChanges } from './upstream.ts'

const HELP = `npm run chaos -- [options]

Starts a cluster of its own, three forwarders and four remote APIs, publishes changes all the while, and does to them by a seeded
schedule:
  forwarders  kill -9 of one and of all, SIGSTOP for 20 to 60 s, SIGTERM, a storm of five that come and go, one that leaves as soon
              as it has joined; kill -9 at named points: after a remote's answer, before a retry record is acknowledged, before a
              commit, in the middle of restoring
  brokers     kill -9 of one, and in runs of 5 min or more of all of them for a minute
  remotes     refuse, hang, drip, reset, are cut in mid-body, flap, are slow, answer 503, or 429 with Retry-After
Then it waits until all is settled and judges.

  --minutes N   how long the faults last (2); the calm after it takes up to four more
  --seed N      the same seed makes the same schedule and the same changes, not the same interleaving (drawn, and printed)
  --nodes N     1 or 3 brokers (1)
  --json        the result as one JSON object on standard output
  --keep        keeps the folder with every request and the forwarders' logs; after a violation it is kept anyway
  --help

  npm run chaos -- --minutes 10 --seed 7
  npm run chaos -- --minutes 10 --nodes 3 --json > result.json

Exit code 0: nothing missing, nothing out of order, no two requests of one case on the wire together, no dead letter that nothing
asked for, no process that ended by itself, no shutdown that failed while the brokers were there. 1: something was. 2: usage.

A kill after a remote's answer needs Linux, which tells whose socket it was; elsewhere nobody is killed there, and the figures say so.

What it does not do yet: faults of the network between us and the brokers; a registry (values are JSON); changed rules or a requeue
while it runs; memory that is full; a check that a stopped process sends nothing after its lease but by the order of what arrives; how
long anybody pauses, or how many duplicates are too many.
`

const MEMBERS = ['a', 'b', 'c']
/** With them there are five. */
const VISITORS = ['x', 'y']
const CALM_WITHIN_MS = 240_000
const LOOK_EVERY_MS = 2_000
const VIOLATIONS_SHOWN = 20

function readOptions(args: readonly string[]) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: 'string', default: '2' },
      nodes: { type: 'string', default: '1' },
      json: { type: 'boolean', default: false },
      seed: { type: 'string', default: String(Math.floor(Math.random() * 1_000_000)) },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const minutes = Number(values.minutes)
  const seed = Number(values.seed)
  if (!(minutes > 0)) throw new TypeError(`--minutes is a number above 0: not ${values.minutes}`)
  if (!Number.isSafeInteger(seed)) throw new TypeError(`--seed is a whole number: not ${values.seed}`)
  if (values.nodes !== '1' && values.nodes !== '3') throw new TypeError(`--nodes is 1 or 3: not ${values.nodes}`)
  const nodes = values.nodes === '3' ? 3 : 1
  return { minutes, seed, nodes, keep: values.keep, json: values.json, help: values.help } as const
}

const startedAt = performance.now()
const say = (line: string): void => {
  process.stderr.write(`[${((performance.now() - startedAt) / 1_000).toFixed(1).padStart(6)} s] ${line}\n`)
}

type Options = ReturnType<typeof readOptions>

async function run({ seed, minutes, nodes, json }: Options, folder: string): Promise<boolean> {
  say(`seed ${seed}, faults for ${minutes} min; requests and logs in ${folder}`)
  await using stack = await startStack({ registry: false, own: true, nodes })
  const members: Members = openMembers((name) => ground.environmentFor(doors.brokersOf(name)), folder)
  const kill = (name: string) => {
    members.kill(name).catch((error: unknown) => say(`not killed: ${String(error)}`))
  }
  const points = openPoints(kill, (port) => members.whoAsksFrom(port))
  await using doors = await openDoors(stack.brokers, [...MEMBERS, ...VISITORS], `${PREFIX}retry.`, points.passes)
  await using arrivals = openArrivals(join(folder, 'requests.jsonl'), startedAt, points.answered)
  const remotes: Remote[] = []
  for (const name of REMOTES) remotes.push(await arrivals.openRemote(name, name === 'judge' ? JUDGE_REFUSES : 0))
  await using ground = await openGround(stack, new Map(remotes.map(({ name, url }) => [name, url])))
  for (const name of MEMBERS) members.start(name)

  const length = minutes * 60_000
  const signal = AbortSignal.timeout(length)
  const names = { names: MEMBERS, visitors: VISITORS }
  const stage = { members, ...names, points, brokers: stack.kafka, remotes, say, seed, signal }
  const [done] = await Promise.all([
    doFaults(planFaults(seed, length, remotes.length), stage),
    publishChanges(ground.producer, TOPICS, seed, signal),
  ])
  say('calm')
  const waiting = await untilSettled(ground, arrivals, members)
  await Promise.all(MEMBERS.map((name) => members.term(name, () => true)))

  const deadLetters = await ground.readDeadLetters()
  const published = await ground.readPublished()
  const { violations, figures } = judgeHistory({ rules: RULES, published, requests: arrivals.requests, deadLetters })
  // Only the judge refuses for good, and the schedules are far longer than any fault.
  const wrongly = deadLetters.filter(({ reason, repeater }) => reason !== 'rejected' || repeater !== 'demo/judged')
  const condemned = wrongly.map(
    ({ reason, repeater, topic, partition, offset }) =>
      `a dead letter that nothing asked for: ${reason}, ${repeater} ${topic}:${partition}:${offset}`,
  )
  const { counts } = members
  const result: Result = {
    seed,
    minutes,
    nodes,
    published: published.length,
    ...figures,
    waiting,
    rebalances: members.logged('partitions-assigned'),
    kills: { anywhere: counts.kills - sumOf(Object.values(points.kills)), ...points.kills },
    brokerKills: done.brokerKills,
    stops: counts.stops,
    terms: counts.terms,
    handBacks: done.handBacks,
    violations: violations.map(({ kind, repeater, lane, what }) => `${kind} ${repeater} ${lane}: ${what}`),
    faults: [...members.faults, ...condemned],
  }
  const isClean = result.violations.length === 0 && result.faults.length === 0
  console.log(json ? JSON.stringify({ ...result, isClean }) : render(result, isClean))
  return isClean
}

type Result = Judgement['figures'] & {
  readonly seed: number
  readonly minutes: number
  readonly nodes: number
  readonly published: number
  /** null: the forwarders did not say. */
  readonly waiting: number | null
  /** As each member heard of them. */
  readonly rebalances: number
  /** Of forwarders, by where they were. */
  readonly kills: Readonly<Record<Point | 'anywhere', number>>
  readonly brokerKills: number
  readonly stops: number
  readonly terms: number
  /** Members that left as soon as they had joined. */
  readonly handBacks: number
  readonly violations: readonly string[]
  readonly faults: readonly string[]
}

function render(result: Result, isClean: boolean): string {
  const { seed, minutes, nodes, violations, faults, kills, waiting, ...figures } = result
  const shown = (title: string, lines: readonly string[]) => [
    ...lines.slice(0, VIOLATIONS_SHOWN).map((line) => `${title}  ${line}`),
    ...(lines.length > VIOLATIONS_SHOWN ? [`and ${lines.length - VIOLATIONS_SHOWN} more`] : []),
  ]
  const list = (numbers: Readonly<Record<string, number>>) =>
    Object.entries(numbers)
      .map(([name, value]) => `${name} ${value}`)
      .join(', ')
  return [
    ...shown('FAULT', faults),
    ...shown('VIOLATION', violations),
    `${list(figures)}, waiting ${waiting ?? 'unknown'}, violations ${violations.length}, faults ${faults.length}`,
    `forwarders killed: ${list(kills)}`,
    `seed ${seed}, ${minutes} min, ${nodes === 1 ? 'one broker' : `${nodes} brokers`}: ${isClean ? 'clean' : 'NOT CLEAN'}`,
  ].join('\n')
}

const sumOf = (numbers: readonly number[]): number => numbers.reduce((sum, each) => sum + each, 0)

/** @returns how many deliveries still wait at the end, as the forwarders say; null when they don't */
async function untilSettled(ground: Ground, arrivals: Arrivals, members: Members): Promise<number | null> {
  const endsAt = performance.now() + CALM_WITHIN_MS
  const published = await ground.readPublished()
  for (;;) {
    const deadLetters = await ground.readDeadLetters()
    const judged: Judgement = judgeHistory({ rules: RULES, published, requests: arrivals.requests, deadLetters })
    const waiting = await members.sum('onward_deliveries_waiting')
    const lag = await members.sum('onward_consumer_lag_records')
    say(`missing ${judged.figures.missing}, waiting ${waiting ?? '?'}, lag ${lag ?? '?'}`)
    if ((judged.figures.missing === 0 && waiting === 0 && lag === 0) || performance.now() > endsAt) return waiting
    await pause(LOOK_EVERY_MS)
  }
}

async function main(): Promise<number> {
  let options: Options
  try {
    options = readOptions(process.argv.slice(2))
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error))
    return 2
  }
  if (options.help) {
    console.log(HELP)
    return 0
  }
  const folder = mkdtempSync(join(tmpdir(), 'onward-chaos-'))
  const isClean = await run(options, folder)
  if (isClean && !options.keep) rmSync(folder, { recursive: true, force: true })
  else say(`kept: ${folder}`)
  return isClean ? 0 : 1
}

process.exitCode = await main()
