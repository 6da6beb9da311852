// The chart's README, by helm-docs: README.md.gotmpl and the comments of values.yaml, each value with one. Never: a write.
import { join } from 'node:path'
import { CHART } from '../helm/chart-files.ts'
import { runTool, saidBy } from './run-tool.ts'
import { HELM_DOCS } from './tools/chart-tools.ts'

export type Readme = { readonly kind: 'rendered' | 'refused'; readonly path: string; readonly text: string }

export async function renderReadme(tree: string, signal: AbortSignal): Promise<Readme> {
  const path = `${CHART}/README.md`
  const refused = (text: string): Readme => ({ kind: 'refused', path, text })
  const args = ['--dry-run', '--sort-values-order', 'file', '--log-level', 'warning']
  // It tells folders by their place below the one it is started in.
  const run = await runTool(HELM_DOCS.command, args, { cwd: join(tree, CHART) }, signal)
  // What it cannot read it skips, with a warning and exit code 0.
  if (run.code !== 0 || run.stderr !== '') return refused(saidBy(run))
  // Its own strict mode wants words for every map too, and says nothing of the table's rows.
  const bare = [...run.stdout.matchAll(/^\| (\S+) \| \w+ \| .* \| {1,2}\|$/gm)].map(([, value = '']) => value)
  if (bare.length > 0) return refused(`${CHART}/values.yaml explains not: ${bare.join(', ')}`)
  return { kind: 'rendered', path, text: `${run.stdout.trimEnd()}\n` }
}
