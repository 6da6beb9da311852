// `npm start -- --once` as a process, on the real broker, registry, command line and forwarder.
import assert from 'node:assert/strict'
import { execFileSync, spawn, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { REPOSITORY } from '../../deploy/local/paths.ts'
import { openReceiver, type ReceivedRequest } from '../../deploy/local/start/receiver.ts'
import { systemClock } from '../../services/shared/clock.ts'

const START = join(REPOSITORY, 'deploy', 'local', 'start', 'start.ts')
const FLOW = { timeout: 180_000 }

test(
  'start --once delivers the samples, outlasts a failing endpoint, and accounts for every delivery',
  FLOW,
  async (t) => {
    const { code, said, complained, processId } = await run(t, ['--once', '--json'])
    assert.equal(code, 0, complained)
    const accounts: unknown = JSON.parse(said)
    assert.ok(isAccounts(accounts), said)
    assert.deepEqual(accounts.differences, [])
    assert.deepEqual(Object.values(accounts.bodyLengths), [1135, 324, 151, 32])
    const together = accounts.repeaters.reduce(
      (sum, row) => ({
        made: sum.made + row.made,
        ended: sum.ended + row.delivered + row.superseded + row.deadLettered,
      }),
      { made: 0, ended: 0 },
    )
    assert.deepEqual(together, { made: 20, ended: 20 })

    const lines = complained.split('\n')
    assert.ok(lines.some((line) => /^ {2}POST \/guide\?app_id=\w+ {2}← 200$/.test(line)))
    assert.match(complained, /1135 bytes {2}<\?xml version='1\.0' \?><data/)
    assert.match(complained, /← 503 {2}POST \/shaky +in-order +attempt 1/)
    assert.match(complained, /← 200 {2}POST \/shaky +in-order +attempt [2-9]/)
    assert.match(complained, /demo\/strict: rejected, kept in onward\.dead-letters/)
    const mails = lines.filter((line) => line.includes('✉')).map((line) => line.trim())
    assert.deepEqual(mails, [
      '✉ ops@example.org: [demo] The shaky endpoint is failing',
      '✉ ops@example.org: [demo] The shaky endpoint is back to normal',
    ])
    assert.ok(!complained.includes('\x1b'), 'no colours where no terminal is')
    assert.deepEqual(
      lines.filter((line) => line.length > 80),
      [],
    )
    assert.deepEqual(foldersOf(processId), [])
  },
)

test('start refuses a forwarding file with mistakes before anything is started', FLOW, async (t) => {
  const { code, said, complained } = await run(t, ['--file', 'package.json'], { INIT_CWD: REPOSITORY })
  assert.equal(code, 2)
  assert.match(said, /package\.json:\d+:\d+: /)
  assert.match(said, /nothing was started/)
  assert.doesNotMatch(said + complained, /broker/)
})

test('start explains an option that it does not know', FLOW, async (t) => {
  const { code, complained } = await run(t, ['--onse'])
  assert.equal(code, 2)
  assert.match(complained, /did you mean --once/)
})

test(
  'start --file forwards what its own printed line publishes, mails what fails and heals, and ends on one Ctrl-C',
  FLOW,
  async (t) => {
    const received: ReceivedRequest[] = []
    const arrival = Promise.withResolvers<undefined>()
    const receiver = await openReceiver(systemClock, (request) => {
      if (request.target !== '/changes') return
      received.push(request)
      arrival.resolve(undefined)
    })
    receiver.behave('/shaky', { kind: 'fail-for', status: 503, millis: 3_000, body: 'restarting' })
    t.after(() => receiver[Symbol.asyncDispose]())
    const folder = mkdtempSync(join(tmpdir(), 'onward start '))
    t.after(() => rmSync(folder, { recursive: true }))
    writeFileSync(join(folder, 'forwarding.yaml'), ownRules(receiver.origin))

    const started = begin(t, ['--file', 'forwarding.yaml'], {
      INIT_CWD: folder,
      ONWARD_FAILING_AFTER: '1s',
      // Of a mail server that is none of this trial's business.
      SMTP_URL: 'smtps://mail.invalid',
      SMTP_STARTTLS: 'required',
    })
    const told = await started.says('What arrives')
    const [exports = '', publish = ''] = [/(?: {2}export .*\n)+/, / {2}npx onward publish cases.*\n.*\n/].map(
      (lines) => lines.exec(told)?.[0] ?? '',
    )
    const onward = publish.replace('npx onward', `"${process.execPath}" services/cli/main.ts`)
    const shell = spawn('sh', ['-ec', exports + onward], { cwd: REPOSITORY, stdio: ['ignore', 'ignore', 'inherit'] })
    assert.deepEqual((await once(shell, 'close'))[0], 0)
    await arrival.promise
    assert.equal(received[0]?.target, '/changes')
    assert.match(received[0].body.toString(), /^\{"case_id": ?"oak"/)
    await started.says('← 200')
    assert.match(told, /^ {2}Mailbox: http:\/\/127\.0\.0\.1:\d+$/m)
    await started.says('✉ ops@example.org: [demo] Shaky is failing')
    await started.says('✉ ops@example.org: [demo] Shaky is back to normal')

    started.child.kill('SIGINT')
    await started.closed
    assert.equal(started.child.exitCode, 0)
    assert.deepEqual(foldersOf(started.child.pid), [])
  },
)

test('nothing that start began outlives it, even when it is killed at once', FLOW, async (t) => {
  const started = begin(t, [])
  await started.says('✓ forwarder ')
  // The forwarder at least; broker and registry too where the environment names no cluster.
  const ids = childrenOf(started.child.pid)
  assert.ok(ids.length >= 1)
  started.child.kill('SIGKILL')
  await started.closed
  const deadline = performance.now() + 30_000
  while (ids.some((id) => isRunning(id)) && performance.now() < deadline) await sleep(50)
  assert.deepEqual(
    ids.filter((id) => isRunning(id)),
    [],
  )
})

const ownRules = (origin: string): string => `project: demo
connections:
  - id: mine
    url: ${origin}/changes
  - id: shaky
    name: Shaky
    url: ${origin}/shaky
    notify: [ops@example.org]
    schedule: [1s, 1s, 1s, 1s, 1s, 1s, 1s, 1s, 1s, 1s]
repeaters:
  - id: shaky
    connection: shaky
    forward: cases
    format: json
  - id: cases
    connection: mine
    forward: cases
    format: json
`

type Begun = {
  readonly child: ChildProcessByStdio<null, Readable, Readable>
  readonly closed: Promise<unknown>
  /** Resolves with all that was said when this is among it. */
  says(words: string): Promise<string>
}

function begin(t: TestContext, args: readonly string[], env: NodeJS.ProcessEnv = {}): Begun {
  const child = spawn(process.execPath, [START, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.after(() => child.kill('SIGTERM'))
  const closed = once(child, 'close')
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => (said += chunk))
  }
  return {
    child,
    closed,
    says: async (words) => {
      while (!said.includes(words)) {
        const more = await Promise.race([once(child.stdout, 'data'), closed.then(() => null)])
        if (more === null && !said.includes(words)) throw new Error(`it ended without saying "${words}":\n${said}`)
      }
      return said
    },
  }
}

type Run = {
  readonly code: number | null
  readonly said: string
  readonly complained: string
  readonly processId: number | undefined
}

async function run(t: TestContext, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Run> {
  const child = spawn(process.execPath, [START, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.after(() => child.kill('SIGTERM'))
  const closed = once(child, 'close')
  const [said, complained] = await Promise.all([text(child.stdout), text(child.stderr)])
  await closed
  return { code: child.exitCode, said, complained, processId: child.pid }
}

/** A run folder is named after its owner. */
const foldersOf = (processId: number | undefined): readonly string[] =>
  readdirSync(tmpdir()).filter((name) => name.startsWith('onward-local-') && name.includes(`-${processId ?? ''}-`))

function childrenOf(processId = 0): readonly string[] {
  const listed = `/proc/${processId}/task/${processId}/children`
  // Linux tells it by itself; elsewhere there is pgrep.
  return existsSync(listed)
    ? readFileSync(listed, 'utf8').trim().split(' ')
    : execFileSync('pgrep', ['-P', String(processId)], { encoding: 'utf8' })
        .trim()
        .split('\n')
}

function isRunning(processId: string): boolean {
  try {
    process.kill(Number(processId), 0)
    return true
  } catch {
    return false
  }
}

type Row = {
  readonly made: number
  readonly delivered: number
  readonly superseded: number
  readonly deadLettered: number
}
type Printed = {
  readonly differences: readonly string[]
  readonly repeaters: readonly Row[]
  readonly bodyLengths: Readonly<Record<string, number>>
}

const isAccounts = (value: unknown): value is Printed =>
  typeof value === 'object' &&
  value !== null &&
  'differences' in value &&
  'repeaters' in value &&
  'bodyLengths' in value
