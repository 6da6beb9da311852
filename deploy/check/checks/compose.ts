// The compose file, by the specification's own reader, and by what we ask beyond it.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { SETTINGS, type Setting } from '../../../services/shared/settings-table.ts'
import type { Check } from '../check.ts'
import { judgeCompose } from '../compose/judge-compose.ts'
import { runTool, saidBy } from '../run-tool.ts'
import { COMPOSE_GO } from '../tools/image-tools.ts'
import { PROMTOOL } from '../tools/prometheus-tools.ts'

const COMPOSE = 'docker-compose.yml'
const PROMETHEUS = 'deploy/compose/prometheus.yaml'
const SECRETS = new Map(Object.entries<Setting>(SETTINGS).map(([name, { secret }]) => [name, secret === true]))

export const compose: Check = {
  name: 'compose',
  about:
    'the compose specification by compose-go; versions, dependencies, mounts, settings by ourselves; Prometheus by promtool',
  tools: [COMPOSE_GO, PROMTOOL],
  run: async (tree, signal) => {
    // What is asked of somebody's .env is not there.
    const run = await runTool(COMPOSE_GO.command, ['-no-interpolation', COMPOSE], { cwd: tree }, signal)
    const problems = run.code === 0 ? [] : [saidBy(run)]
    const ours = judgeCompose(readFileSync(join(tree, COMPOSE), 'utf8'), {
      exists: (path) => existsSync(join(tree, path)),
      settings: SECRETS,
    })
    // The files it names are there in the container alone.
    const promtool = ['check', 'config', '--syntax-only', join(tree, PROMETHEUS)]
    const checked = await runTool(PROMTOOL.command, promtool, {}, signal)
    if (checked.code !== 0) problems.push(saidBy(checked))
    return { seen: `${COMPOSE} and what it mounts`, problems: [...problems, ...ours] }
  },
  mutations: [
    { file: COMPOSE, from: 'build:\n', to: 'biuld:\n', says: /biuld false schema|'biuld' not allowed/ },
    { file: COMPOSE, from: 'pull_policy: never', to: 'build: .', says: /one builds onward|pull_policy is not never/ },
    { file: COMPOSE, from: '{ disable: true }', to: '{ disabled: true }', says: /disabled/ },
    { file: COMPOSE, from: 'apache/kafka:4.3.1', to: 'apache/kafka:latest', says: /kafka: image .* names no version/ },
    { file: COMPOSE, from: 'mailpit: { condition', to: 'mailpot: { condition', says: /mailpot, which is no service/ },
    { file: COMPOSE, from: 'compose/cases.json', to: 'compose/case.json', says: /case\.json, which is not in/ },
    { file: PROMETHEUS, from: 'scrape_configs:', to: 'scrape_config:', says: /scrape_config not found/ },
    { file: COMPOSE, from: 'ONWARD_MAIL_QUIET', to: 'ONWARD_MAIL_QUITE', says: /ONWARD_MAIL_QUITE is no setting/ },
  ],
}
