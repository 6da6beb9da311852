// What a platform engineer sees: a real Prometheus scrapes a forwarder and a notifier under load, evaluates our rules, and answers
// what the dashboard asks. Prints its figures.
import assert from 'node:assert/strict'
import { createServer } from 'node:https'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { readAlerts } from '../../deploy/check/alert-rules.ts'
import { chosen, readDashboard } from '../../deploy/check/dashboard.ts'
import { freePorts } from '../../deploy/local/free-ports.ts'
import { REPOSITORY } from '../../deploy/local/paths.ts'
import { caseValue } from '../support/changes.ts'
import { openGround } from '../support/ground.ts'
import type { ForwarderProcess } from '../support/forwarder-process.ts'
import { mailbox } from '../support/mailbox.ts'
import { makeCertificate } from '../support/make-certificate.ts'
import { startPrometheus, type Prometheus } from '../support/prometheus.ts'
import { targetServer } from '../support/target-server.ts'
import { until } from '../support/until.ts'

const MINUTE = 60_000
/** Few cases first, until every kind of series is there; then many, which may add none. */
const FIRST_CASES = 500
const ALL_CASES = 10_000
/** Outcomes, reasons and tiers of five connections that were not met before; a label for each case would make 9,500. */
const LATE_SERIES = 30
const LOAD_FOR_MS = 3 * MINUTE
const BATCH = 50
const EVERY_MS = 250
const ASK_EVERY_MS = 1_000
/** The retry topic of the test; a wait that is too long for memory is waited there. */
const TIER = '10s'
const TOO_LONG_FOR_MEMORY = '40s'

const caseNumber = (number: number): string => `case-${number}`

const rules = (url: string, tlsUrl: string, secrets: string): string => `
project: demo
connections:
  - { id: healthy, url: "${url}healthy" }
  - { id: verified, url: "${tlsUrl}", tls: { ca: "\${file:${secrets}/ca.pem}", cert: "\${file:${secrets}/client.pem}", key: "\${file:${secrets}/client-key.pem}" } }
  - { id: unverified, url: "${tlsUrl}", tls: { verify: false } }
  - { id: failing, url: "${url}failing", notify: [ops@example.org], schedule: [${TOO_LONG_FOR_MEMORY}, ${TOO_LONG_FOR_MEMORY}, ${TOO_LONG_FOR_MEMORY}, ${TOO_LONG_FOR_MEMORY}] }
  - { id: refusing, url: "${url}refusing" }
repeaters:
  - { id: healthy, connection: healthy, forward: cases, filters: { caseTypes: [patient] } }
  - { id: verified, connection: verified, forward: cases, filters: { caseTypes: [rare] } }
  - { id: unverified, connection: unverified, forward: cases, filters: { caseTypes: [rare] } }
  - { id: failing, connection: failing, forward: cases, filters: { caseTypes: [rare] } }
  - { id: refusing, connection: refusing, forward: cases, filters: { caseTypes: [rare] } }
`

test('under load every rule evaluates, every panel shows something, cases add no series, and the accounts close', async (t) => {
  const ground = await openGround(t, 4, {}, [TIER])
  const box = await mailbox(t)
  // It is well again once somebody was told.
  const remote = await targetServer(t, {
    reply: ({ path }) => {
      if (path === '/refusing') return 422
      return path === '/failing' && box.mails.length === 0 ? 503 : 200
    },
  })
  const tls = await tlsRemote(t)
  await ground.configure(rules(remote.url, tls.url, tls.secrets))
  const [notifierPort = 0, ...ports] = await freePorts(3)
  const prometheus = await startPrometheus(t, [notifierPort, ...ports])
  await ground.startNotifier({
    SMTP_URL: box.url,
    ONWARD_MAIL_FROM: 'Onward <onward@example.org>',
    ONWARD_MAIL_QUIET: '2s',
    ONWARD_MAIL_GATHER: '100ms',
    ONWARD_HTTP_PORT: String(notifierPort),
  })
  const forwarders: ForwarderProcess[] = []
  for (const [index, port] of ports.entries()) {
    const settings = { ONWARD_FAILING_AFTER: '1s', ONWARD_SECRETS_DIR: tls.secrets, ONWARD_HTTP_PORT: String(port) }
    forwarders.push(await ground.startForwarder(settings))
    // The first one's share changes while it is watched: a rebalance that the dashboard can mark.
    await until('it is scraped', async () => (await prometheus.ask('onward_partitions > 0')).length > index, MINUTE)
  }
  const total = async (name: string, labels?: string) => {
    const values = await Promise.all(forwarders.map((forwarder) => forwarder.metric(name, labels)))
    return values.reduce((sum, value) => sum + value, 0)
  }

  const load = startLoad((records) => ground.producer.send(ground.topics.cases, records))
  t.after(() => load.stop())
  const began = performance.now()
  const panels = unanswered(prometheus)
  await until('every panel shows something', () => panels.ask(), 4 * MINUTE).catch((error: unknown) => {
    throw new Error(`nothing is returned by: ${panels.rest().join('\n')}`, { cause: error })
  })
  await until('the failing connection is back to normal', () => box.mails.length > 1, 2 * MINUTE)
  const seriesBefore = await seriesOf(prometheus)

  load.widen()
  await until(
    'three minutes of load, and every case',
    () => performance.now() - began >= LOAD_FOR_MS && load.sawAll(),
    10 * MINUTE,
  )
  const published = await load.stop()
  await until('everything is settled', async () => (await total('onward_deliveries_waiting')) === 0, 5 * MINUTE)

  const rulesNow = await prometheus.rules()
  assert.equal(rulesNow.length, readAlerts(REPOSITORY).length)
  for (const { name, health, lastError } of rulesNow) assert.equal(health, 'ok', `${name}: ${lastError}`)
  const firing = rulesNow.filter(({ state }) => state === 'firing').map(({ name }) => name)
  assert.deepEqual(firing, ['OnwardDeadLetters'])

  const made = await total('onward_deliveries_made_total')
  const settled = await total('onward_deliveries_settled_total')
  assert.equal(made, settled)
  await until('Prometheus has seen the end', async () => {
    const [sample] = await prometheus.ask('sum(onward_deliveries_settled_total)')
    return sample?.value === settled
  })
  for (const { value } of await prometheus.ask(panels.expressionOf('Deliveries that nobody can account for')))
    assert.equal(value, 0)
  const matched = await total('onward_changes_consumed_total', 'result="matched"')
  assert.equal(matched, published)

  const seriesAfter = await seriesOf(prometheus)
  // A way of ending that comes late begins a series of its own; thousands of cases begin none.
  assert.ok(seriesAfter - seriesBefore <= LATE_SERIES, `${seriesBefore} series, then ${seriesAfter}`)
  t.diagnostic(
    `${published} changes of ${ALL_CASES} cases, ${made} deliveries, ${seriesBefore} series, then ${seriesAfter}`,
  )
})

