// Seeds → lives, in as many processes' threads as asked. Enter: the first seed, and how many. Leave: figures, and what failed.
// It runs in the thread that calls it when there is one job, so that a debugger and a profiler see everything.
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { live } from './live.ts'
import { planLife, SCENARIOS, type Plan, type Scenario } from './plan.ts'
import type { Failure, Line } from './render-story.ts'
import { shrink } from './shrink.ts'

export type Seeds = {
  readonly first: number
  readonly count: number
  /** Ends at the first failure, and leaves it as it is. */
  readonly brief: boolean
}

export type Ran = {
  readonly lives: number
  readonly byScenario: Readonly<Record<Scenario, number>>
  /** Steps that were taken, and records that were written to retry topics. */
  readonly steps: number
  readonly copies: number
  readonly failures: readonly Failure[]
}

/** Failures are shrunk and told; with more, the first few say it. */
const FAILURES_LIMIT = 3
/** Lives of one order to a thread: few enough that all of them end together. */
const CHUNK = 25

export async function runSeeds(seeds: Seeds, jobs: number, onLives: (lives: number) => void): Promise<Ran> {
  const chunks = chunksOf(seeds)
  const ran: Ran[] = []
  let failures = 0
  const note = (one: Ran) => {
    ran.push(one)
    failures += one.failures.length
    onLives(ran.reduce((sum, { lives }) => sum + lives, 0))
  }
  const next = () => (failures >= (seeds.brief ? 1 : FAILURES_LIMIT) ? undefined : chunks.shift())
  if (jobs <= 1) for (let chunk = next(); chunk; chunk = next()) note(await runChunk(chunk))
  else await Promise.all(Array.from({ length: jobs }, () => runInThread(next, note)))
  return sum(ran)
}

function runInThread(next: () => Seeds | undefined, note: (ran: Ran) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: 'lives' })
    const order = () => {
      const chunk = next()
      if (chunk) worker.postMessage(chunk)
      else worker.terminate().then(() => resolve(), reject)
    }
    worker.on('message', (ran: Ran) => {
      note(ran)
      order()
    })
    worker.on('error', reject)
    order()
  })
}

async function runChunk({ first, count, brief }: Seeds): Promise<Ran> {
  const byScenario = Object.fromEntries(SCENARIOS.map((name) => [name, 0])) as Record<Scenario, number>
  const failures: Failure[] = []
  let lives = 0
  let steps = 0
  let copies = 0
  for (let seed = first; seed < first + count && failures.length < (brief ? 1 : FAILURES_LIMIT); seed++) {
    const plan = planLife(seed)
    const life = await live(plan)
    lives++
    byScenario[plan.scenario]++
    steps += life.steps
    copies += life.copies
    if (life.broken) failures.push(await tellFailure(plan, life.broken, brief))
  }
  return { lives, byScenario, steps, copies, failures }
}

async function tellFailure(plan: Plan, broken: Failure['broken'], brief: boolean): Promise<Failure> {
  const { seed, scenario } = plan
  const shrunk = brief ? plan : await shrink(plan, broken.promise)
  const story: Line[] = []
  const again = brief ? { broken } : await live(shrunk, (at, text) => story.push({ at, text }))
  return { seed, scenario, broken: again.broken ?? broken, steps: plan.steps.length, shrunk: shrunk.steps, story }
}

function chunksOf({ first, count, brief }: Seeds): Seeds[] {
  const chunks: Seeds[] = []
  for (let from = 0; from < count; from += CHUNK)
    chunks.push({ first: first + from, count: Math.min(CHUNK, count - from), brief })
  return chunks
}

function sum(ran: readonly Ran[]): Ran {
  const byScenario = Object.fromEntries(
    SCENARIOS.map((name) => [name, ran.reduce((all, one) => all + one.byScenario[name], 0)]),
  ) as Record<Scenario, number>
  const total = (of: (one: Ran) => number) => ran.reduce((all, one) => all + of(one), 0)
  return {
    lives: total(({ lives }) => lives),
    byScenario,
    steps: total(({ steps }) => steps),
    copies: total(({ copies }) => copies),
    failures: ran.flatMap(({ failures }) => failures).toSorted((one, other) => one.seed - other.seed),
  }
}

if (!isMainThread && workerData === 'lives') {
  parentPort?.on('message', (chunk: Seeds) => {
    runChunk(chunk).then(
      (ran) => parentPort?.postMessage(ran),
      (error: unknown) => {
        throw error
      },
    )
  })
}
