// `npm run make:chart`: writes what in the chart is made from something else. A check fails while a file is not what this would write.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { renderReadme } from '../check/render-readme.ts'
import { HELM_DOCS } from '../check/tools/chart-tools.ts'
import { REPOSITORY } from '../local/paths.ts'
import { openProgress } from '../local/progress.mjs'
import { untilSignal } from '../local/until-signal.ts'
import { chartFiles, copiedFiles } from './chart-files.ts'

const progress = openProgress()
const { signal } = untilSignal()
await HELM_DOCS.install(progress, signal)
const files = chartFiles(REPOSITORY)
for (const path of copiedFiles(REPOSITORY)) if (!files.has(path)) rmSync(join(REPOSITORY, path))
for (const [path, text] of files) write(path, text)
const readme = await renderReadme(REPOSITORY, signal)
if (readme.kind === 'refused') throw new Error(readme.text)
write(readme.path, readme.text)
console.log(`${files.size + 1} files of the chart are up to date`)

function write(path: string, text: string): void {
  mkdirSync(dirname(join(REPOSITORY, path)), { recursive: true })
  writeFileSync(join(REPOSITORY, path), text)
}
