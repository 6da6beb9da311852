import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reconfigure } from '../../services/forwarder/reconfigure.ts'
import type { Connection } from '../../services/shared/forwarding/connection.ts'
import type { Repeater } from '../../services/shared/forwarding/repeater.ts'
import { repeaterId } from '../../services/shared/ids.ts'
import { aConnection, caseValue, demo, put } from '../support/changes.ts'
import { openHub, type Hub } from '../support/hub.ts'
import { targetServer, type Reply } from '../support/target-server.ts'
import { aRepeater } from './render-payload/changes.ts'

const keeping = aRepeater({ supersede: 'never', closedCase: 'full' })
const to = (port: number, concurrency = 4) =>
  aConnection({ url: `http://127.0.0.1:${port}/`, limits: { concurrency, rate: null, timeout: 30_000 } })

const change = (hub: Hub, definition: Connection | Repeater) => {
  put(hub.directory, definition)
  const changed =
    'url' in definition
      ? ({ kind: 'changed', what: 'connection', id: definition.id, removed: false } as const)
      : ({ kind: 'changed', what: 'repeater', id: definition.id, removed: false } as const)
  reconfigure(changed, hub.forwarder, hub.directory, [hub.task])
}
const ASKS_FOR_HALF_A_MINUTE: Reply = { status: 503, headers: { 'Retry-After': '30' } }

for (const [what, changed, fact] of [
  ['URL', (_old: Connection, port: number) => to(port), 'delivered'],
  ['headers', (old: Connection): Connection => ({ ...old, headers: { 'X-Tenant': 'b' } }), 'delivered'],
  // Nobody has the secret here, so that is what the next attempt shows.
  [
    'authentication',
    (old: Connection): Connection => ({ ...old, auth: { type: 'bearer', token: '${env:TOKEN}' } }),
    'unsendable',
  ],
] as const) {
  test(`what waits for a connection, and its silence, end when its ${what} changes`, async (t) => {
    const old = await targetServer(t, { replies: [ASKS_FOR_HALF_A_MINUTE] })
    const other = await targetServer(t)
    const hub = openHub(t, { configured: [to(old.port), keeping] })
    hub.receive(caseValue({ caseId: 'c1' }))
    await hub.tells('demo/all@0 503')
    hub.receive(caseValue({ caseId: 'c2' }))
    change(hub, changed(to(old.port), other.port))
    await hub.tells(`demo/all@0 ${fact}`)
    await hub.tells(`demo/all@1 ${fact}`)
  })
}

test('what waits for a connection, and its silence, outlast a change of its limits, name and schedule', async (t) => {
  const remote = await targetServer(t, { replies: [ASKS_FOR_HALF_A_MINUTE] })
  const hub = openHub(t, { configured: [to(remote.port), keeping] })
  hub.receive(caseValue({ caseId: 'c1' }))
  await hub.tells('demo/all@0 503')
  hub.receive(caseValue({ caseId: 'c2' }))
  change(hub, { ...to(remote.port, 9), name: 'Renamed', schedule: [1] })
  await hub.clock.advance(29_999)
  assert.equal(remote.requests.length, 1)
  await hub.clock.advance(1)
  await hub.tells('demo/all@1 delivered')
})

test('what an old address answers after the change makes nobody wait', async (t) => {
  const { promise: held, resolve: give } = Promise.withResolvers<Reply>()
  const old = await targetServer(t, { replies: [{ held }] })
  const other = await targetServer(t)
  const hub = openHub(t, { configured: [to(old.port), keeping] })
  hub.receive(caseValue({ caseId: 'c1' }))
  await old.received(1)
  change(hub, to(other.port))
  give(ASKS_FOR_HALF_A_MINUTE)
  await hub.tells('demo/all@0 delivered')
  hub.receive(caseValue({ caseId: 'c2' }))
  await hub.tells('demo/all@1 delivered')
  assert.equal(other.requests.length, 2)
})

test('a lane goes as soon as the connection that it waits for is configured', async (t) => {
  const remote = await targetServer(t)
  const hub = openHub(t, { configured: [keeping] })
  hub.receive(caseValue())
  change(hub, to(remote.port))
  await hub.tells('demo/all@0 delivered')
})

test('a changed repeater is tried at once', async (t) => {
  const remote = await targetServer(t, { replies: [400] })
  const hub = openHub(t, { configured: [to(remote.port), keeping] })
  hub.receive(caseValue())
  await hub.tells('demo/all@0 400')
  change(hub, { ...keeping, format: 'json' })
  await hub.tells('demo/all@0 delivered')
})

test('a broken connection that leads elsewhere is well again, and what the old remote still answers breaks nothing', async (t) => {
  let give: (reply: Reply) => void = () => undefined
  const held = new Promise<Reply>((resolve) => (give = resolve))
  const old = await targetServer(t, { replies: [{ held }, 401] })
  const other = await targetServer(t)
  const hub = openHub(t, { configured: [to(old.port), keeping] })
  hub.receive(caseValue({ caseId: 'c1' }))
  await old.received(1)
  hub.receive(caseValue({ caseId: 'c2' }), caseValue({ caseId: 'c3' }))
  await hub.tells('demo/remote opened (credentials)')
  change(hub, to(other.port))
  for (const offset of [1, 2]) await hub.tells(`demo/all@${offset} delivered`)
  give(401)
  await hub.tells('demo/all@0 delivered')
  assert.equal(hub.facts().filter((fact) => fact.startsWith('demo/remote')).length, 1)
})

test('a repeater that is added gets what is read from then on, and nothing of before', async (t) => {
  const remote = await targetServer(t)
  const hub = openHub(t, { configured: [to(remote.port), keeping] })
  hub.receive(caseValue({ caseId: 'before' }))
  await hub.tells('demo/all@0 delivered')
  change(hub, aRepeater({ id: repeaterId(demo, 'added'), supersede: 'never', closedCase: 'full' }))
  hub.receive(caseValue({ caseId: 'after' }))
  await hub.tells('demo/added@1 delivered')
  await hub.tells('demo/all@1 delivered')
  assert.equal((await remote.received(3)).length, 3)
})
