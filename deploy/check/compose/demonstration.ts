// What a newcomer does with docker-compose.yml, and what must come of it, told in this order. Enter: an engine with the images.
// Leaves: of each story what was seen, or an Error that says what was not as it should be.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { REPOSITORY } from '../../local/paths.ts'
import { EXPECTED_MAILS } from '../../local/start/story.ts'
import { until } from '../until.ts'
import { judgeArrivals } from './judge-arrivals.ts'
import { well, type Calls, type Engine } from './open-engine.ts'

/** Its containers, volumes and network are no one else's, whatever runs there under the name that the file has. */
const PROJECT = 'onward-check'
const ALL_PROFILES = 'core,observability'
const SERVICES = ['forwarder', 'notifier']
const LOOK_AROUND = join(import.meta.dirname, 'look-around.cjs')
const ANSWERS_WITHIN_MS = 5_000
const RULES = join(REPOSITORY, 'deploy', 'prometheus', 'onward.rules.yaml')

export type Demonstration = {
  readonly engine: Engine
  readonly signal: AbortSignal
  /** What is built. */
  readonly image: string
  /** Docker Compose with these words and one of the file's profiles. @returns what it said @throws Error where it fails */
  readonly compose: (profiles: string, ...args: readonly string[]) => Promise<string>
  /** The same, when all else was aborted. */
  readonly composeLastly: Demonstration['compose']
}

export type Story = { readonly title: string; readonly tell: (demonstration: Demonstration) => Promise<string> }

/** @param image as the compose file calls it */
export function openDemonstration(engine: Engine, image: string, signal: AbortSignal): Demonstration {
  const secret = randomBytes(32).toString('hex')
  const composeBy =
    ({ compose }: Calls): Demonstration['compose'] =>
    (profiles, ...args) => {
      const env = { COMPOSE_PROJECT_NAME: PROJECT, COMPOSE_PROFILES: profiles, ONWARD_LINK_SECRET: secret }
      return well(compose(REPOSITORY, env, ...args))
    }
  return { engine, signal, image, compose: composeBy(engine), composeLastly: composeBy(engine.lastly) }
}

export const comesUp: Story = {
  title: 'docker compose up --build',
  tell: async (demonstration) => {
    const { compose, signal } = demonstration
    const begunAt = performance.now()
    await compose('core', 'up', '--build', '--detach')
    await until('the mail that all is well again', async () => (await mails()).length >= EXPECTED_MAILS, signal)
    const took = ((performance.now() - begunAt) / 1_000).toFixed(0)
    assert.deepEqual(await mails(), [
      '[demo] The shaky endpoint is failing',
      '[demo] The shaky endpoint is back to normal',
    ])
    await arrived(demonstration, 1)
    return `${took} s until the endpoint had failed, was healed, and both was mailed, the base images in place`
  },
}

export const confined: Story = {
  title: 'forwarder and notifier are process 1, not root, and can do and write nothing',
  tell: async ({ compose }) => {
    for (const service of SERVICES) {
      const seen = await compose('core', 'exec', '-T', service, 'node', '-e', readFileSync(LOOK_AROUND, 'utf8'))
      assert.deepEqual(JSON.parse(seen), {
        first: `node services/${service}/main.ts`,
        uid: 10_001,
        mayEver: '0000000000000000',
        noNewPrivileges: '1',
        writing: 'EROFS',
      })
    }
    return SERVICES.join(', ')
  },
}

export const goesOn: Story = {
  title: 'both are stopped, and a second up goes on: all comes, in order, and nothing twice',
  tell: async (demonstration) => {
    const { engine, compose } = demonstration
    const stop = () => compose('core', 'stop', ...SERVICES)
    await stop()
    for (const service of SERVICES) {
      const id = (await compose('core', 'ps', '--all', '--quiet', service)).trim()
      const code = await well(engine.docker('inspect', '--format', '{{.State.ExitCode}}', id))
      assert.equal(code.trim(), '0', `the ${service}'s exit code`)
    }
    await compose('core', 'up', '--detach')
    await arrived(demonstration, 2)
    // What would come once too often has come when nobody sends any more.
    await stop()
    await arrived(demonstration, 2)
    return 'exit code 0 of both'
  },
}

