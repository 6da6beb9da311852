// Every package is explained, and none that is gone.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import manifest from '../../package.json' with { type: 'json' }
import { named, page, rows, section } from './documents.ts'

const dependencies = page('docs/dependencies.md')
const explained = (heading: string) =>
  rows(section(dependencies, heading))
    .flatMap(([name]) => named(name))
    .toSorted()

test('every package that services run with is explained', () => {
  assert.deepEqual(explained('## What runs'), Object.keys(manifest.dependencies).toSorted())
})

test('every package that builds or tests is explained', () => {
  assert.deepEqual(explained('## What builds and tests'), Object.keys(manifest.devDependencies).toSorted())
})
