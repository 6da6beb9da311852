// `npx onward` by hand, on the Node of the machine (20 or newer), in a folder that holds only what is committed.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { REPOSITORY } from '../../deploy/local/paths.ts'
import { kafkaGround } from '../support/kafka-ground.ts'
import { machinePath } from './machine-path.ts'

const ENDS_WITHIN_MS = 60_000

/** What of a clone the command line needs, without what npm installs; the folder has a space in its name. */
function aClone(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'onward clone '))
  t.after(() => rmSync(folder, { recursive: true }))
  for (const name of ['package.json', 'package-lock.json', 'services', 'schemas'])
    cpSync(join(REPOSITORY, name), join(folder, name), { recursive: true })
  return folder
}

const install = (clone: string) => symlinkSync(join(REPOSITORY, 'node_modules'), join(clone, 'node_modules'))

/** The machine's own Node comes first on the path: the project's is in node_modules, where npx must find it by itself. */
function npxOnward(clone: string, args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  return spawnSync('npx', ['onward', ...args], {
    cwd: clone,
    encoding: 'utf8',
    timeout: ENDS_WITHIN_MS,
    // `npx` must not go to a registry for what is in the folder: where it wanted to, it fails.
    env: { HOME: process.env['HOME'], PATH: machinePath(), npm_config_offline: 'true', ...environment },
  })
}

test('npx onward works by hand where npm has installed the packages', async (t) => {
  const clone = aClone(t)
  install(clone)
  const help = npxOnward(clone, ['--help'])
  assert.equal(help.status, 0, help.stderr)
  assert.match(help.stdout, /^Usage: onward/)

  const { brokers, createTopic } = await kafkaGround(t)
  const topic = await createTopic(1)
  const published = npxOnward(
    clone,
    ['publish', 'cases', '--count', '3', '--format', 'json', '--topic', topic, '--json'],
    { KAFKA_BROKERS: brokers.join(',') },
  )
  assert.equal(published.status, 0, published.stderr)
  assert.deepEqual(JSON.parse(published.stdout), [{ topic, format: 'json', published: 3, of: 3 }])
})

test('npx onward hands its exit code and its messages on', (t) => {
  const clone = aClone(t)
  install(clone)
  const { status, stdout, stderr } = npxOnward(clone, ['pubish'])
  assert.equal(status, 2)
  assert.equal(stdout, '')
  assert.match(stderr, /publish/)
})

test('npx onward before npm ci says what to run, where the machine has an older Node', (t) => {
  const clone = aClone(t)
  const { status, stderr } = npxOnward(clone, ['--help'])
  const machineNode = spawnSync('node', ['--version'], {
    encoding: 'utf8',
    env: { PATH: machinePath() },
  }).stdout
  // On Node 24 and newer it starts at once, and it is a package that it misses.
  if (Number(/^v(\d+)/.exec(machineNode)?.[1]) < 24) {
    assert.equal(status, 1)
    assert.match(stderr, /onward needs Node 24 \(this is [\d.]+\): run npm ci/)
  } else {
    assert.notEqual(status, 0)
    assert.match(stderr, /Cannot find package/)
  }
})
