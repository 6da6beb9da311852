// References become values at the moment of use, from where they may be read and nowhere else.
import { test, type TestContext } from 'node:test'
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { readReferences, resolveSecret, type SecretSource } from '../../../services/shared/forwarding/secret.ts'
import { openSecretSource } from '../../../services/shared/forwarding/secret-source.ts'
import { manualClock } from '../../support/clock.ts'
import { holdsFor } from '../../support/property.ts'

const VALUES: Readonly<Record<string, string>> = { TOKEN: 'sesame', OTHER: '${env:TOKEN}', ONWARD_LINK_SECRET: 'own' }
const source: SecretSource = {
  variable: (name) => {
    const value = VALUES[name]
    return value === undefined ? { kind: 'absent', why: 'it is not set' } : { kind: 'found', value }
  },
  file: (path) =>
    path === '/s/t' ? { kind: 'found', value: 'from a file' } : { kind: 'absent', why: 'it is not there' },
}

test('references are replaced where they stand', () => {
  const cases = [
    ['plain', 'plain'],
    ['', ''],
    ['${env:TOKEN}', 'sesame'],
    ['Bearer ${env:TOKEN}/${file:/s/t}', 'Bearer sesame/from a file'],
    ['$TOKEN $${env:TOKEN}', '$TOKEN $sesame'],
  ] as const
  for (const [text, value] of cases) assert.deepEqual(resolveSecret(text, source), { kind: 'resolved', value }, text)
})

test('a value is not searched for references', () => {
  assert.deepEqual(resolveSecret('${env:OTHER}', source), { kind: 'resolved', value: '${env:TOKEN}' })
})

test('a missing secret is named by its reference, and no value with it', () => {
  assert.deepEqual(resolveSecret('${env:TOKEN} ${env:NOT_SET}', source), {
    kind: 'missing',
    error: '${env:NOT_SET}: it is not set',
  })
})

const REFUSED = [
  '${env:ONWARD_LINK_SECRET}',
  '${env:KAFKA_SASL_PASSWORD}',
  '${env:SMTP_URL}',
  '${env:SCHEMA_REGISTRY_PASSWORD}',
  '${env:onward_link_secret}',
  '${env:}',
  '${env:A B}',
  '${file:}',
  '${file:s/t}',
  '${file:/s/../t}',
  '${vault:a}',
  '${TOKEN}',
  '${}',
  '${env:TOKEN',
]
for (const text of REFUSED) {
  test(`${text} is refused, in a file and when it is resolved`, () => {
    assert.deepEqual(
      readReferences(text).map(({ kind }) => kind),
      ['refused'],
    )
    const resolved = resolveSecret(text, source)
    assert.ok(resolved.kind === 'missing')
    assert.ok(resolved.error.startsWith(text))
    assert.doesNotMatch(resolved.error, /own$/)
  })
}

test('no text makes the reader of references throw, and text without one stays as it is', (t) => {
  const parts = fc.array(fc.oneof(fc.string(), fc.constantFrom('${', '}', 'env:', 'file:/', 'TOKEN')))
  holdsFor(
    t,
    fc.property(
      parts.map((all) => all.join('')),
      (text) => {
        const resolved = resolveSecret(text, source)
        if (readReferences(text).length === 0) assert.deepEqual(resolved, { kind: 'resolved', value: text })
      },
    ),
  )
})

