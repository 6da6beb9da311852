// What deploy/Dockerfile makes, made by its own steps and run as a container would run it: another user, nothing to write to,
// and, where this machine lets us mount, a root that holds Node and the image's files alone.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, globSync, readFileSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, test, type TestContext } from 'node:test'
import manifest from '../../package.json' with { type: 'json' }
import { buildTree, sizeOf } from '../../deploy/check/image/build-tree.ts'
import { readDockerfile, type Words } from '../../deploy/check/image/read-dockerfile.ts'
import { confine } from '../../deploy/check/image/run-in-image.ts'
import { freePorts } from '../../deploy/local/free-ports.ts'
import { CACHE, REPOSITORY } from '../../deploy/local/paths.ts'
import { caseValue } from '../support/changes.ts'
import { openGround } from '../support/ground.ts'
import { mailbox } from '../support/mailbox.ts'
import { spawnService, startService, type ServiceChild } from '../support/service-process.ts'
import { targetServer } from '../support/target-server.ts'
import { until } from '../support/until.ts'

/** What goes into the image beside Node: more than this, and something came along that nobody asked for. */
const MOST_BYTES = 24 * 1024 * 1024

const lock = JSON.parse(readFileSync(join(REPOSITORY, 'package-lock.json'), 'utf8')) as {
  packages: Record<string, { hasInstallScript?: boolean; dev?: boolean }>
}
const dockerfile = readFileSync(join(REPOSITORY, 'deploy', 'Dockerfile'), 'utf8')
const begunAt = performance.now()
const image = buildTree({ stages: readDockerfile(dockerfile), context: REPOSITORY, folder: join(CACHE, 'image') })
const builtIn = ((performance.now() - begunAt) / 1_000).toFixed(1)
const confinement = confine(image)
after(() => confinement[Symbol.dispose]())
const app = join(image.root, image.workdir)

const FORWARDER = { name: 'forwarder', ready: ['partitions-assigned'], launch: launchOf() }
const NOTIFIER = {
  name: 'notifier',
  ready: ['notifier-active'],
  launch: launchOf(['node', 'services/notifier/main.ts']),
}

test('the image holds the services, their schemas and the packages that run, and nothing else', (t) => {
  const size = sizeOf(app)
  t.diagnostic(
    `${(size / 1024 / 1024).toFixed(1)} MiB in ${image.workdir}, built in ${builtIn} s; run ${confinement.how}`,
  )
  assert.deepEqual(readdirSync(app).toSorted(), [
    ...['LICENSE', 'bin', 'healthcheck.ts', 'node_modules'],
    ...['package-lock.json', 'package.json', 'schemas', 'services'],
  ])
  const installed = globSync('node_modules/{*,@*/*}/package.json', { cwd: app }).map((path) => dirname(path))
  for (const name of Object.keys(manifest.dependencies)) assert.ok(installed.includes(`node_modules/${name}`), name)
  for (const path of installed) assert.ok(lock.packages[path] && !lock.packages[path].dev, path)
  const ours = globSync('{services,schemas}/**', { cwd: REPOSITORY, withFileTypes: true }).filter((file) =>
    file.isFile(),
  )
  const theirs = globSync('{services,schemas}/**', { cwd: app, withFileTypes: true }).filter((file) => file.isFile())
  assert.equal(theirs.length, ours.length)
  assert.ok(size < MOST_BYTES, `${size} bytes`)
})

test('no package of the image has an install script, which its installation leaves out', () => {
  const needed = Object.entries(lock.packages).filter(([, { hasInstallScript, dev }]) => hasInstallScript && !dev)
  // protobufjs only warns there of versions that do not fit each other.
  assert.deepEqual(
    needed.map(([path]) => path),
    ['node_modules/protobufjs'],
  )
})

test('the labels say what is in it', () => {
  const label = (name: string) => image.labels[`org.opencontainers.image.${name}`]
  assert.equal(label('version'), manifest.version)
  assert.equal(label('licenses'), manifest.license)
  assert.equal(label('documentation'), manifest.homepage)
  assert.equal(label('base.name'), `docker.io/library/${readDockerfile(dockerfile).at(-1)?.base ?? ''}`)
  assert.equal(manifest.devDependencies.node, process.versions.node)
})

test('a program of the image is not root and can write nowhere', async (t) => {
  const wrote = await run(t, [
    'node',
    '--eval',
    `const fs = require('node:fs')
     for (const path of ['x', 'services/x', '../x']) {
       try { fs.writeFileSync(path, ''); console.log('wrote ' + path) } catch (error) { console.log(error.code) }
     }
     console.log(process.getuid() > 0 || process.getuid() === ${String(process.getuid?.())})`,
  ])
  assert.match(wrote.said, /^(?:(?:EROFS|EACCES)\n){3}true\n$/)
  if (confinement.hasOwnRoot) assert.ok(!existsSync(join(image.root, 'bin', 'sh')))
})

