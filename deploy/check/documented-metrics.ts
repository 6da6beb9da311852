// The metrics that docs/operating.md names: tests hold them to the code. Enters: a tree. Leave: names, those of histograms also as
// Prometheus stores them.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const ROW = /^\| `(onward_[a-z_]+)` \| (counter|gauge|histogram) /gm

export function documentedMetrics(tree: string): ReadonlySet<string> {
  const page = readFileSync(join(tree, 'docs/operating.md'), 'utf8')
  const names = new Set<string>()
  for (const [, name = '', type] of page.matchAll(ROW)) {
    if (type !== 'histogram') names.add(name)
    else for (const part of ['bucket', 'sum', 'count']) names.add(`${name}_${part}`)
  }
  return names
}
