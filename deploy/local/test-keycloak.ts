// `npm run test:keycloak`: both OAuth 2 grants against a real Keycloak. Not part of `npm run ci`: its first start takes minutes.
// Enters: nothing. Leaves: the test runner's output and its exit code. Keycloak is fetched by Maven into the cache folder once.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, globSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { freePorts } from './free-ports.ts'
import { CACHE, REPOSITORY } from './paths.ts'
import { openProgress } from './progress.mjs'
import { runInstaller } from './run-installer.mjs'
import { untilSignal } from './until-signal.ts'

const VERSION = '26.7.3'
const HOME = join(CACHE, `keycloak-${VERSION}`)
/** Its first start builds itself. */
const STARTS_WITHIN_MS = 6 * 60_000

/** What the test knows: a client that may use both grants, and a user. */
const REALM = {
  realm: 'onward',
  enabled: true,
  clients: [
    {
      clientId: 'onward',
      secret: 'planted-client-secret',
      enabled: true,
      publicClient: false,
      directAccessGrantsEnabled: true,
      serviceAccountsEnabled: true,
      standardFlowEnabled: false,
    },
  ],
  users: [
    {
      username: 'zoe',
      enabled: true,
      email: 'zoe@example.org',
      emailVerified: true,
      firstName: 'Zoë',
      lastName: 'O',
      credentials: [{ type: 'password', value: 'planted-user-password', temporary: false }],
    },
  ],
}

async function fetchKeycloak(): Promise<void> {
  if (existsSync(HOME)) return
  const progress = openProgress()
  const unfinished = join(CACHE, 'keycloak-unfinished')
  rmSync(unfinished, { recursive: true, force: true })
  mkdirSync(unfinished, { recursive: true })
  const copy = 'org.apache.maven.plugins:maven-dependency-plugin:2.8:copy'
  const artifact = `-Dartifact=org.keycloak:keycloak-quarkus-dist:${VERSION}:zip`
  await runInstaller(progress, `Keycloak ${VERSION}`, 'mvn', [
    '-q',
    '-B',
    copy,
    artifact,
    `-DoutputDirectory=${unfinished}`,
  ])
  await runInstaller(progress, 'unpacking', 'python3', [
    ...['-m', 'zipfile', '-e'],
    join(unfinished, `keycloak-quarkus-dist-${VERSION}.zip`),
    unfinished,
  ])
  const home = join(unfinished, `keycloak-${VERSION}`)
  mkdirSync(join(home, 'data', 'import'), { recursive: true })
  writeFileSync(join(home, 'data', 'import', 'onward.json'), JSON.stringify(REALM))
  renameSync(home, HOME)
}

async function main(): Promise<number> {
  const { signal, code: interrupted } = untilSignal()
  await fetchKeycloak()
  const [port = 0] = await freePorts(1)
  const keycloak = spawn(
    'sh',
    [join(HOME, 'bin', 'kc.sh'), 'start-dev', '--http-port', String(port), '--import-realm'],
    {
      stdio: 'ignore',
      // A group of its own: the script starts Java and does not pass signals on.
      detached: true,
    },
  )
  try {
    const url = `http://127.0.0.1:${port}/realms/onward`
    const giveUpAt = performance.now() + STARTS_WITHIN_MS
    while (
      !(await fetch(url).then(
        ({ ok }) => ok,
        () => false,
      ))
    ) {
      if (keycloak.exitCode !== null || performance.now() > giveUpAt) throw new Error('Keycloak does not start')
      await pause(500, undefined, { signal })
    }
    const files = globSync('test/keycloak/*.test.ts', { cwd: REPOSITORY })
    const env = { ...process.env, KEYCLOAK_REALM_URL: url }
    const tests = spawn(process.execPath, ['--test', '--test-reporter=spec', ...files], {
      cwd: REPOSITORY,
      stdio: 'inherit',
      env,
      signal,
    })
    const [code] = (await once(tests, 'exit')) as [number | null]
    return code ?? 1
  } catch (error) {
    if (signal.aborted) return await interrupted
    throw error
  } finally {
    if (keycloak.pid !== undefined && keycloak.exitCode === null) process.kill(-keycloak.pid, 'SIGTERM')
  }
}

process.exitCode = await main()
