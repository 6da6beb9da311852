// `npm start -- --file` as a stranger uses it: ten lines of rules, an endpoint of their own in another language, and the kcat
// line that npm start prints, copied into another shell.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { REPOSITORY } from '../../deploy/local/paths.ts'
import { until } from '../support/until.ts'
import { machinePath } from './machine-path.ts'
import { pythonReceiver } from './python-receiver.ts'
import { runProgram } from './run-program.ts'

const STARTS_WITHIN_MS = 120_000
const STOPS_WITHIN_MS = 60_000

const rules = (host: string): string => `project: clinic
connections:
  - id: ours
    name: Our own endpoint
    url: http://${host}/changes
repeaters:
  - id: patients
    connection: ours
    forward: cases
    format: json
`

type Start = { readonly output: () => string; stop(): Promise<number | null> }

/** As a shell of its own runs it: with the machine's Node, and nothing of this test's surroundings. */
function npmStart(t: TestContext, file: string): Start {
  const ofTheTest = /^(KAFKA_|SCHEMA_|ONWARD_|NODE_|npm_|INIT_CWD)/
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !ofTheTest.test(name)))
  const child = spawn('npm', ['start', '--', '--file', file], {
    cwd: REPOSITORY,
    env: { ...env, PATH: machinePath(), NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, so that Ctrl-C reaches all of it, as a terminal's does.
    detached: true,
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  const ended = () => child.exitCode !== null || child.signalCode !== null
  const stop = async () => {
    if (!ended()) process.kill(-(child.pid ?? 0), 'SIGINT')
    await until('npm start ends', ended, STOPS_WITHIN_MS)
    return child.exitCode
  }
  t.after(stop)
  return { output: () => output, stop }
}

/** The printed shell line that begins with kcat, up to its last part: a backslash at an end joins the next. */
function kcatLineIn(output: string): string {
  const lines = output.split('\n').map((line) => line.trim())
  const from = lines.findIndex((line) => line.startsWith('kcat '))
  assert.notEqual(from, -1, `no kcat line in:\n${output}`)
  const to = lines.findIndex((line, at) => at >= from && !line.endsWith('\\'))
  return lines.slice(from, to + 1).join('\n')
}

test('npm start --file prints a kcat line that, run in another shell, delivers a case to the endpoint of a ten-line file', async (t) => {
  const receiver = await pythonReceiver(t)
  const folder = await mkdtemp(join(tmpdir(), 'onward own file '))
  t.after(() => rm(folder, { recursive: true }))
  const file = join(folder, 'forwarding.yaml')
  await writeFile(file, rules(receiver.host))
  assert.equal(rules(receiver.host).trimEnd().split('\n').length, 10)

  const start = npmStart(t, file)
  await until(
    `npm start is ready; so far:\n${start.output()}`,
    () => start.output().includes('What arrives'),
    STARTS_WITHIN_MS,
  )
  const line = kcatLineIn(start.output())
  await runProgram('sh', ['-c', line], '')
  const [request] = await receiver.received(1)
  assert.equal(request?.method, 'POST')
  assert.equal(request.path, '/changes')
  const body = JSON.parse(request.body.toString('utf8')) as { readonly domain: string; readonly case_id: string }
  assert.equal(body.domain, 'clinic')
  assert.ok(line.includes('partitioner=murmur2_random'))

  await until('npm start shows the delivery', () => /patients.*200|200.*patients/.test(start.output()))
  assert.equal(await start.stop(), 0)
  assert.match(start.output(), /patients: 1 made, 1 delivered, 0 superseded, 0 dead-lettered/)
})
