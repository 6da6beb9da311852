import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { pathToFileURL } from 'node:url'
import { askMetadata } from '../../deploy/local/ask-metadata.ts'
import { isLiving, ownIdentity, processStart } from '../../deploy/local/living-process.mjs'
import { PortTakenError, startMember } from '../../deploy/local/member.ts'
import { REPOSITORY } from '../../deploy/local/paths.ts'
import { noProgress } from '../../deploy/local/progress.mjs'
import { makeRunFolder, sweepRunFolders } from '../../deploy/local/run-folder.ts'
import { startStack, type Stack } from '../../deploy/local/stack.ts'
import { until } from '../support/until.ts'

// These tests are about stacks of our own: the one that the run shares is no help here.
delete process.env['KAFKA_BROKERS']
delete process.env['SCHEMA_REGISTRY_URL']

test('a stack answers, and nothing of it is left once it is stopped', async () => {
  const stack = await startStack({ progress: noProgress })
  assert.equal((await askMetadata(portOf(stack, 0)))?.brokers, 1)
  assert.equal((await fetch(`${stack.registryUrl ?? ''}/subjects`)).status, 200)
  const processes = identitiesOf(stack)
  await stack.stop()
  await stack.stop()
  assert.deepEqual(processes.filter(isLiving), [])
  assert.deepEqual(runFoldersOf(ownIdentity), [])
})

test('a cluster of three goes on without one, which comes back on its port with its data', async (t) => {
  const stack = await startStack({ nodes: 3, registry: false, progress: noProgress })
  t.after(() => stack.stop())
  const clusterId = (await askMetadata(portOf(stack, 0)))?.clusterId
  const [first] = stack.kafka
  assert.ok(first)
  const before = first.processId()
  await first.kill()
  assert.equal(processStart(before), undefined)
  assert.equal((await askMetadata(portOf(stack, 1)))?.clusterId, clusterId)
  await first.start()
  assert.deepEqual(await askMetadata(portOf(stack, 0)), { clusterId, brokers: 3 })
})

test('a starter that is killed leaves no process and no file', async (t) => {
  const starter = startElsewhere(t)
  await until('the stack runs', () => starter.said().includes('\n'), 120_000)
  const processes = JSON.parse(starter.said()) as string[]
  assert.deepEqual(processes.filter(isLiving), processes)
  const folders = runFoldersOf(starter.identity)
  assert.equal(folders.length, 1)
  starter.child.kill('SIGKILL')
  await until('its processes are gone', () => !processes.some(isLiving))
  await until('its folder is gone', () => folders.every((folder) => !existsSync(folder)))
})

test('a starter that is killed while the stack boots leaves no process and no file', async (t) => {
  const starter = startElsewhere(t)
  const hasBegun = (member: string) => existsSync(join(runFoldersOf(starter.identity)[0] ?? '/none', member, 'log'))
  await until('broker and registry have begun', () => hasBegun('broker-1') && hasBegun('registry'))
  const [folder] = runFoldersOf(starter.identity)
  assert.ok(folder)
  starter.child.kill('SIGKILL')
  await until('its folder is gone', () => !existsSync(folder))
  await until('no process names it', () => !commandLines().some((line) => line.includes(folder)))
})

