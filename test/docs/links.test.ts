// Every link and every path that a document names leads somewhere.
import assert from 'node:assert/strict'
import { existsSync, globSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { test } from 'node:test'
import { REPOSITORY } from '../../deploy/local/paths.ts'
import { page, pages, section, type Page } from './documents.ts'

const exists = (path: string): boolean => existsSync(join(REPOSITORY, path))

/** As GitHub makes an anchor of a heading. */
const anchorsOf = ({ text }: Page): readonly string[] =>
  [...text.replace(/^```[\s\S]*?^```$/gm, '').matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )

test('every relative link of a document leads to a file, and to a heading of it', () => {
  let count = 0
  for (const { path, text } of pages()) {
    for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue
      count++
      const [file = '', anchor] = target.split('#')
      const led = file === '' ? path : normalize(join(dirname(path), file))
      assert.ok(exists(led), `${path} links to ${target}`)
      if (anchor !== undefined) assert.ok(anchorsOf(page(led)).includes(anchor), `${path} links to ${target}`)
    }
  }
  assert.ok(count > 30, `only ${count} links were seen`)
})

test('every path of the repository that a document names exists', () => {
  let count = 0
  for (const { path, text } of pages()) {
    for (const [named] of text.matchAll(/(?<![\w/.-])(?:services|deploy|test|docs|schemas)\/(?:[\w.-]+\/?)*/g)) {
      count++
      assert.ok(exists(named.replace(/[.]+$/, '')), `${path} names ${named}`)
    }
  }
  assert.ok(count > 80, `only ${count} paths were seen`)
})

test('the file map names every folder, and only files that are in the folder they stand under', () => {
  const map = section(page('docs/architecture.md'), '## File map')
  const folders = globSync(['services/**/', 'schemas/**/', 'deploy/**/'], { cwd: REPOSITORY })
    .map((folder) => `${folder.replace(/\/$/, '')}/`)
    // What only holds folders needs no words of its own.
    .filter((folder) => !['services/', 'deploy/', 'deploy/helm/'].includes(folder))
    // What is laid out as Helm, Go, operators and images lay it out.
    .filter((folder) => !/^deploy\/(?:helm\/onward|check\/(?:go|schemas|compose\/stand-ins))\/./.test(folder))
  for (const folder of folders) assert.ok(map.text.includes(`### \`${folder}\``), `the file map lacks ${folder}`)
  for (const part of map.text.split(/^### /m).slice(1)) {
    const folder = /^`([^`]+)`/.exec(part)?.[1] ?? ''
    for (const [item] of part.matchAll(/^- .*$/gm)) {
      for (const [, file = ''] of item.matchAll(/`([\w.-]+\.(?:ts|mjs|sh|avsc|json))`/g)) {
        assert.ok(exists(join(folder, file)), `the file map has ${file} under ${folder}`)
      }
    }
  }
})

test('the folders of the tests are all in the file map', () => {
  const { text } = section(page('docs/architecture.md'), '## File map')
  for (const folder of globSync('test/*/', { cwd: REPOSITORY })) {
    assert.ok(text.includes(`\`${folder.replace(/\/$/, '')}/\``), `the file map lacks ${folder}`)
  }
})

test('no document names a folder of somebody’s machine', () => {
  for (const { path, text } of pages()) assert.doesNotMatch(text, /\/(?:work|home|root)\//, path)
})