function secretsDir(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'onward-secrets-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

test('a variable that is not set or empty is absent', (t) => {
  const opened = openSecretSource({ A: 'a', EMPTY: '' }, null, manualClock(t))
  assert.deepEqual(opened.variable('A'), { kind: 'found', value: 'a' })
  assert.equal(opened.variable('EMPTY').kind, 'absent')
  assert.equal(opened.variable('NOT_SET').kind, 'absent')
})

test('files are not read without a folder for them', (t) => {
  const folder = secretsDir(t)
  writeFileSync(join(folder, 'token'), 'sesame')
  const found = openSecretSource({}, null, manualClock(t)).file(join(folder, 'token'))
  assert.deepEqual(found, { kind: 'absent', why: 'files are not read while ONWARD_SECRETS_DIR is not set' })
})

test('a file under the folder is read without its last line break', (t) => {
  const folder = secretsDir(t)
  writeFileSync(join(folder, 'token'), 'se\nsame\r\n')
  const found = openSecretSource({}, folder, manualClock(t)).file(join(folder, 'token'))
  assert.deepEqual(found, { kind: 'found', value: 'se\nsame' })
})

test('a file outside the folder is not read, whatever links lead there', (t) => {
  const outside = secretsDir(t)
  const folder = secretsDir(t)
  writeFileSync(join(outside, 'token'), 'not for you')
  symlinkSync(join(outside, 'token'), join(folder, 'link'))
  symlinkSync(outside, join(folder, 'folder'))
  mkdirSync(`${folder}-beside`)
  t.after(() => rmSync(`${folder}-beside`, { recursive: true }))
  writeFileSync(join(`${folder}-beside`, 'token'), 'not for you')
  const opened = openSecretSource({}, folder, manualClock(t))
  const paths = [
    join(outside, 'token'),
    join(folder, 'link'),
    join(folder, 'folder', 'token'),
    join(`${folder}-beside`, 'token'),
  ]
  for (const path of paths)
    assert.deepEqual(opened.file(path), { kind: 'absent', why: 'this file is not under ONWARD_SECRETS_DIR' })
})

test('the folder itself may be a link', (t) => {
  const folder = secretsDir(t)
  mkdirSync(join(folder, 'real'))
  symlinkSync(join(folder, 'real'), join(folder, 'linked'))
  writeFileSync(join(folder, 'real', 'token'), 'sesame')
  const found = openSecretSource({}, join(folder, 'linked'), manualClock(t)).file(join(folder, 'linked', 'token'))
  assert.deepEqual(found, { kind: 'found', value: 'sesame' })
})

test('a missing, empty or huge file is absent, with the reason', (t) => {
  const folder = secretsDir(t)
  writeFileSync(join(folder, 'empty'), '\n')
  writeFileSync(join(folder, 'huge'), 'x'.repeat(70_000))
  const opened = openSecretSource({}, folder, manualClock(t))
  assert.deepEqual(opened.file(join(folder, 'none')), { kind: 'absent', why: 'this file cannot be read (ENOENT)' })
  assert.deepEqual(opened.file(join(folder, 'empty')), { kind: 'absent', why: 'this file is empty' })
  assert.deepEqual(opened.file(join(folder, 'huge')), { kind: 'absent', why: 'this file is larger than 65536 bytes' })
  assert.equal(opened.file(folder).kind, 'absent')
})

test('a secret that is renewed by turning a link is read anew within a second', async (t) => {
  const folder = secretsDir(t)
  for (const [version, value] of [
    ['v1', 'old'],
    ['v2', 'new'],
  ] as const) {
    mkdirSync(join(folder, version))
    writeFileSync(join(folder, version, 'token'), value)
  }
  symlinkSync('v1', join(folder, 'data'))
  symlinkSync(join('data', 'token'), join(folder, 'token'))
  const clock = manualClock(t)
  const opened = openSecretSource({}, folder, clock)
  assert.deepEqual(opened.file(join(folder, 'token')), { kind: 'found', value: 'old' })

  symlinkSync('v2', join(folder, 'turned'))
  renameSync(join(folder, 'turned'), join(folder, 'data'))
  await clock.advance(999)
  assert.deepEqual(opened.file(join(folder, 'token')), { kind: 'found', value: 'old' }, 'a look at the disk costs')
  await clock.advance(1)
  assert.deepEqual(opened.file(join(folder, 'token')), { kind: 'found', value: 'new' })
})
