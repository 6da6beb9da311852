// What is away is waited for, and condemns nothing: the registry, the broker, the remote. And a changed URL while traffic flows.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startStack } from '../../deploy/local/stack.ts'
import { sampleChanges } from '../../services/cli/publish/sample-changes.ts'
import { frameChange } from '../../services/shared/registry/encode-change.ts'
import { renderWireDocument } from '../../services/shared/wire/render-document.ts'
import type { ForwarderProcess } from '../support/forwarder-process.ts'
import { openGround, openGroundOn, type Ground } from '../support/ground.ts'
import { openRegistryDoor } from '../support/registry-door.ts'
import { targetServer, type TargetServer } from '../support/target-server.ts'
import { until } from '../support/until.ts'

const [, aCase] = sampleChanges()
const LONG_ENOUGH_MS = 60_000

const rules = (url: string): string => `
project: demo
connections:
  - { id: remote, url: "${url}", schedule: [200ms, 500ms, 1s, 2s, 2s, 2s] }
repeaters:
  - { id: cases, connection: remote, forward: cases, format: json, supersede: never }
`
const caseRecord = (caseId: string) => ({
  key: caseId,
  value: JSON.stringify({ ...renderWireDocument(aCase), case_id: caseId }),
})
const versionsAt = ({ requests }: TargetServer): readonly number[] =>
  requests.map(({ rawHeaders }) => Number(rawHeaders[rawHeaders.indexOf('Onward-Version') + 1]))

test('a registry that is down at the start and in between is waited for, and condemns no record', async (t) => {
  const ground = await openGround(t, 2)
  const remote = await targetServer(t)
  await ground.configure(rules(remote.url))
  const door = await openRegistryDoor(t, ground)
  const forwarder = await ground.startForwarder({ SCHEMA_REGISTRY_URL: door.url, ONWARD_SCHEMA_PATIENCE: '1s' })
  await ground.producer.send(ground.topics.cases, [
    { partition: 0, key: 'avro', value: frameChange('cases', aCase, door.schemaId) },
  ])
  await ground.producer.send(ground.topics.cases, [{ partition: 1, ...caseRecord('json') }])
  await forwarder.line(({ event }) => event === 'registry-unavailable')
  await until('the other partition goes on', () => remote.requests.length === 1, LONG_ENOUGH_MS)
  // Longer than a schema that the registry itself does not know would be asked for.
  await forwarder.line(({ event, waited }) => event === 'registry-unavailable' && Number(waited) > 2_000)
  assert.deepEqual(await probesOf(forwarder), { live: 200, ready: 200 })
  await door.open()
  await until('the Avro change', () => remote.requests.length === 2, LONG_ENOUGH_MS)
  assert.deepEqual(await ground.readOwn('dead-letters'), [])
})

test('a broker that is killed and started again is waited for: nothing is lost and the forwarder goes on by itself', async (t) => {
  const stack = await startStack({ registry: false, own: true })
  t.after(() => stack.stop())
  const ground = await openGroundOn(t, stack, 2)
  const remote = await targetServer(t)
  await ground.configure(rules(remote.url))
  const forwarder = await ground.startForwarder()
  const cases = Array.from({ length: 20 }, (_, number) => `case-${number}`)
  await ground.producer.send(ground.topics.cases, cases.map(caseRecord))
  await until('the changes before', () => remote.requests.length >= 20, LONG_ENOUGH_MS)

  const [broker] = stack.kafka
  assert.ok(broker)
  await until('it is ready', async () => (await probesOf(forwarder)).ready === 200)
  await broker.kill()
  await until(
    'it is not ready',
    async () => {
      const { live, ready } = await probesOf(forwarder)
      assert.equal(live, 200)
      return ready === 503
    },
    LONG_ENOUGH_MS,
  )
  const sent = ground.producer.send(
    ground.topics.cases,
    cases.map((name) => caseRecord(`later-${name}`)),
  )
  await broker.start()
  await sent
  const arrived = () => new Set(remote.requests.map(({ body }) => /"case_id":"([^"]+)"/.exec(body.toString())?.[1]))
  await until('the changes after', () => cases.every((name) => arrived().has(`later-${name}`)), LONG_ENOUGH_MS)
  await until('it is ready again', async () => (await probesOf(forwarder)).ready === 200, LONG_ENOUGH_MS)
  assert.equal((await probesOf(forwarder)).live, 200)
  assert.deepEqual(
    forwarder.lines.filter(({ event }) => event === 'consumer-stuck'),
    [],
  )
})

