import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { REPOSITORY } from '../../deploy/local/paths.ts'

type Violation = { readonly from: string; readonly rule: { readonly name: string } }

/** A file, what it imports, and the rule that must refuse it. */
const FORBIDDEN: readonly (readonly [file: string, code: string, rule: string])[] = [
  ['services/cli/a.ts', `import '../forwarder/room.ts'`, 'services-never-import-each-other'],
  ['services/forwarder/b.ts', `import type { Room } from '../cli/room.ts'`, 'services-never-import-each-other'],
  ['services/shared/c.ts', `import '../forwarder/room.ts'`, 'shared-knows-no-service'],
  ['services/forwarder/d.ts', `import '../../test/support.ts'`, 'services-know-neither-tests-nor-deployment'],
  ['services/cli/e.ts', `import '../../deploy/room.ts'`, 'services-know-neither-tests-nor-deployment'],
  ['deploy/f.ts', `import '../test/support.ts'`, 'deployment-knows-no-tests'],
  ['services/forwarder/lanes.ts', `import 'node:fs'`, 'pure-rooms-compute'],
  ['services/forwarder/offset-map.ts', `import 'node:timers/promises'`, 'pure-rooms-compute'],
  ['services/forwarder/render-payload/g.ts', `import { connect } from 'net'`, 'pure-rooms-compute'],
  [
    'services/forwarder/decide-next.ts',
    `import { systemClock } from '../shared/clock.ts'`,
    'pure-rooms-call-nothing-outside',
  ],
  ['services/forwarder/forwarder.ts', `import { attempt } from './attempt.ts'`, 'only-main-wires'],
  ['services/forwarder/h.ts', `import 'kafkajs'`, 'one-door-for-kafkajs'],
  ['deploy/i.ts', `import type { Kafka } from 'kafkajs'`, 'one-door-for-kafkajs'],
  ['services/cli/j.ts', `import 'avsc'`, 'one-door-for-@kafkajs/confluent-schema-registry'],
  ['services/shared/k.ts', `import 'undici'`, 'one-door-for-undici'],
  ['services/cli/l.ts', `import 'ipaddr.js'`, 'one-door-for-ipaddr.js'],
  ['services/forwarder/m.ts', `import 'yaml'`, 'one-door-for-yaml'],
  ['services/forwarder/n.ts', `import 'prom-client'`, 'one-door-for-prom-client'],
  ['services/cli/o.ts', `import 'fast-check'`, 'services-run-without-development-packages'],
  ['services/cli/p.ts', `import './q.ts'`, 'no-circles'],
  ['services/cli/r.ts', `import './nowhere.ts'`, 'every-import-resolves'],
]

const ALLOWED: readonly (readonly [file: string, code: string])[] = [
  // The other half of a circle, which is told once.
  ['services/cli/q.ts', `import './p.ts'`],
  ['services/cli/room.ts', `export type Room = 'room'`],
  ['services/forwarder/room.ts', `import '../shared/clock.ts'`],
  ['services/forwarder/main.ts', `import './attempt.ts'`],
  ['services/forwarder/attempt.ts', `import 'undici'\nexport const attempt = 1`],
  [
    'services/forwarder/fifo.ts',
    `import type { Clock } from '../shared/clock.ts'\nimport { Buffer } from 'node:buffer'`,
  ],
  ['services/shared/clock.ts', `export type Clock = 1\nexport const systemClock = 1`],
  ['services/shared/kafka/group.ts', `import 'kafkajs'`],
  ['deploy/room.ts', `import '../services/shared/clock.ts'`],
  ['test/support.ts', `import '../services/forwarder/room.ts'\nimport 'fast-check'\nimport 'kafkajs'`],
]

const PACKAGES = ['kafkajs', 'avsc', 'undici', 'ipaddr.js', 'yaml', 'prom-client']

test('each forbidden import fails the border check by its rule, and no allowed one does', (t) => {
  const { status, violations } = cruise(t, [...FORBIDDEN, ...ALLOWED])
  assert.deepEqual(
    violations.map(({ from, rule }) => `${from}: ${rule.name}`).toSorted(),
    FORBIDDEN.map(([file, , rule]) => `${file}: ${rule}`).toSorted(),
  )
  assert.notEqual(status, 0)
})

test('a tree without forbidden imports passes the border check', (t) => {
  const { status, violations } = cruise(t, [...ALLOWED, ['services/cli/p.ts', '']])
  assert.deepEqual(violations, [])
  assert.equal(status, 0)
})

/** The repository's own rules, run over a tree of these files. */
function cruise(t: TestContext, files: readonly (readonly [file: string, code: string, ...rest: string[]])[]) {
  const folder = mkdtempSync(join(tmpdir(), 'onward-borders-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const write = (file: string, text: string) => {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    writeFileSync(join(folder, file), text)
  }
  for (const [file, code] of files) write(file, `${code}\n`)
  for (const name of [...PACKAGES, 'fast-check']) {
    write(`node_modules/${name}/package.json`, JSON.stringify({ name, version: '1.0.0', main: 'index.js' }))
    write(`node_modules/${name}/index.js`, 'module.exports = {}\n')
  }
  const listed = Object.fromEntries(PACKAGES.map((name) => [name, '1.0.0']))
  write(
    'package.json',
    JSON.stringify({ type: 'module', dependencies: listed, devDependencies: { 'fast-check': '1.0.0' } }),
  )
  copyFileSync(join(REPOSITORY, 'tsconfig.json'), join(folder, 'tsconfig.json'))

  const config = join(REPOSITORY, '.dependency-cruiser.cjs')
  const program = join(REPOSITORY, 'node_modules', 'dependency-cruiser', 'bin', 'dependency-cruiser.mjs')
  const args = [program, '--config', config, '--output-type', 'json', 'services', 'deploy', 'test']
  const run = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' })
  assert.notEqual(run.stdout, '', run.stderr)
  const report = JSON.parse(run.stdout) as { readonly summary: { readonly violations: readonly Violation[] } }
  // The json report always ends with 0: the exit code is asked of the report that `npm run check:borders` prints.
  const printed = spawnSync(process.execPath, args.toSpliced(3, 2), { cwd: folder, encoding: 'utf8' })
  return { status: printed.status, violations: report.summary.violations }
}
