// A hostile remote API beside healthy ones, under load: the healthy ones' deliveries all arrive, each case's in order, the memory
// stays, and nothing is ever sent where it points. How long they take beside it: npm run bench:hostile.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test, type TestContext } from 'node:test'
import { caseValue } from '../support/changes.ts'
import { openGround } from '../support/ground.ts'
import { targetServer } from '../support/target-server.ts'
import { until as waitFor } from '../support/until.ts'

const LONG_ENOUGH_MS = 120_000
const HEALTHY = 5
const ROUNDS = 40
const CASES = 20
/** Each goes to every hostile place: enough to keep their slots busy, few enough to be no load by their number alone. */
const BAIT_A_ROUND = 2
const METADATA = 'http://169.254.169.254/latest/'
/** Far below what a hostile answer kept whole would take: one flood is endless, one bomb is 256 MB. */
const MOST_MB = 400

async function startHostile(t: TestContext, canary: string) {
  const child = spawn(process.execPath, [join(import.meta.dirname, '..', 'support', 'hostile-server.ts'), canary], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  t.after(async () => {
    child.stdin.end()
    await exited
  })
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  return JSON.parse(line) as { readonly port: number; readonly harms: readonly string[] }
}

/** Resident memory in MB, as Linux has it. */
const residentOf = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1_024

/** A listener that stands for the metadata address in the processes that are started with these settings. */
async function metadataServer(t: TestContext) {
  const server = await targetServer(t)
  const hook = new URL('../support/divert-metadata.ts', import.meta.url).href
  return { server, settings: { NODE_OPTIONS: `--import=${hook}`, DIVERT_TO: String(server.port) } }
}

const list = (items: readonly string[]) => items.map((item) => `  - ${item}\n`).join('')
/** Of hostile ones: those of healthy ones are the defaults, which a busy machine does not reach. */
const SHORT = 'limits: { timeout: 2s }, schedule: [1s, 1s, 1s]'
const repeater = (id: string, type: string) =>
  `{ id: r-${id}, connection: ${id}, forward: cases, format: json, supersede: never, filters: { caseTypes: [${type}] } }`

test('the listener that stands for the metadata address hears what is dialled there once it is allowed', async (t) => {
  const { server, settings } = await metadataServer(t)
  const ground = await openGround(t, 1)
  await ground.configure(
    `project: demo\nconnections:\n  - { id: metadata, url: "${METADATA}" }\nrepeaters:\n  - ${repeater('metadata', 'bait')}\n`,
  )
  await ground.startForwarder({ ...settings, ONWARD_ALLOW_ADDRESSES: '127.0.0.0/8,169.254.169.254/32' })
  await ground.producer.send(ground.topics.cases, [{ key: 'c', value: caseValue({ caseId: 'c', caseType: 'bait' }) }])
  const [request] = await server.received(1)
  assert.equal(request?.path, '/latest/')
})

test('a hostile remote API harms no healthy connection, and what it points at is never asked', async (t) => {
  const canary = await targetServer(t)
  const metadata = await metadataServer(t)
  const hostile = await startHostile(t, canary.url)
  const versions = new Map<string, string[]>()
  let heard = 0
  const api = await targetServer(t, {
    reply: ({ path, body }) => {
      const { case_id: id, properties } = JSON.parse(String(body)) as {
        readonly case_id: string
        readonly properties: { readonly version: string }
      }
      const lane = `${path} ${id}`
      versions.set(lane, [...(versions.get(lane) ?? []), properties.version])
      heard++
      return 200
    },
  })
  const ground = await openGround(t, 4)
  const healthy = Array.from({ length: HEALTHY }, (_, index) => `healthy-${index}`)
  const harms = hostile.harms.map((harm) => ({
    id: `hostile-${harm}`,
    url: `http://127.0.0.1:${hostile.port}/${harm}`,
  }))
  const hostileOnes = [...harms, { id: 'hostile-metadata', url: METADATA }]
  const connections = [
    ...healthy.map((id) => `{ id: ${id}, url: "${api.url}${id}" }`),
    ...hostileOnes.map(({ id, url }) => `{ id: ${id}, url: "${url}", ${SHORT} }`),
  ]
  const repeaters = [
    ...healthy.map((id) => repeater(id, 'patient')),
    ...hostileOnes.map(({ id }) => repeater(id, 'bait')),
  ]
  await ground.configure(`project: demo\nconnections:\n${list(connections)}repeaters:\n${list(repeaters)}`)
  const forwarder = await ground.startForwarder(metadata.settings)
  let round = 0
  /** @param bait whether the hostile ones get their share */
  const load = async (bait: boolean): Promise<void> => {
    const until = round + ROUNDS
    while (round++ < until) {
      const changes = [
        ...Array.from({ length: bait ? BAIT_A_ROUND : 0 }, (_, at) => ['bait', `bait-${round}-${at}`] as const),
        ...Array.from({ length: CASES }, (_, at) => ['patient', `patient-${at}`] as const),
      ]
      const records = changes.map(([caseType, caseId]) => ({
        key: caseId,
        value: caseValue({ caseId, caseType, version: round }),
      }))
      await ground.producer.send(ground.topics.cases, records)
    }
    round = until
    const wanted = round * CASES * HEALTHY
    await waitFor(`${wanted} deliveries`, () => heard >= wanted, LONG_ENOUGH_MS)
  }
  await load(false)
  const before = residentOf(forwarder.pid)
  await load(true)
  const during = residentOf(forwarder.pid)
  await load(true)
  const after = residentOf(forwarder.pid)
  const attempts = await forwarder.metric('onward_delivery_attempts_total', 'hostile-')
  const refused = await forwarder.metric('onward_delivery_attempts_total', 'outcome="address-not-allowed"')
  t.diagnostic(
    `RSS ${before.toFixed(0)}, ${during.toFixed(0)}, ${after.toFixed(0)} MB; ${attempts} attempts at hostile ones, ${refused} refused addresses`,
  )
  const all = Array.from({ length: round }, (_, at) => String(at + 1))
  assert.equal(versions.size, HEALTHY * CASES)
  for (const [lane, arrived] of versions)
    assert.deepEqual(arrived, all, `${lane}: none lost, none twice, none overtaken`)
  assert.equal(canary.wire.length, 0, 'a redirect was followed')
  assert.equal(metadata.server.wire.length, 0, 'the metadata address was dialled')
  assert.ok(attempts > 0 && refused > 0)
  assert.ok(after < MOST_MB, `${after} MB after ${before}`)
})
