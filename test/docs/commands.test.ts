// What the documents tell somebody to type is there: npm scripts, verbs, their options, forwarding files.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import manifest from '../../package.json' with { type: 'json' }
import { verb as apply } from '../../services/cli/apply.ts'
import { verb as check } from '../../services/cli/check.ts'
import { verb as deadLetters } from '../../services/cli/dead-letters.ts'
import { verb as get } from '../../services/cli/get.ts'
import { verb as notices } from '../../services/cli/notices.ts'
import { verb as plan } from '../../services/cli/plan.ts'
import { verb as publish } from '../../services/cli/publish.ts'
import { verb as tryOut } from '../../services/cli/test.ts'
import { verb as topics } from '../../services/cli/topics.ts'
import { readForwardingFile } from '../../services/shared/forwarding/forwarding-file.ts'
import { SETTINGS } from '../../services/shared/settings-table.ts'
import { HELP as START_HELP } from '../../deploy/local/start/start-arguments.ts'
import { blocks, commands, page, pages } from './documents.ts'

const VERBS = [apply, check, deadLetters, get, notices, plan, publish, tryOut, topics]

test('every npm script that a document names is one of the package', () => {
  const scripts = Object.keys(manifest.scripts)
  const seen = new Set<string>()
  for (const from of pages()) {
    for (const command of commands(from)) {
      const script = /\bnpm (?:run ([\w:]+)|(start|test)\b)/.exec(command)
      const name = script?.[1] ?? script?.[2]
      if (name === undefined) continue
      seen.add(name)
      assert.ok(scripts.includes(name), `${from.path}: ${command}`)
    }
  }
  for (const name of ['start', 'test', 'local', 'forwarder', 'check', 'bench']) assert.ok(seen.has(name), name)
})

test('every verb and option of the command line that a document names is known', () => {
  const seen = new Set<string>()
  for (const from of pages()) {
    for (const command of commands(from)) {
      const [, name, rest = ''] = /^(?:npx )?onward ([a-z][a-z-]*)(.*)/.exec(command) ?? []
      if (name === undefined) continue
      const verb = VERBS.find((known) => known.name === name)
      assert.ok(verb, `${from.path}: ${command}`)
      seen.add(name)
      const part = /^ ([a-z]+)/.exec(rest)?.[1]
      const { help } = verb.parts?.find((known) => known.name === part) ?? verb
      for (const [option] of rest.matchAll(/(?<=\s)--?[a-z][a-z-]*/g)) {
        assert.ok(new RegExp(`(?<![\\w-])${option}(?![\\w-])`).test(help), `${from.path}: ${command}`)
      }
    }
  }
  assert.deepEqual([...seen].toSorted(), VERBS.map(({ name }) => name).toSorted())
})

test('every option of npm start that a document names is known', () => {
  let count = 0
  for (const from of pages()) {
    for (const command of commands(from)) {
      for (const [option] of /\bnpm start -- (.*)/.exec(command)?.[1]?.matchAll(/--[a-z-]+/g) ?? []) {
        count++
        assert.ok(START_HELP.includes(option), `${from.path}: ${command}`)
      }
    }
  }
  assert.ok(count > 0)
})

test('every setting that a document names is one of the table', () => {
  const known = Object.keys(SETTINGS)
  for (const { path, text } of pages()) {
    for (const [name] of text.matchAll(/\b(?:ONWARD|KAFKA|SCHEMA_REGISTRY)_[A-Z_]*[A-Z]\b/g)) {
      assert.ok(
        known.includes(name.replace(/_FILE$/, '')) || known.includes(name) || isNoSetting(name),
        `${path}: ${name}`,
      )
    }
  }
})

/** What Kubernetes puts there. */
const isNoSetting = (name: string): boolean => /_(?:SERVICE_HOST|PORT)$/.test(name)

test('the forwarding file of the README is valid and has ten lines', () => {
  const [file, ...more] = blocks(page('README.md'), 'yaml')
  assert.ok(file !== undefined && more.length === 0)
  assert.equal(file.trimEnd().split('\n').length, 10)
  const read = readForwardingFile(file, 'README.md')
  assert.equal(read.kind, 'read', JSON.stringify(read))
})

test('every forwarding file in a document is valid', () => {
  for (const from of pages()) {
    for (const block of blocks(from, 'yaml')) {
      const read = readForwardingFile(block, from.path)
      assert.equal(read.kind, 'read', JSON.stringify(read))
    }
  }
})
