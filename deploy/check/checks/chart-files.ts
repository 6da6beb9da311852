// What in the chart is made from something else is up to date: alert rules, dashboards, the schema's settings, the README.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Check } from '../check.ts'
import { CHART, chartFiles, copiedFiles } from '../../helm/chart-files.ts'
import { renderReadme } from '../render-readme.ts'
import { HELM_DOCS } from '../tools/chart-tools.ts'

export const chartFilesCheck: Check = {
  name: 'chart-files',
  about:
    'the rules, dashboards, settings and README in the chart are those of the repository, and every value is explained',
  tools: [HELM_DOCS],
  run: async (tree, signal) => {
    const wanted = new Map(chartFiles(tree))
    const problems: string[] = []
    const readme = await renderReadme(tree, signal)
    if (readme.kind === 'refused') problems.push(readme.text)
    else wanted.set(readme.path, readme.text)
    for (const [path, text] of wanted) {
      const found = existsSync(join(tree, path)) ? readFileSync(join(tree, path), 'utf8') : undefined
      if (found !== text) problems.push(`${path} is out of date: run npm run make:chart`)
    }
    for (const path of copiedFiles(tree)) {
      if (!wanted.has(path)) problems.push(`${path} has no source any more: run npm run make:chart`)
    }
    return { seen: `${wanted.size} files`, problems }
  },
  mutations: [
    {
      file: 'deploy/prometheus/another.yaml',
      text: 'groups: [{ name: another, rules: [] }]\n',
      says: /another\.yaml is out of date/,
    },
    { file: `${CHART}/files/rules/gone.yaml`, text: 'groups: []\n', says: /gone\.yaml has no source/ },
    { file: 'deploy/grafana/another.json', text: '{ "panels": [] }\n', says: /another\.json is out of date/ },
    {
      file: `${CHART}/values.yaml`,
      from: '# -- Port of the probes and metrics.',
      to: '# -- Port.',
      says: /README\.md is out of date/,
    },
    { file: `${CHART}/values.yaml`, from: '  # -- Port of the probes and metrics.\n', to: '', says: /forwarder\.port/ },
    {
      file: `${CHART}/values.schema.json`,
      from: '"ONWARD_MAIL_QUIET": {',
      to: '"ONWARD_MAIL_QUIETS": {',
      says: /schema\.json is out of date/,
    },
  ],
}
