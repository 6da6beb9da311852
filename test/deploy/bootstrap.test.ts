import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { REPOSITORY } from '../../deploy/local/paths.ts'
import { isLiving, processStart } from '../../deploy/local/living-process.mjs'
import { until } from '../support/until.ts'

test('a bare clone in a folder with a space gets its packages and runs the script with its arguments', async (t) => {
  const clone = bareClone(t)
  clone.script(`console.log(JSON.stringify(process.argv.slice(2)))`)
  const { code, stdout } = await clone.run(['--file', 'a b.yaml'])
  assert.deepEqual(JSON.parse(stdout), ['--file', 'a b.yaml'])
  assert.equal(code, 0)
  assert.equal(clone.installations(), 1)
})

test('a second run asks for no packages', async (t) => {
  const clone = bareClone(t)
  clone.script('')
  await clone.run()
  await clone.run()
  assert.equal(clone.installations(), 1)
})

test('a changed lock file is installed anew', async (t) => {
  const clone = bareClone(t)
  clone.script('')
  await clone.run()
  appendFileSync(join(clone.folder, 'package-lock.json'), '\n')
  writeFileSync(join(clone.folder, 'node_modules', '.package-lock.json'), '{"packages":{}}')
  await clone.run()
  assert.equal(clone.installations(), 2)
})

test('packages that somebody installed themselves by this lock file are taken as they are', async (t) => {
  const clone = bareClone(t)
  clone.script('')
  clone.installByHand()
  await clone.run()
  assert.equal(clone.installations(), 0)
})

test('two side by side install once', async (t) => {
  const clone = bareClone(t)
  clone.script('')
  const ends = await Promise.all([clone.run(), clone.run()])
  assert.deepEqual(
    ends.map(({ code }) => code),
    [0, 0],
  )
  assert.equal(clone.installations(), 1)
})

test('an installation that fails says what npm said, and the next run tries again', async (t) => {
  const clone = bareClone(t)
  clone.script('')
  const { code, stderr } = await clone.run([], { FAIL: 'the registry is away' })
  assert.equal(code, 1)
  assert.match(stderr, /the registry is away/)
  assert.equal((await clone.run()).code, 0)
})

test('the script’s exit code is passed on', async (t) => {
  const clone = bareClone(t)
  clone.script('process.exitCode = 7')
  assert.equal((await clone.run()).code, 7)
})

test('a script that a signal ended gives 128 and the signal’s number', async (t) => {
  const clone = bareClone(t)
  clone.script(`process.kill(process.pid, 'SIGKILL')`)
  assert.equal((await clone.run()).code, 137)
})

test('a signal reaches the script once, however often it comes at the same moment', async (t) => {
  const clone = bareClone(t)
  clone.script(`
    let count = 0
    process.on('SIGINT', () => console.log('SIGINT ' + (count += 1)))
    process.on('SIGTERM', () => process.exit(0))
    console.log('ready')
    setInterval(() => {}, 1000)`)
  const running = clone.start()
  await until('the script runs', () => running.stdout().includes('ready'))
  running.child.kill('SIGINT')
  running.child.kill('SIGINT')
  // Different signals may overtake each other: this one waits for the first to have arrived.
  await until('the script has its signal', () => running.stdout().includes('SIGINT 1'))
  running.child.kill('SIGTERM')
  assert.equal(await running.exited, 0)
  assert.doesNotMatch(running.stdout(), /SIGINT 2/)
})

test('a bootstrap that is killed takes its script with it', async (t) => {
  const clone = bareClone(t)
  clone.script(`
    console.log('pid ' + process.pid)
    setInterval(() => {}, 1000)`)
  const running = clone.start()
  await until('the script runs', () => running.stdout().includes('pid '))
  const script = Number(/pid (\d+)/.exec(running.stdout())?.[1])
  const identity = `${script}-${processStart(script) ?? ''}`
  running.child.kill('SIGKILL')
  await until('the script has ended', () => !isLiving(identity))
})

test('without Java, and where it may not install, it gives exactly one line to run', async (t) => {
  const clone = bareClone(t)
  clone.script('')
  const { code, stderr } = await clone.run([], { JAVA_HOME: '', KAFKA_BROKERS: '', PATH: clone.pathWithoutJava() })
  assert.equal(code, 1)
  const lines = stderr.split('\n').filter((line) => line.includes('install '))
  assert.equal(lines.length, 1, stderr)
})