type Keyed = { readonly key: string | null; readonly value: string }

/** Publishes until it is stopped: cases of two types, a few without a key, first of few cases, then of all. */
function startLoad(send: (records: readonly Keyed[]) => Promise<unknown>) {
  const ending = new AbortController()
  let [cases, next, published] = [FIRST_CASES, 0, 0]
  const running = (async () => {
    while (!ending.signal.aborted) {
      const records = Array.from({ length: BATCH }, (_, index) => {
        const caseId = caseNumber(next++ % cases)
        const value = caseValue({ caseId, caseType: index === 0 ? 'rare' : 'patient' })
        return { key: index === 1 ? null : caseId, value }
      })
      await send(records)
      published += records.length
      await pause(EVERY_MS)
    }
  })()
  return {
    widen: () => {
      ;[cases, next] = [ALL_CASES, 0]
    },
    sawAll: () => cases === ALL_CASES && next >= ALL_CASES,
    stop: async () => {
      ending.abort()
      await running
      return published
    },
  }
}

/** What the dashboard asks and has had no answer to yet. */
function unanswered(prometheus: Prometheus) {
  const { panels, annotations } = readDashboard(REPOSITORY)
  const asked = [
    ...panels.flatMap(({ title, expressions }) => expressions.map((expression) => ({ title, expression }))),
    ...annotations.map((expression) => ({ title: 'annotations', expression })),
  ]
  const open = new Set(asked)
  return {
    ask: async () => {
      for (const each of [...open]) {
        const samples = await prometheus.ask(chosen(each.expression))
        if (samples.some(({ value }) => !Number.isNaN(value))) open.delete(each)
      }
      await pause(ASK_EVERY_MS)
      return open.size === 0
    },
    rest: () => [...open].map(({ title, expression }) => `${title}: ${chosen(expression)}`),
    expressionOf: (title: string) => chosen(asked.find((each) => each.title === title)?.expression ?? title),
  }
}

const seriesOf = async (prometheus: Prometheus): Promise<number> =>
  (await prometheus.ask('count({__name__=~"onward_.+"})'))[0]?.value ?? 0

/** A remote API over TLS, and the folder with what a connection needs to trust it. */
async function tlsRemote(t: TestContext): Promise<{ readonly url: string; readonly secrets: string }> {
  const authority = makeCertificate({ name: 'Test authority', authority: true })
  const host = makeCertificate({ name: '127.0.0.1', hosts: ['127.0.0.1'], issuer: authority })
  const client = makeCertificate({ name: 'onward', issuer: authority })
  const secrets = mkdtempSync(join(tmpdir(), 'onward-secrets-'))
  writeFileSync(join(secrets, 'ca.pem'), authority.cert)
  writeFileSync(join(secrets, 'client.pem'), client.cert)
  writeFileSync(join(secrets, 'client-key.pem'), client.key)
  const server = createServer({ cert: host.cert, key: host.key }, (request, response) => {
    request.resume().on('end', () => response.end())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    rmSync(secrets, { recursive: true })
  })
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}/`, secrets }
}
