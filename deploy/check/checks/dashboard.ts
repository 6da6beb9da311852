// The dashboard by what can be known without a Grafana: each expression is one that Prometheus understands, over metrics that
// exist, and no panel is there twice. That each returns something, a test with a real Prometheus holds.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { errorText } from '../../../services/shared/error-text.ts'
import { metricsOf } from '../alert-rules.ts'
import type { Check } from '../check.ts'
import { chosen, DASHBOARD, readDashboard, type Dashboard } from '../dashboard.ts'
import { documentedMetrics } from '../documented-metrics.ts'
import { runTool, saidBy } from '../run-tool.ts'
import { PROMTOOL } from '../tools/prometheus-tools.ts'

export const dashboard: Check = {
  name: 'dashboard',
  about: 'every expression of the Grafana dashboard is understood by Prometheus and asks for metrics that exist',
  tools: [PROMTOOL],
  run: async (tree, signal) => {
    let read: Dashboard
    try {
      read = readDashboard(tree)
    } catch (error) {
      return { seen: DASHBOARD, problems: [`${DASHBOARD}: ${errorText(error)}`] }
    }
    const asked = expressionsOf(read)
    const documented = documentedMetrics(tree)
    const problems = asked.flatMap(({ place, expression }) =>
      metricsOf(expression)
        .filter((metric) => !documented.has(metric))
        .map((metric) => `${place}: docs/operating.md knows no metric ${metric}`),
    )
    const ids = read.panels.map(({ id }) => id)
    for (const id of ids.filter((each, index) => ids.indexOf(each) !== index)) problems.push(`two panels have id ${id}`)
    problems.push(...(await misunderstood(asked, signal)))
    return { seen: `${asked.length} expressions`, problems }
  },
  mutations: [
    {
      file: DASHBOARD,
      from: 'topk(10, sum by (connection) (onward_lanes_blocked',
      to: 'topk(sum by (connection) (onward_lanes_blocked',
      says: /Cases with a parked version/,
    },
    {
      file: DASHBOARD,
      from: 'max by (tier) (onward_retry_overdue_seconds',
      to: 'max by (tier) (onward_retry_late_seconds',
      says: /no metric onward_retry_late_seconds/,
    },
    { file: DASHBOARD, from: '"uid": "onward",', to: '"uid": "onward"', says: /JSON/ },
  ],
}

type Asked = { readonly place: string; readonly expression: string }

const expressionsOf = ({ panels, annotations }: Dashboard): readonly Asked[] => [
  ...panels.flatMap(({ title, expressions }) =>
    expressions.map((expression) => ({ place: `panel "${title}"`, expression })),
  ),
  ...annotations.map((expression) => ({ place: 'annotations', expression })),
]

/** Prometheus' tool judges expressions in rules only: each becomes one. @returns what it says of those it does not understand */
async function misunderstood(asked: readonly Asked[], signal: AbortSignal): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'onward-dashboard-'))
  try {
    const problems: string[] = []
    for (const { place, expression } of asked) {
      const path = join(folder, 'rule.yaml')
      writeFileSync(
        path,
        stringify({ groups: [{ name: 'dashboard', rules: [{ record: 'asked', expr: chosen(expression) }] }] }),
      )
      const run = await runTool(PROMTOOL.command, ['check', 'rules', path], {}, signal)
      if (run.code !== 0) problems.push(`${place}: ${saidBy(run)}`)
    }
    return problems
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
