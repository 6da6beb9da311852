// What in the chart is made from something else; the README needs a tool, and `npm run check:deploy` looks at it.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { chartFiles, copiedFiles } from '../../../deploy/helm/chart-files.ts'
import { REPOSITORY } from '../../../deploy/local/paths.ts'

test('the settings, rules and dashboards in the chart are those of the repository', () => {
  const files = chartFiles(REPOSITORY)
  for (const [path, text] of files) {
    assert.equal(readFileSync(join(REPOSITORY, path), 'utf8'), text, `${path} is out of date: run npm run make:chart`)
  }
  for (const path of copiedFiles(REPOSITORY))
    assert.ok(files.has(path), `${path} has no source: run npm run make:chart`)
})
