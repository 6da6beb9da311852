// Two whole minutes without one of the things around us: the brokers, the registry, the mail server, a remote. Each has services of
// its own here. `/livez` is 200 every second of it, `/readyz` says what it must, nobody is started anew, and afterwards all that
// waited arrives, in order and once.
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { startStack } from '../../deploy/local/stack.ts'
import { sampleChanges } from '../../services/cli/publish/sample-changes.ts'
import { frameChange } from '../../services/shared/registry/encode-change.ts'
import { caseValue } from '../support/changes.ts'
import { openDoor } from '../support/door.ts'
import { openGround, openGroundOn } from '../support/ground.ts'
import { mailbox } from '../support/mailbox.ts'
import { openRegistryDoor } from '../support/registry-door.ts'
import type { ServiceProcess } from '../support/service-process.ts'
import { headerOf, targetServer, type Arrived } from '../support/target-server.ts'
import { until } from '../support/until.ts'

const AWAY_MS = 120_000
const ASK_EVERY_MS = 1_000
const LONG_ENOUGH_MS = 180_000
/** The last looks of an outage, a second apart. The first ones may still find it ready: a lease lasts for seconds. */
const LAST_LOOKS = 60
/** Of each kind: published before, during and after. */
const CASES = 20
const [, sampleCase] = sampleChanges()

const rules = (url: string): string => `
project: demo
connections:
  - { id: remote, url: "${url}", notify: [ops@example.org] }
repeaters:
  - { id: cases, connection: remote, forward: cases, format: json, supersede: never }
`
const casesOf = (when: string) =>
  Array.from({ length: CASES }, (_, number) => ({
    key: `${when}-${number}`,
    value: caseValue({ caseId: `${when}-${number}` }),
  }))
const keysOf = (requests: readonly Arrived[]) => requests.map((request) => headerOf(request, 'Idempotency-Key'))

test('two minutes without what is around us', { concurrency: true }, async (t) => {
  await Promise.all([
    t.test('without a broker: it is alive and not ready, and goes on where it was', withoutBroker),
    t.test(
      'without the registry: what it has the schema of waits, all else goes on, and it stays ready',
      withoutRegistry,
    ),
    t.test('without the mail server: the notifier is alive and ready, and the mail is sent once', withoutMailServer),
    t.test(
      'without a remote: it stays ready, others are served, and what waited arrives in order and once',
      withoutRemote,
    ),
  ])
})

async function withoutBroker(t: TestContext): Promise<void> {
  const stack = await startStack({ registry: false, own: true })
  t.after(() => stack.stop())
  const ground = await openGroundOn(t, stack, 2)
  const remote = await targetServer(t)
  await ground.configure(rules(remote.url))
  const forwarder = await ground.startForwarder()
  const probes = await watchProbes(t, forwarder)
  await ground.producer.send(ground.topics.cases, casesOf('before'))
  await until('what was published before', () => remote.requests.length === CASES, LONG_ENOUGH_MS)

  const [broker] = stack.kafka
  assert.ok(broker)
  await broker.kill()
  await pause(AWAY_MS)
  const { ready } = probes.soFar()
  await broker.start()
  assert.deepEqual(new Set(ready.slice(-LAST_LOOKS)), new Set([503]))
  await ground.producer.send(ground.topics.cases, casesOf('after'))
  await until('what was published after', () => remote.requests.length >= 2 * CASES, LONG_ENOUGH_MS)
  await until('it is ready again', () => probes.soFar().ready.at(-1) === 200, LONG_ENOUGH_MS)
  assert.equal(new Set(keysOf(remote.requests)).size, 2 * CASES)
  await probes.judge(t, 'without a broker')
}

async function withoutRegistry(t: TestContext): Promise<void> {
  const ground = await openGround(t, 2)
  const remote = await targetServer(t)
  await ground.configure(rules(remote.url))
  const door = await openRegistryDoor(t, ground)
  await door.open()
  const forwarder = await ground.startForwarder({ SCHEMA_REGISTRY_URL: door.url })
  const probes = await watchProbes(t, forwarder)
  await door.close()
  const avro = { partition: 0, key: sampleCase.caseId, value: frameChange('cases', sampleCase, door.schemaId) }
  await ground.producer.send(ground.topics.cases, [avro])
  await forwarder.line(({ event }) => event === 'registry-unavailable')
  const json = casesOf('json').map((record) => ({ ...record, partition: 1 }))
  await ground.producer.send(ground.topics.cases, json)
  await until('the other partition goes on', () => remote.requests.length === CASES, LONG_ENOUGH_MS)
  await pause(AWAY_MS)
  assert.equal(remote.requests.length, CASES)
  await door.open()
  await until('what waited for its schema', () => remote.requests.length === CASES + 1, LONG_ENOUGH_MS)
  assert.deepEqual(await ground.readOwn('dead-letters'), [])
  assert.ok(
    probes.soFar().ready.every((status) => status === 200),
    probes.soFar().ready.join(' '),
  )
  await probes.judge(t, 'without the registry')
}

