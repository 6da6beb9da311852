// Everything that others made is pinned, and may be distributed with ours.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import manifest from '../../package.json' with { type: 'json' }
import { REPOSITORY } from '../../deploy/local/paths.ts'
import { judgeLicences, type Locked } from '../../deploy/supply/judge-licences.ts'

type LockedPackage = Locked & { readonly integrity?: string; readonly resolved?: string; readonly link?: boolean }
const read = (path: string): string => readFileSync(join(REPOSITORY, path), 'utf8')
const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, LockedPackage> }

test('every package is named by one version', () => {
  for (const [name, version] of Object.entries({ ...manifest.dependencies, ...manifest.devDependencies }))
    assert.match(version, /^\d+\.\d+\.\d+$/, name)
})

test('the lock file holds the content of every package by SHA-512, and names no place of its own to fetch it', () => {
  for (const [path, { integrity = '', resolved = '', link }] of Object.entries(packages)) {
    if (path === '') continue
    assert.match(integrity, /^sha512-/, path)
    assert.ok(!link, path)
    assert.ok(resolved === '' || resolved.startsWith('https://registry.npmjs.org/'), `${path}: ${resolved}`)
  }
})

test('what else is fetched is named by one version', () => {
  for (const line of read('deploy/local/python-requirements.txt').split('\n'))
    assert.match(line, /^(?:#.*|[\w.-]+==[\w.]+)?$/, line)
  for (const [, version = ''] of read('deploy/local/pom.xml').matchAll(/<version>([^<]+)</g))
    assert.match(version, /^(?:[\d.]+|\$\{[\w.]+\})$/)
  for (const [, image = ''] of read('deploy/Dockerfile').matchAll(/^FROM (\S+)/gm))
    assert.match(image, /^node:\d+\.\d+\.\d+-\w+-slim$/)
})

test('every package of the image may be distributed under Apache-2.0', () => {
  const licences = judgeLicences(packages)
  assert.ok(licences.length >= Object.keys(manifest.dependencies).length)
  assert.deepEqual(
    licences.filter(({ problem }) => problem !== null),
    [],
  )
})

/** A licence, and what is said of it. */
const JUDGED: readonly (readonly [licence: string | undefined, problem: RegExp | null])[] = [
  ['MIT', null],
  ['(MIT OR GPL-3.0-only)', null],
  ['(MIT AND GPL-3.0-only)', /not one of those/],
  ['AGPL-3.0-or-later', /not one of those/],
  ['SSPL-1.0', /not one of those/],
  ['SEE LICENSE IN LICENSE.md', /no SPDX expression/],
  ['UNLICENSED', /no SPDX expression/],
  [undefined, /names no licence/],
]
for (const [license, problem] of JUDGED) {
  test(`a package under ${license ?? 'no licence'} ${problem === null ? 'may' : 'may not'} be in the image`, () => {
    const locked = { version: '1.0.0', ...(license === undefined ? {} : { license }) }
    const [judged] = judgeLicences({ '': {}, 'node_modules/a': locked, 'node_modules/b': { ...locked, dev: true } })
    assert.equal(judged?.name, 'a')
    if (problem === null) assert.equal(judged.problem, null)
    else assert.match(judged.problem ?? '', problem)
  })
}

test('the bill of materials has exactly the packages of the image', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'onward-sbom-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const out = join(folder, 'onward.cdx.json')
  execFileSync(process.execPath, [join(REPOSITORY, 'deploy', 'supply', 'sbom.ts'), '--out', out])
  const bill = JSON.parse(readFileSync(out, 'utf8')) as {
    bomFormat: string
    metadata: { component: { name: string; version: string } }
    components: readonly { name: string; version: string; hashes: readonly unknown[] }[]
  }
  assert.equal(bill.bomFormat, 'CycloneDX')
  assert.deepEqual([bill.metadata.component.name, bill.metadata.component.version], ['onward', manifest.version])
  const listed = new Set(bill.components.map(({ name, version }) => `${name}@${version}`))
  assert.deepEqual(listed, new Set(judgeLicences(packages).map(({ name, version }) => `${name}@${version}`)))
  for (const { name, hashes } of bill.components) assert.ok(hashes.length > 0, name)
})