test('an endpoint that answers 503 for a while delays its own case in order, and nobody else', async (t) => {
  const ground = await openGround(t, 1)
  let broken = true
  const remote = await targetServer(t, { reply: ({ path }) => (path === '/broken' && broken ? 503 : 200) })
  await ground.configure(`
project: demo
connections:
  - { id: broken, url: "${remote.url}broken", schedule: [200ms, 200ms, 200ms, 500ms, 500ms, 1s, 1s, 2s, 2s, 2s, 2s] }
  - { id: healthy, url: "${remote.url}healthy" }
repeaters:
  - { id: broken, connection: broken, forward: cases, format: json, supersede: never }
  - { id: healthy, connection: healthy, forward: cases, format: json, supersede: never }
`)
  const forwarder = await ground.startForwarder()
  const at = (path: string) => ({ ...remote, requests: remote.requests.filter((request) => request.path === path) })
  await ground.producer.send(ground.topics.cases, [caseRecord('c1'), caseRecord('c1'), caseRecord('c1')])
  await until('the healthy one', () => at('/healthy').requests.length === 3, LONG_ENOUGH_MS)
  await until('some refusals', () => at('/broken').requests.length >= 2, LONG_ENOUGH_MS)
  assert.deepEqual(new Set(versionsAt(at('/broken'))), new Set([0]), 'later changes wait behind the first')
  assert.deepEqual(await probesOf(forwarder), { live: 200, ready: 200 })
  broken = false
  await until('the broken one', () => versionsAt(at('/broken')).includes(2), LONG_ENOUGH_MS)
  assert.deepEqual([...new Set(versionsAt(at('/broken')))], [0, 1, 2])
  assert.deepEqual(versionsAt(at('/healthy')), [0, 1, 2])
})

test('a changed URL takes hold while traffic flows, and nothing is lost', async (t) => {
  const ground = await openGround(t, 4)
  const before = await targetServer(t)
  const after = await targetServer(t)
  await ground.configure(rules(before.url))
  await ground.startForwarder()
  const names = Array.from({ length: 3_000 }, (_, number) => `case-${number}`)
  const flow = publishSlowly(ground, names)
  await until('traffic', () => before.requests.length > 300, LONG_ENOUGH_MS)
  await ground.configure(rules(after.url))
  await flow
  const arrivals = () =>
    [...before.requests, ...after.requests].map(({ body }) => /"case_id":"([^"]+)"/.exec(body.toString())?.[1])
  await until('every change', () => new Set(arrivals()).size === names.length, LONG_ENOUGH_MS)
  assert.equal(arrivals().length, names.length, 'each came once')
  assert.ok(after.requests.length > 0 && before.requests.length < names.length, 'both got a part')
})

async function probesOf({ port }: ForwarderProcess): Promise<{ readonly live: number; readonly ready: number }> {
  const ask = async (path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).status
  return { live: await ask('/livez'), ready: await ask('/readyz') }
}

async function publishSlowly(ground: Ground, names: readonly string[]): Promise<void> {
  for (let from = 0; from < names.length; from += 100) {
    await ground.producer.send(ground.topics.cases, names.slice(from, from + 100).map(caseRecord))
    await new Promise((resolve) => setTimeout(resolve, 30))
  }
}
