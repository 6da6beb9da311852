import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { askedSeed } from '../support/property.ts'
import { live } from './live.ts'
import { NAMED_LIVES } from './named-lives.ts'
import { SCENARIOS } from './plan.ts'
import { renderFailure, type Failure } from './render-story.ts'
import type { Ran } from './run-seeds.ts'

const SEEDS = 2_000
/** The same lives in every run of the tests, so that a change is judged by what it changes; `npm run simulate` draws others. */
const FIRST_SEED = 1

/** In a process of its own: the runner's book-keeping of promises would take as long again as the lives. */
async function simulate(...args: readonly string[]) {
  const script = join(import.meta.dirname, 'simulate.ts')
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const said = { out: '', error: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said.out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said.error += text))
  const code = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve))
  return { code, ...said }
}

test(`in ${SEEDS} random lives of forwarders every promise holds`, async (t) => {
  const first = askedSeed() ?? FIRST_SEED
  t.diagnostic(`TEST_SEED=${first}`)
  const seeds = askedSeed() === undefined ? SEEDS : 1
  const { code, out, error } = await simulate('--seed', `${first}`, '--seeds', `${seeds}`, '--jobs', '1', '--json')
  assert.notEqual(out, '', error)
  const ran = JSON.parse(out) as Ran
  t.diagnostic(`seeds ${first} to ${first + ran.lives - 1}: ${ran.steps} steps, ${ran.copies} copies in retry topics`)
  assert.equal(ran.failures.map((failure: Failure) => renderFailure(failure)).join('\n\n'), '')
  assert.equal(code, 0, error)
  assert.equal(ran.lives, seeds)
  if (seeds === 1) return
  for (const scenario of SCENARIOS)
    assert.ok(ran.byScenario[scenario] >= SEEDS / 20, `${scenario}: ${ran.byScenario[scenario]} lives`)
  assert.ok(ran.copies > 10 * SEEDS, `only ${ran.copies} copies were parked`)
})

for (const { title, plan } of NAMED_LIVES) {
  test(title, async () => {
    const { broken } = await live(plan)
    assert.equal(broken, null, JSON.stringify(broken))
  })
}

test('one seed has one life, whatever else runs beside it', async () => {
  const [once, again] = await Promise.all([
    simulate('--seed', '7', '--seeds', '10', '--jobs', '1', '--json'),
    simulate('--seed', '7', '--seeds', '10', '--jobs', '2', '--json'),
  ])
  assert.equal(once.code, 0, once.error)
  assert.equal(once.out, again.out)
})

test('npm run simulate says what it takes, and refuses the rest', async () => {
  const help = await simulate('--help')
  assert.equal(help.code, 0)
  assert.match(help.out, /--seeds N.*--seed N.*--jobs N.*--json.*Examples.*Exit code/s)
  const refused = await simulate('--seeds', 'many')
  assert.equal(refused.code, 2)
  assert.match(refused.error, /^--seeds is a whole number from 1: not many/)
})
