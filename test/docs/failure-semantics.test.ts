// What can come twice, late or never: each statement names its tests, and those are there.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { REPOSITORY } from '../../deploy/local/paths.ts'
import { page, section } from './documents.ts'

const semantics = page('docs/failure-semantics.md')
const SECTIONS = ['## Never lost', '## In order', '## What can come twice', '## What can come late']
const MARK = /\[\^(\w+)\](?!:)/g
/** What needs no test: it says that there is no promise, or leads to what follows. */
const NO_STATEMENT = /^Always with the same|^- \*\*Not promised|^- Not promised/

test('every paragraph and point of the promises names the tests that hold it', () => {
  for (const name of SECTIONS) {
    const points = section(semantics, name)
      .text.split(/\n(?=- )|\n\n+/)
      .map((each) => each.trim())
      .filter((each) => each !== '' && !each.startsWith('#') && !NO_STATEMENT.test(each))
    assert.ok(points.length > 1, name)
    for (const point of points) assert.match(point, /\[\^\w+\]/, `${name}: ${point.slice(0, 80)}`)
  }
})

test('every test that the promises name is there, by its title', () => {
  const held = section(semantics, '## Held by').text
  const marks = new Set([...semantics.text.matchAll(MARK)].map(([, mark]) => mark))
  const notes = new Map([...held.matchAll(/^\[\^(\w+)\]: (.+)$/gm)].map(([, mark = '', tests = '']) => [mark, tests]))
  assert.deepEqual([...marks].toSorted(), [...notes.keys()].toSorted())
  for (const [mark, tests] of notes) {
    const named = [...tests.matchAll(/\[(.+?)\]\(\.\.\/([\w./-]+)\)/g)]
    assert.ok(named.length > 0, mark)
    for (const [, title = '', file = ''] of named) {
      const code = readFileSync(join(REPOSITORY, file), 'utf8')
      assert.ok(
        code.includes(title.replace('many', '${SEEDS}')) || code.includes(title),
        `${file} has no test "${title}"`,
      )
    }
  }
})