test('the command line is on the path', async (t) => {
  const help = await run(t, ['onward', '--help'])
  assert.equal(help.code, 0, help.complained)
  assert.match(help.said, /dead-letters/)
  const refused = await run(t, ['onward', 'aply'])
  assert.equal(refused.code, 2)
})

test('its forwarder delivers a change, is found healthy, and ends with 0 on SIGTERM', async (t) => {
  const ground = await openGround(t, 2)
  const remote = await targetServer(t, { replies: [200] })
  await ground.configure(`project: demo
connections:
  - { id: remote, url: '${remote.url}' }
repeaters:
  - { id: cases, connection: remote, forward: cases }
`)
  const [port = 0] = await freePorts(1)
  const settings = { ...ground.environment, ONWARD_HTTP_PORT: String(port) }
  const forwarder = await startService(t, FORWARDER, settings)
  await ground.producer.send(ground.topics.cases, [{ key: 'case-1', value: caseValue() }])
  await until('the change arrived', () => remote.requests.length === 1)
  await until('it is ready', async () => (await probe(t, settings, '/readyz')).code === 0)
  const live = await probe(t, settings)
  assert.equal(live.code, 0, live.said + live.complained)
  assert.match(live.said, /\/livez: ok/)
  assert.equal(await forwarder.stop('SIGTERM'), 0)

  const gone = await probe(t, settings)
  assert.equal(gone.code, 1)
  assert.match(gone.said, /ECONNREFUSED/)
})

test('a forwarder whose brokers are away is alive and not ready', async (t) => {
  const [port = 0, closed = 0] = await freePorts(2)
  const settings = { KAFKA_BROKERS: `127.0.0.1:${closed}`, ONWARD_HTTP_PORT: String(port) }
  const forwarder = await spawnService(t, FORWARDER, settings)
  assert.equal((await probe(t, settings)).code, 0)
  const ready = await probe(t, settings, '/readyz')
  assert.equal(ready.code, 1)
  assert.match(ready.said, /not ok/)
  assert.equal(await forwarder.stop('SIGTERM'), 0)
})

test('its notifier mails, is found healthy, and ends with 0 on SIGTERM', async (t) => {
  const ground = await openGround(t, 2)
  const box = await mailbox(t)
  const remote = await targetServer(t, { replies: [503] })
  await ground.configure(`project: demo
connections:
  - { id: remote, url: '${remote.url}', notify: [ops@example.org], schedule: [1h] }
repeaters:
  - { id: cases, connection: remote, forward: cases }
`)
  const [port = 0] = await freePorts(1)
  const settings = {
    ...ground.environment,
    ONWARD_HTTP_PORT: String(port),
    SMTP_URL: box.url,
    ONWARD_MAIL_FROM: 'Onward <onward@example.org>',
    ONWARD_MAIL_GATHER: '100ms',
    ONWARD_PUBLIC_URL: `http://127.0.0.1:${port}`,
    ONWARD_LINK_SECRET: randomBytes(32).toString('hex'),
  }
  const notifier = await startService(t, NOTIFIER, settings)
  await ground.startForwarder({ ONWARD_FAILING_AFTER: '1s' })
  await ground.producer.send(ground.topics.cases, [{ key: 'case-1', value: caseValue() }])
  const [mail] = await box.took(1)
  assert.deepEqual(mail?.to, ['ops@example.org'])
  assert.equal((await probe(t, settings)).code, 0)
  assert.equal(await notifier.stop('SIGTERM'), 0)
})

function launchOf(words?: Words): (settings: Readonly<Record<string, string>>) => ServiceChild {
  return (settings) => {
    const child = confinement.start(settings, words)
    child.stderr.pipe(process.stderr)
    return child
  }
}

/** The image's HEALTHCHECK, with another path where one is given. */
const probe = (t: TestContext, settings: Readonly<Record<string, string>>, path?: string) =>
  run(t, [...(image.healthcheck ?? []), ...(path === undefined ? [] : [path])], settings)

async function run(t: TestContext, words: Words, settings: Readonly<Record<string, string>> = {}) {
  const child = confinement.start(settings, words)
  t.after(() => child.kill('SIGKILL'))
  const closed = once(child, 'close')
  const [said, complained] = await Promise.all([text(child.stdout), text(child.stderr)])
  await closed
  return { code: child.exitCode, said, complained }
}
