// The publishers' contract shows kcat and Python how: what it shows is run as it stands, but for the names of places.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { PYTHON } from '../../deploy/local/foreign-clients.ts'
import { blocks, commands, page, section } from '../docs/documents.ts'
import { openGround } from '../support/ground.ts'
import { sharedStack } from '../support/stack.ts'
import { targetServer } from '../support/target-server.ts'
import { caseDocument, TREES } from './guide-samples.ts'
import { runProgram } from './run-program.ts'

const PUBLISHERS = page('docs/contract-publishers.md')
const ARRIVES_WITHIN_MS = 30_000

async function openScene(t: TestContext) {
  const { brokers, registryUrl } = await sharedStack()
  const remote = await targetServer(t)
  const ground = await openGround(t, 1)
  await ground.configure(`project: demo
connections:
  - { id: remote, name: Remote, url: "${remote.url}" }
repeaters:
  - { id: cases, connection: remote, forward: cases, format: json }
`)
  const forwarder = await ground.startForwarder()
  /** The documents' places → this test's. */
  const here = (text: string) =>
    text
      .replaceAll('localhost:9092', brokers.join(','))
      .replaceAll('http://localhost:8081', registryUrl ?? '')
      .replaceAll('-t cases ', `-t ${ground.topics.cases} `)
      .replaceAll('"cases"', JSON.stringify(ground.topics.cases))
  const consumed = async (result: string, count: number) => {
    for (const giveUpAt = performance.now() + ARRIVES_WITHIN_MS; ;) {
      const seen = await forwarder.metric('onward_changes_consumed_total', `result="${result}"`)
      if (seen === count) return
      assert.ok(performance.now() < giveUpAt, `${seen} ${result}, not ${count}`)
    }
  }
  return { remote, here, consumed }
}

const caseOf = (body: Buffer | undefined): unknown => Reflect.get(JSON.parse(String(body)) as object, 'case_id')

test("the publishers' kcat lines send a change that is delivered, and a tombstone that is counted", async (t) => {
  const { remote, here, consumed } = await openScene(t)
  const lines = commands(section(PUBLISHERS, '## From the command line')).filter((line) => line.includes('kcat -P'))
  assert.equal(lines.length, 2)
  const folder = await mkdtemp(join(tmpdir(), 'onward-documents-'))
  t.after(() => rm(folder, { recursive: true }))
  await writeFile(join(folder, 'cases.txt'), `${TREES}|${JSON.stringify(caseDocument)}\n`)
  for (const line of lines) await runProgram('sh', ['-c', `cd '${folder}' && ${here(line)}`], '')
  await consumed('matched', 1)
  await consumed('tombstone', 1)
  const [request] = await remote.received(1)
  assert.equal(caseOf(request?.body), TREES)
})

test("the publishers' Python example sends an Avro case that is delivered", async (t) => {
  const { remote, here, consumed } = await openScene(t)
  const [example = ''] = blocks(section(PUBLISHERS, '## From Python'), 'python')
  const said = await runProgram(PYTHON, ['-c', here(example)], '')
  assert.equal(said.trim(), '0', 'it prints the offset of the record')
  await consumed('matched', 1)
  const [request] = await remote.received(1)
  assert.equal(caseOf(request?.body), 'c-1')
})