/** @param withGrafana whether its image could be had */
export const observed = (withGrafana: boolean): Story => ({
  title: 'Prometheus scrapes both, and knows every alert',
  tell: async ({ compose, signal }) => {
    await compose('observability', 'up', '--detach', ...SERVICES, 'prometheus', ...(withGrafana ? ['grafana'] : []))
    await until(
      'both are scraped',
      async () => {
        const targets = (await ask<Targets>('http://127.0.0.1:9090/api/v1/targets'))?.data.activeTargets ?? []
        return targets.filter(({ health }) => health === 'up').length === SERVICES.length
      },
      signal,
    )
    const { groups } = parse(readFileSync(RULES, 'utf8')) as Rules
    const known = (await ask<{ data: Rules }>('http://127.0.0.1:9090/api/v1/rules'))?.data.groups ?? []
    const names = ({ rules }: Rules['groups'][number]) => rules.map(({ name, alert }) => name ?? alert)
    assert.deepEqual(known.flatMap(names), groups.flatMap(names))
    if (!withGrafana) return `${known.flatMap(names).length} rules; without Grafana, whose image could not be had`
    await until(
      'the dashboard is there',
      async () => {
        const found = await ask<{ title: string }[]>('http://127.0.0.1:3000/api/search?type=dash-db')
        return found?.some(({ title }) => title === 'Onward') === true
      },
      signal,
    )
    return `${known.flatMap(names).length} rules, and the dashboard`
  },
})

export const leavesNothing: Story = {
  title: 'docker compose down --volumes leaves nothing',
  tell: async ({ engine, compose }) => {
    await compose(ALL_PROFILES, 'down', '--volumes')
    const filter = ['--quiet', '--filter', `label=com.docker.compose.project=${PROJECT}`]
    const left = [
      ['ps', '--all'],
      ['volume', 'ls'],
      ['network', 'ls'],
    ].map((words) => engine.docker(...words, ...filter))
    for (const listed of left) assert.equal(await well(listed), '')
    return 'no container, volume or network'
  },
}

/** For whoever has to find out why: what became of each service, and the last that each said. */
export async function lastWords({ compose }: Demonstration): Promise<string> {
  const states = await compose(ALL_PROFILES, 'ps', '--all', '--format', '{{.Service}}: {{.Status}}')
  return `${states}\n${await compose(ALL_PROFILES, 'logs', '--tail', '12')}`
}

/** Whatever was left by a run that was cut off, too. In an engine of our own also the image: the next run builds it as a newcomer does. */
export async function endAll({ engine, image, composeLastly }: Demonstration): Promise<void> {
  await composeLastly(ALL_PROFILES, 'down', '--volumes', '--remove-orphans', '--timeout', '1')
  if (!engine.isOwn) return
  await well(engine.lastly.docker('image', 'rm', '--force', image))
  await well(engine.lastly.docker('image', 'prune', '--force'))
}

// ── looks ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

async function arrived({ compose, signal }: Demonstration, times: number): Promise<void> {
  let differences: readonly string[] = []
  try {
    await until(
      'all that was published',
      async () => {
        differences = judgeArrivals(await compose('core', 'logs', '--no-log-prefix', 'receiver'), times)
        return differences.length === 0
      },
      signal,
    )
  } catch (error) {
    signal.throwIfAborted()
    throw new Error(`the receiver tells otherwise:\n${differences.join('\n')}`, { cause: error })
  }
  for (const service of ['topics', 'apply', 'publish-samples', 'publish-cases']) {
    const state = await compose('core', 'ps', '--all', '--format', '{{.State}} {{.ExitCode}}', service)
    assert.equal(state.trim(), 'exited 0', service)
  }
}

/** In the order they came. */
async function mails(): Promise<readonly string[]> {
  const found = await ask<{ messages: { Subject: string }[] }>('http://127.0.0.1:8025/api/v1/messages')
  return (found?.messages ?? []).map(({ Subject }) => Subject).toReversed()
}

type Targets = { readonly data: { readonly activeTargets: readonly { readonly health: string }[] } }
type Rules = {
  readonly groups: readonly { readonly rules: readonly { readonly name?: string; readonly alert?: string }[] }[]
}

/** @returns undefined where nobody answers yet */
async function ask<Answer>(url: string): Promise<Answer | undefined> {
  try {
    return (await (await fetch(url, { signal: AbortSignal.timeout(ANSWERS_WITHIN_MS) })).json()) as Answer
  } catch {
    return undefined
  }
}
