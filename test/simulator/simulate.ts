// `npm run simulate`: lives of a forwarder in virtual time, one for each seed, each judged after every step.
// Enter: options. Leaves: a verdict and figures on standard output, progress on standard error, and an exit code.
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { openProgress } from '../../deploy/local/progress.mjs'
import { renderFailure } from './render-story.ts'
import { runSeeds, type Ran } from './run-seeds.ts'

const HELP = `npm run simulate -- [options]

Runs the real hub and its real rooms through random lives in virtual time: changes, failing remotes, full memory, crashes in quick
succession, rebalances, processes that are stopped and go on, lost acknowledgements, letters put back, rules and clocks that change.
Every promise of Onward is judged after every step. A life that breaks one is shrunk, and told as a list of what happened.

  --seeds N     how many lives (1000, or 1 when a seed is named)
  --seed N      the first seed; the others follow it (drawn, and printed)
  --jobs N      threads (one for each core)
  --brief       ends at the first failure, and does not shrink it
  --json        one JSON object on standard output
  --help

Examples:
  npm run simulate -- --seeds 5000
  npm run simulate -- --seed 4711                 one life again, as it was
  npm run simulate -- --seeds 20000 --jobs 1 --json > lives.json

Exit code 0: every promise held. 1: one was broken. 2: usage.
`

type Options = {
  readonly first: number
  readonly count: number
  readonly jobs: number
  readonly brief: boolean
  readonly json: boolean
  readonly help: boolean
}

function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seeds: { type: 'string' },
      seed: { type: 'string' },
      jobs: { type: 'string', default: String(availableParallelism()) },
      brief: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  const { seed = String(Math.floor(Math.random() * 1_000_000)), seeds = values.seed === undefined ? '1000' : '1' } =
    values
  return {
    first: wholeNumber('--seed', seed, 0),
    count: wholeNumber('--seeds', seeds, 1),
    jobs: wholeNumber('--jobs', values.jobs, 1),
    brief: values.brief,
    json: values.json,
    help: values.help,
  }
}

function wholeNumber(name: string, text: string, least: number): number {
  const value = text.trim() === '' ? Number.NaN : Number(text)
  if (!Number.isSafeInteger(value) || value < least)
    throw new TypeError(`${name} is a whole number from ${least}: not ${text}`)
  return value
}

async function simulate({ first, count, jobs, brief, json }: Options): Promise<number> {
  const progress = openProgress()
  const step = progress.step(`${count} ${count === 1 ? 'life' : 'lives'} from seed ${first}`)
  const ran = await runSeeds({ first, count, brief }, Math.min(jobs, count), (lives) => {
    step.says(`${bar(lives / count)} ${lives} of ${count}`)
  })
  const held = ran.failures.length === 0
  if (held) step.done()
  else step.failed()
  console.log(json ? JSON.stringify({ first, held, ...ran }) : render(first, ran))
  return held ? 0 : 1
}

const BAR = 20
const bar = (part: number): string => '█'.repeat(Math.floor(part * BAR)).padEnd(BAR, '░')

function render(first: number, { lives, byScenario, steps, copies, failures }: Ran): string {
  const scenarios = Object.entries(byScenario).map(([name, count]) => `${count} ${name}`)
  const told = failures.map((failure) => `\n${renderFailure(failure)}\n`)
  const verdict = failures.length === 0 ? 'Every promise held' : 'A promise was broken'
  return [
    ...told,
    `${verdict}: seeds ${first} to ${first + lives - 1}, ${lives} lives (${scenarios.join(', ')}), ${steps} steps, ${copies} copies in retry topics.`,
  ].join('\n')
}

async function main(): Promise<number> {
  let options: Options
  try {
    options = readOptions(process.argv.slice(2))
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`)
    return 2
  }
  if (options.help) {
    console.log(HELP)
    return 0
  }
  return await simulate(options)
}

process.exitCode = await main()