test('a starter that goes before it learns the process’s id leaves no process and no file', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'onward-watchdog-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  mkdirSync(join(folder, 'member'))
  const script = join(REPOSITORY, 'deploy', 'local', 'watchdog.sh')
  const watchdog = spawn('sh', [script, join(folder, 'member'), 'sh', '-c', 'while true; do sleep 1; done', folder], {
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  watchdog.stdout.destroy()
  watchdog.stdin.destroy()
  await until('the folder is gone', () => !existsSync(folder))
  await until('no process names it', () => !commandLines().some((line) => line.includes(folder)))
})

test('the environment’s cluster is used as it is: nothing is started', async (t) => {
  process.env['KAFKA_BROKERS'] = 'one:9092, two:9092'
  process.env['SCHEMA_REGISTRY_URL'] = 'http://registry:8081'
  t.after(() => {
    delete process.env['KAFKA_BROKERS']
    delete process.env['SCHEMA_REGISTRY_URL']
  })
  await using stack = await startStack()
  assert.deepEqual(stack.brokers, ['one:9092', 'two:9092'])
  assert.equal(stack.registryUrl, 'http://registry:8081')
  assert.equal(stack.given, true)
  assert.deepEqual(runFoldersOf(ownIdentity), [])
})

test('a start that is aborted ends what it had begun', async () => {
  const controller = new AbortController()
  const starting = startStack({ progress: noProgress, signal: controller.signal })
  starting.catch(() => undefined)
  await until('the broker has begun', () => runFoldersOf(ownIdentity).length > 0)
  controller.abort()
  await assert.rejects(starting, { name: 'AbortError' })
  assert.deepEqual(runFoldersOf(ownIdentity), [])
})

test('what a dead starter and its watchdogs left is cleared away', async (t) => {
  // A process id can't be 0, so this owner never lives.
  const folder = mkdtempSync(join(tmpdir(), `onward-local-${hostname().replaceAll(/[^A-Za-z0-9]/g, '_')}-0-0-`))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const left = spawn('sh', ['-c', 'while true; do sleep 1; done', folder], { stdio: 'ignore' })
  t.after(() => left.kill('SIGKILL'))
  const identity = `${left.pid ?? 0}-${processStart(left.pid ?? 0) ?? ''}`
  sweepRunFolders()
  assert.equal(existsSync(folder), false)
  await until('the process has ended', () => !isLiving(identity))
})

test('the folder of a starter that lives is left alone', (t) => {
  const folder = makeRunFolder()
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  sweepRunFolders()
  assert.equal(existsSync(folder), true)
})

test('a port that was taken meanwhile is told from other failures', async (t) => {
  await assert.rejects(startFake(t, `echo 'java.net.BindException: Address already in use'; exit 1`), PortTakenError)
})

test('a member that ends before it is ready is an error with the end of its log', async (t) => {
  await assert.rejects(
    startFake(t, 'echo no such option; exit 3'),
    /fake ended before it was ready.*\n.*no such option/,
  )
})

test('a member whose program is missing says so', async (t) => {
  await assert.rejects(startFake(t, '', '/no/such/java'), /fake ended before it was ready.*\n.*\/no\/such\/java/)
})

function startFake(t: TestContext, script: string, command = 'sh') {
  const folder = mkdtempSync(join(tmpdir(), 'onward-member-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  mkdirSync(join(folder, 'fake'))
  return startMember({
    name: 'fake',
    folder: join(folder, 'fake'),
    command,
    args: ['-c', script],
    isReady: async () => false,
  })
}

/** Another process that starts a stack, prints its processes, and stays. */
function startElsewhere(t: TestContext) {
  const stack = pathToFileURL(join(REPOSITORY, 'deploy', 'local', 'stack.ts')).href
  const living = pathToFileURL(join(REPOSITORY, 'deploy', 'local', 'living-process.mjs')).href
  const code = `
    import { startStack } from ${JSON.stringify(stack)}
    import { processStart } from ${JSON.stringify(living)}
    const stack = await startStack()
    const ids = [...stack.kafka, stack.registry].map((member) => member.processId())
    console.log(JSON.stringify(ids.map((id) => id + '-' + processStart(id))))`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', code], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  t.after(() => child.kill('SIGKILL'))
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => void (said += text))
  return { child, said: () => said, identity: `${child.pid ?? 0}-${processStart(child.pid ?? 0) ?? ''}` }
}

const identitiesOf = (stack: Stack): string[] =>
  [...stack.kafka, ...(stack.registry ? [stack.registry] : [])].map((member) => {
    const id = member.processId()
    return `${id}-${processStart(id) ?? ''}`
  })

const portOf = (stack: Stack, node: number): number => Number(stack.brokers[node]?.split(':')[1])

const runFoldersOf = (identity: string): string[] =>
  readdirSync(tmpdir())
    .filter((name) => name.startsWith('onward-local-') && name.includes(`-${identity}-`))
    .map((name) => join(tmpdir(), name))

const commandLines = (): string[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => {
      try {
        return readFileSync(`/proc/${name}/cmdline`, 'utf8')
      } catch {
        return ''
      }
    })