async function withoutMailServer(t: TestContext): Promise<void> {
  const ground = await openGround(t, 2)
  const remote = await targetServer(t, { reply: () => 503 })
  const box = await mailbox(t)
  await ground.configure(rules(remote.url))
  const notifier = await ground.startNotifier({
    SMTP_URL: box.url,
    ONWARD_MAIL_FROM: 'Onward <onward@example.org>',
    ONWARD_MAIL_GATHER: '100ms',
  })
  const forwarder = await ground.startForwarder({ ONWARD_FAILING_AFTER: '1s' })
  const probes = [await watchProbes(t, notifier), await watchProbes(t, forwarder)]
  await box.close()
  await ground.producer.send(ground.topics.cases, casesOf('failing'))
  await notifier.line(({ event }) => event === 'mail-failed')
  await pause(AWAY_MS)
  assert.deepEqual(box.mails, [])
  await box.open()
  await until('the mail', () => box.mails.length > 0, LONG_ENOUGH_MS)
  // Longer than it gathers, or a second one would be under way.
  await pause(2 * ASK_EVERY_MS)
  assert.deepEqual(
    box.mails.map(({ to }) => to),
    [['ops@example.org']],
  )
  for (const each of probes) {
    assert.ok(each.soFar().ready.every((status) => status === 200))
    await each.judge(t, 'without a mail server')
  }
}

async function withoutRemote(t: TestContext): Promise<void> {
  const ground = await openGround(t, 2)
  const away = await targetServer(t)
  const well = await targetServer(t)
  const door = await openDoor(t, away.port)
  await ground.configure(`
project: demo
connections:
  - { id: away, url: "http://127.0.0.1:${door.port}/" }
  - { id: well, url: "${well.url}" }
repeaters:
  - { id: away, connection: away, forward: cases, format: json, supersede: never }
  - { id: well, connection: well, forward: cases, format: json, supersede: never }
`)
  const forwarder = await ground.startForwarder()
  const probes = await watchProbes(t, forwarder)
  const twice = [...casesOf('during'), ...casesOf('during')]
  await ground.producer.send(ground.topics.cases, twice)
  await until('the others are served', () => well.requests.length === twice.length, LONG_ENOUGH_MS)
  await pause(AWAY_MS)
  assert.equal(away.requests.length, 0)
  await door.open()
  await until('what waited', () => away.requests.length >= twice.length, LONG_ENOUGH_MS)
  await until('nothing waits', async () => (await forwarder.metric('onward_deliveries_waiting')) === 0, LONG_ENOUGH_MS)
  assert.equal(away.requests.length, twice.length)
  assert.equal(new Set(keysOf(away.requests)).size, twice.length)
  const newest = new Map<string, number>()
  for (const request of away.requests) {
    const caseId = /"case_id":"([^"]+)"/.exec(request.body.toString())?.[1] ?? ''
    const version = Number(headerOf(request, 'Onward-Version'))
    assert.ok(version > (newest.get(caseId) ?? -1), `${caseId}: ${version} after a newer one`)
    newest.set(caseId, version)
  }
  assert.ok(probes.soFar().ready.every((status) => status === 200))
  assert.deepEqual(await ground.readOwn('dead-letters'), [])
  await probes.judge(t, 'without a remote')
}

/** Once it is ready, asks both probes every second. */
async function watchProbes(t: TestContext, service: ServiceProcess) {
  const [live, ready]: [number[], number[]] = [[], []]
  const over = new AbortController()
  t.after(() => over.abort())
  const ask = async (path: string): Promise<number> => {
    const response = await fetch(`http://127.0.0.1:${service.port}${path}`, { signal: AbortSignal.timeout(5_000) })
    await response.arrayBuffer()
    return response.status
  }
  await until('it is ready', async () => (await ask('/readyz')) === 200, LONG_ENOUGH_MS)
  const watching = (async () => {
    while (!over.signal.aborted) {
      live.push(await ask('/livez'))
      ready.push(await ask('/readyz'))
      await pause(ASK_EVERY_MS, undefined, { signal: over.signal }).catch(() => undefined)
    }
  })()
  // A probe without an answer is told by `judge`; unheard until then it would end the whole run.
  watching.catch(() => undefined)
  return {
    soFar: () => ({ live, ready }),
    /** It was alive all the time, and is the process that it was. */
    judge: async (test: TestContext, what: string) => {
      over.abort()
      await watching
      assert.deepEqual(new Set(live), new Set([200]))
      assert.equal(
        service.lines.some(({ event }) => event === 'consumer-stuck'),
        false,
      )
      assert.equal(await service.stop('SIGTERM'), 0)
      const notReady = ready.filter((status) => status !== 200).length
      test.diagnostic(`${what}: /livez 200 for ${live.length} looks, /readyz ${notReady} times 503`)
    },
  }
}
