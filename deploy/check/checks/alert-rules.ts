// promtool's view of the alert rules and their tests, and what it cannot know: that each alert is tested both ways, has its page
// in docs/runbooks, and leads to a panel that shows what it is about.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Check } from '../check.ts'
import { metricsOf, readAlerts, readTested, RULES, RULE_TESTS, type Alert } from '../alert-rules.ts'
import { readDashboard, type Dashboard } from '../dashboard.ts'
import { documentedMetrics } from '../documented-metrics.ts'
import { runTool, saidBy } from '../run-tool.ts'
import { PROMTOOL } from '../tools/prometheus-tools.ts'

const SEVERITIES = ['critical', 'warning']

export const alertRules: Check = {
  name: 'alert-rules',
  about: 'promtool check rules and test rules; each alert tested both ways, with its runbook and its panel',
  tools: [PROMTOOL],
  run: async (tree, signal) => {
    const problems: string[] = []
    for (const args of [
      ['check', 'rules', join(tree, RULES)],
      ['test', 'rules', join(tree, RULE_TESTS)],
    ]) {
      const run = await runTool(PROMTOOL.command, args, {}, signal)
      if (run.code !== 0) problems.push(saidBy(run))
    }
    if (problems.length > 0) return { seen: 'what promtool reads', problems }

    const alerts = readAlerts(tree)
    const tested = readTested(tree)
    const dashboard = readDashboard(tree)
    const documented = documentedMetrics(tree)
    for (const alert of alerts) {
      const { fires, staysSilent } = tested.get(alert.alert) ?? { fires: false, staysSilent: false }
      if (!fires) problems.push(`${alert.alert}: no test lets it fire; add one to ${RULE_TESTS}`)
      if (!staysSilent) problems.push(`${alert.alert}: no test wants it silent; add one to ${RULE_TESTS}`)
      problems.push(...faultsOf(alert, tree, dashboard, documented).map((fault) => `${alert.alert}: ${fault}`))
    }
    return { seen: `${alerts.length} alerts`, problems }
  },
  mutations: [
    { file: RULES, from: 'unless\n', to: 'unles\n', says: /unexpected identifier "unles"/ },
    { file: RULES, from: '> 1800', to: '> 180000', says: /OnwardNotifierStalled/ },
    { file: RULES, from: 'or\n            increase', to: 'and\n            increase', says: /OnwardDeadLetters/ },
    {
      file: RULES,
      from: 'summary: A certificate of',
      to: 'overview: A certificate of',
      says: /OnwardCertificateEndsSoon/,
    },
    {
      file: 'docs/runbooks/breaker-open.md',
      from: '# OnwardBreakerOpen',
      to: '# The breaker',
      says: /docs\/runbooks\/breaker-open\.md begins with another heading/,
    },
    {
      file: RULE_TESTS,
      from: '      - { alertname: OnwardBreakerOpen, eval_time: 25m, exp_alerts: [] }\n',
      to: '',
      says: /OnwardBreakerOpen: no test wants it silent/,
    },
    {
      file: 'docs/operating.md',
      from: '| `onward_partitions_owned` |',
      to: '| `onward_partitions_mine` |',
      says: /OnwardPartitionUnowned: docs\/operating\.md knows no metric onward_partitions_owned/,
    },
  ],
}

function faultsOf(
  { expr, labels, annotations, alert }: Alert,
  tree: string,
  dashboard: Dashboard,
  documented: ReadonlySet<string>,
): readonly string[] {
  const faults: string[] = []
  if (!SEVERITIES.includes(labels['severity'] ?? '')) faults.push(`severity is none of ${SEVERITIES.join(', ')}`)
  for (const name of ['summary', 'description', 'runbook_url', 'dashboard_url']) {
    if (!annotations[name]) faults.push(`it has no ${name}`)
  }
  for (const metric of metricsOf(expr)) {
    if (!documented.has(metric)) faults.push(`docs/operating.md knows no metric ${metric}`)
  }

  const runbook = annotations['runbook_url'] ?? ''
  if (!existsSync(join(tree, runbook))) faults.push(`there is no ${runbook}`)
  else if (!readFileSync(join(tree, runbook), 'utf8').startsWith(`# ${alert}\n`)) {
    faults.push(`${runbook} begins with another heading`)
  }

  const link = annotations['dashboard_url'] ?? ''
  const panel = dashboard.panels.find(({ id }) => link === `/d/${dashboard.uid}/onward?viewPanel=${id}`)
  const shown = new Set(panel?.expressions.flatMap(metricsOf))
  if (!panel) faults.push(`the dashboard has no panel ${link}`)
  else if (!metricsOf(expr).some((metric) => shown.has(metric))) {
    faults.push(`its panel, "${panel.title}", shows none of its metrics`)
  }
  return faults
}