test('a script that needs no Java runs without it', async (t) => {
  const clone = bareClone(t)
  clone.script('')
  const environment = { JAVA_HOME: '', KAFKA_BROKERS: '', PATH: clone.pathWithoutJava() }
  assert.equal((await clone.run([], environment, ['--no-java'])).code, 0)
})

type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string }

/** The bootstrap's own files in a new folder, and an npm that installs nothing but the Node that runs this test. */
function bareClone(t: TestContext) {
  const parent = mkdtempSync(join(tmpdir(), 'onward-bootstrap-'))
  const folder = join(parent, 'a clone')
  const bin = join(parent, 'bin')
  const npm = join(parent, 'npm-calls')
  const children = new Set<ChildProcess>()
  t.after(() => {
    for (const child of children) child.kill('SIGKILL')
    rmSync(parent, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  })
  mkdirSync(bin, { recursive: true })
  cpSync(join(REPOSITORY, 'deploy', 'local'), join(folder, 'deploy', 'local'), {
    recursive: true,
    filter: (source) => !source.endsWith('.ts') && !source.endsWith('/start'),
  })
  const lock = { packages: { '': {}, 'node_modules/a': { version: '1.0.0', integrity: 'x' } } }
  writeFileSync(join(folder, 'package-lock.json'), JSON.stringify(lock))
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')

  const modules = join(folder, 'node_modules')
  writeFileSync(
    join(bin, 'npm'),
    `#!/bin/sh
if [ -n "$FAIL" ]; then echo "$FAIL" >&2; exit 1; fi
echo called >>'${npm}'
rm -rf '${modules}'
mkdir -p '${modules}/.bin'
cp '${join(folder, 'package-lock.json')}' '${modules}/.package-lock.json'
ln -s '${process.execPath}' '${modules}/.bin/node'
`,
  )
  chmodSync(join(bin, 'npm'), 0o755)

  const start = (
    args: readonly string[] = [],
    environment: Readonly<Record<string, string>> = {},
    before: readonly string[] = [],
  ) => {
    const child = spawn(
      process.execPath,
      [join(folder, 'deploy', 'local', 'bootstrap.mjs'), ...before, 'script.ts', ...args],
      {
        cwd: parent,
        // A cluster that is named needs no Java: what these tests are not about.
        env: {
          ...withoutNpm(),
          PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}`,
          KAFKA_BROKERS: 'named:9092',
          ...environment,
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    )
    children.add(child)
    const said = { stdout: '', stderr: '' }
    child.stdout.setEncoding('utf8').on('data', (text: string) => void (said.stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => void (said.stderr += text))
    const exited = once(child, 'close').then(([code]) => (typeof code === 'number' ? code : null))
    return { child, stdout: () => said.stdout, stderr: () => said.stderr, exited }
  }
  return {
    folder,
    start,
    script: (code: string) => writeFileSync(join(folder, 'script.ts'), code),
    installations: () => (existsSync(npm) ? readFileSync(npm, 'utf8').trim().split('\n').length : 0),
    installByHand: () => {
      mkdirSync(join(modules, '.bin'), { recursive: true })
      symlinkSync(process.execPath, join(modules, '.bin', 'node'))
      cpSync(join(folder, 'package-lock.json'), join(modules, '.package-lock.json'))
    },
    /** Nothing but what the fake npm needs: no Java, no Maven, no apt-get. */
    pathWithoutJava: () => {
      for (const name of ['sh', 'rm', 'mkdir', 'cp', 'ln'])
        if (!existsSync(join(bin, name))) symlinkSync(`/bin/${name}`, join(bin, name))
      return bin
    },
    run: async (...given: Parameters<typeof start>): Promise<Ended> => {
      const running = start(...given)
      const code = await running.exited
      return { code, stdout: running.stdout(), stderr: running.stderr() }
    },
  }
}

/** As from a shell: npm's own variables, and what the runner of these tests sets, would reach the clone otherwise. */
function withoutNpm(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('npm_') && !name.startsWith('NODE_')),
  )
}
