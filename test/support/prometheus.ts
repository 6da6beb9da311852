// A real Prometheus on a free port, with the project's alert rules, that scrapes what a test runs. Ends with the test.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { stringify } from 'yaml'
import { RULES } from '../../deploy/check/alert-rules.ts'
import { freePorts } from '../../deploy/local/free-ports.ts'
import { REPOSITORY } from '../../deploy/local/paths.ts'
import { until } from './until.ts'

export type Sample = { readonly labels: Readonly<Record<string, string>>; readonly value: number }

export type Rule = {
  readonly name: string
  readonly health: string
  readonly lastError?: string
  readonly state: string
  readonly alerts: readonly { readonly state: string; readonly labels: Readonly<Record<string, string>> }[]
}

export type Prometheus = {
  /** What an expression gives now. @throws Error with Prometheus' words when it does not understand it */
  ask(expression: string): Promise<readonly Sample[]>
  rules(): Promise<readonly Rule[]>
}

const STARTS_WITHIN_MS = 60_000
const SCRAPE_EVERY_S = 2

/** @param targets ports on loopback, of services that may still have to start */
export async function startPrometheus(t: TestContext, targets: readonly number[]): Promise<Prometheus> {
  const folder = mkdtempSync(join(tmpdir(), 'onward-prometheus-'))
  const configuration = join(folder, 'prometheus.yaml')
  writeFileSync(
    configuration,
    stringify({
      global: {
        scrape_interval: `${SCRAPE_EVERY_S}s`,
        scrape_timeout: `${SCRAPE_EVERY_S}s`,
        evaluation_interval: '2s',
      },
      rule_files: [join(REPOSITORY, RULES)],
      scrape_configs: [
        {
          job_name: 'onward',
          static_configs: targets.map((port) => ({ targets: [`127.0.0.1:${port}`], labels: { namespace: 'test' } })),
        },
      ],
    }),
  )
  const [port = 0] = await freePorts(1)
  const child = spawn(
    'prometheus',
    [
      `--config.file=${configuration}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=warn',
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  )
  const exited = once(child, 'exit')
  t.after(async () => {
    child.kill('SIGKILL')
    await exited
    rmSync(folder, { recursive: true, force: true })
  })

  const get = async (path: string): Promise<unknown> => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`)
    const { status, data, error } = (await response.json()) as { status: string; data: unknown; error?: string }
    if (status !== 'success') throw new Error(`${path}: ${error ?? `status ${response.status}`}`)
    return data
  }
  const isReady = () =>
    fetch(`http://127.0.0.1:${port}/-/ready`).then(
      (response) => response.ok,
      () => false,
    )
  await until('Prometheus answers', isReady, STARTS_WITHIN_MS)
  return {
    ask: async (expression) => {
      const { result } = (await get(`/api/v1/query?query=${encodeURIComponent(expression)}`)) as {
        result: readonly { metric: Record<string, string>; value: readonly [number, string] }[]
      }
      return result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }))
    },
    rules: async () => {
      const { groups } = (await get('/api/v1/rules')) as { groups: readonly { rules: readonly Rule[] }[] }
      return groups.flatMap(({ rules }) => rules)
    },
  }
}
