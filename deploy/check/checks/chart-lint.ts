// Helm's own view of the chart: its lint, strict, with each of the values files that the chart keeps for tests.
import { join } from 'node:path'
import type { Check } from '../check.ts'
import { CHART } from '../../helm/chart-files.ts'
import { valuesFiles } from '../chart.ts'
import { runTool, saidBy } from '../run-tool.ts'
import { HELM } from '../tools/chart-tools.ts'

export const chartLint: Check = {
  name: 'chart-lint',
  about: 'helm lint, strict, with every ci/*-values.yaml of the chart',
  tools: [HELM],
  run: async (tree, signal) => {
    const files = valuesFiles(tree)
    const problems: string[] = []
    for (const { name, path } of files) {
      const args = ['lint', join(tree, CHART), '--strict', '--quiet', '--values', path]
      const run = await runTool(HELM.command, args, {}, signal)
      if (run.code !== 0) problems.push(`${name}: ${saidBy(run)}`)
    }
    return { seen: `${files.length} values files`, problems }
  },
  mutations: [
    { file: `${CHART}/Chart.yaml`, from: '\nversion: 0.1.0', to: '\nversion: one', says: /version "?one/ },
    { file: `${CHART}/ci/hpa-values.yaml`, from: 'kind: hpa', to: 'kind: hpb', says: /autoscaling\/kind/ },
    { file: `${CHART}/ci/hpa-values.yaml`, from: 'maxReplicas', to: 'maxReplica', says: /'maxReplica' not allowed/ },
  ],
}
