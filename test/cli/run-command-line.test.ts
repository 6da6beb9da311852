import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UsageError } from '../../services/cli/arguments.ts'
import { ClusterError } from '../../services/cli/cluster.ts'
import { runCommandLine } from '../../services/cli/run-command-line.ts'
import type { Verb } from '../../services/cli/verb.ts'
import { SettingsError } from '../../services/shared/settings.ts'
import { capturedTerminal } from '../support/captured-terminal.ts'

const verb = (name: string, run: Verb['run'] = async () => 0): Verb => ({
  name,
  summary: `does ${name}`,
  help: `Usage: onward ${name}\n`,
  run,
})

async function outcomeOf(
  args: readonly string[],
  verbs = [verb('topics'), verb('publish')],
  signal = new AbortController().signal,
) {
  const terminal = capturedTerminal()
  const code = await runCommandLine(args, verbs, '1.2.3', terminal, signal)
  return { code, ...terminal.written }
}

test('help lists every command with what it does', async () => {
  for (const args of [['--help'], ['-h'], ['help']]) {
    const { code, stdout } = await outcomeOf(args)
    assert.equal(code, 0)
    assert.match(stdout, /topics +does topics/)
    assert.match(stdout, /publish +does publish/)
  }
})

test('no command at all is a usage error that shows the help', async () => {
  const { code, stdout, stderr } = await outcomeOf([])
  assert.deepEqual([code, stdout], [2, ''])
  assert.match(stderr, /Usage: onward <command>/)
})

test('the version is printed', async () => {
  assert.deepEqual(await outcomeOf(['--version']), { code: 0, stdout: 'onward 1.2.3\n', stderr: '' })
})

test('a command’s help is printed wherever it is asked for, and the command is not run', async () => {
  const running = verb('topics', () => assert.fail('it was run'))
  for (const args of [
    ['topics', '--help'],
    ['topics', '--sources', '-h'],
    ['help', 'topics'],
  ]) {
    assert.deepEqual(await outcomeOf(args, [running]), { code: 0, stdout: 'Usage: onward topics\n', stderr: '' })
  }
})

test('a part of a command has a name, arguments, a help and complaints of its own', async () => {
  const seen: (readonly string[])[] = []
  const part = verb('list', async (args) => {
    seen.push(args)
    if (args.length > 0) throw new UsageError('too much')
    return 7
  })
  const whole = { ...verb('letters', () => Promise.reject(new UsageError('what about them?'))), parts: [part] }
  assert.equal((await outcomeOf(['letters', 'list'], [whole])).code, 7)
  assert.match((await outcomeOf(['letters', 'list', 'x'], [whole])).stderr, /letters list --help/)
  assert.deepEqual(seen, [[], ['x']])
  for (const args of [
    ['letters', 'list', '--help'],
    ['help', 'letters', 'list'],
  ])
    assert.equal((await outcomeOf(args, [whole])).stdout, 'Usage: onward list\n')
  assert.equal((await outcomeOf(['letters', '--help'], [whole])).stdout, 'Usage: onward letters\n')
  assert.match((await outcomeOf(['letters', 'show'], [whole])).stderr, /what about them\?\nSee: onward letters --help/)
})

test('an unknown command is a usage error that names the nearest', async () => {
  const { code, stderr } = await outcomeOf(['pubish'])
  assert.equal(code, 2)
  assert.match(stderr, /there is no command pubish \(did you mean publish\?\)/)
})

test('an unknown command that is near to nothing is not guessed at', async () => {
  const { stderr } = await outcomeOf(['xyzzy'])
  assert.doesNotMatch(stderr, /did you mean/)
})

test('a command gets the arguments after its name, and its exit code is the command line’s', async () => {
  const seen: string[] = []
  const counting = verb('topics', async (args) => {
    seen.push(...args)
    return 10
  })
  const { code } = await outcomeOf(['topics', '--dry-run', 'x'], [counting])
  assert.deepEqual([code, seen], [10, ['--dry-run', 'x']])
})

const ERRORS: readonly { title: string; error: Error; code: number; says: RegExp }[] = [
  {
    title: 'a usage error',
    error: new UsageError('no such option'),
    code: 2,
    says: /no such option\nSee: onward topics --help/,
  },
  {
    title: 'a settings error',
    error: new SettingsError(['KAFKA_BROKERS is not set']),
    code: 2,
    says: /KAFKA_BROKERS is not set/,
  },
  {
    title: 'a cluster that does not answer',
    error: new ClusterError('no answer from kafka:9092'),
    code: 3,
    says: /no answer from kafka:9092/,
  },
  {
    title: 'a file that is not there',
    error: Object.assign(new Error('ENOENT: no such file'), { code: 'ENOENT' }),
    code: 1,
    says: /^onward topics: ENOENT: no such file\n$/,
  },
]

for (const { title, error, code, says } of ERRORS) {
  test(`${title} ends with ${code} and without a stack`, async () => {
    const outcome = await outcomeOf(['topics'], [verb('topics', () => Promise.reject(error))])
    assert.equal(outcome.code, code)
    assert.match(outcome.stderr, says)
    assert.doesNotMatch(outcome.stderr, /at .*\.ts:/)
  })
}

test('a defect ends with 1 and shows its place', async () => {
  const { code, stderr } = await outcomeOf(
    ['topics'],
    [verb('topics', () => Promise.reject(new TypeError('undefined is not')))],
  )
  assert.equal(code, 1)
  assert.match(stderr, /at .*run-command-line\.test\.ts/)
})

test('what is interrupted ends with 130, whether the command gives up or goes on to its end', async () => {
  for (const run of [() => Promise.reject(new Error('aborted')), () => Promise.resolve(0)]) {
    const interrupted = new AbortController()
    const interrupting = verb('topics', () => {
      interrupted.abort()
      return run()
    })
    const { code, stderr } = await outcomeOf(['topics'], [interrupting], interrupted.signal)
    assert.deepEqual([code, stderr], [130, ''])
  }
})
