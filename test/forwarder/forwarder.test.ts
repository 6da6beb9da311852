import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Directory } from '../../services/shared/forwarding/directory.ts'
import { connectionId, repeaterId } from '../../services/shared/ids.ts'
import { repeaterKey } from '../../services/shared/forwarding/config-record.ts'
import { aConnection, caseValue, demo, put } from '../support/changes.ts'
import { turns, until } from '../support/until.ts'
import { openHub, type Hub } from '../support/hub.ts'
import { targetServer, type Reply } from '../support/target-server.ts'
import { aRepeater } from './render-payload/changes.ts'

const keeping = aRepeater({ supersede: 'never', closedCase: 'full' })
const superseding = aRepeater({ supersede: 'waiting' })
const remove = (directory: Directory, repeater: string) =>
  directory.apply({ key: Buffer.from(repeaterKey(repeaterId(demo, repeater))), value: null })
const to = (port: number, concurrency = 4) =>
  aConnection({ url: `http://127.0.0.1:${port}/`, limits: { concurrency, rate: null, timeout: 30_000 } })

/** What would be committed, with nothing reserved. */
const committable = (hub: Hub) => {
  const { offset, metadata } = hub.cases.offsets.takeCommit(0) ?? {}
  return { offset, metadata }
}

/** An answer that the test gives when it wants to. */
const heldReply = () => {
  let give: (reply: Reply) => void = () => undefined
  const held = new Promise<Reply>((resolve) => (give = resolve))
  return { reply: { held }, give }
}

test('a later change waits while an earlier one of its case is retried, and other cases go on', async (t) => {
  const remote = await targetServer(t, { replies: [503, 200, 200, 200] })
  const hub = openHub(t, { configured: [to(remote.port), keeping] })
  hub.receive(caseValue({ caseId: 'c1' }))
  await hub.tells('demo/all@0 503')
  hub.receive(caseValue({ caseId: 'c1' }), caseValue({ caseId: 'c2' }))
  await hub.tells('demo/all@2 delivered')
  await hub.clock.advance(999)
  assert.deepEqual(hub.facts(), ['demo/all@0 503', 'demo/all@2 200', 'demo/all@2 delivered'])
  await hub.clock.advance(1)
  await hub.tells('demo/all@1 delivered')
  assert.deepEqual(hub.facts().slice(3), [
    'demo/all@0 200',
    'demo/all@0 delivered',
    'demo/all@1 200',
    'demo/all@1 delivered',
  ])
  assert.deepEqual(committable(hub), { offset: 3, metadata: '1:' })
  assert.equal(hub.intake.heldBytes, 0)
})

test('attempts are counted in their header, and every one has the same key and another id', async (t) => {
  const remote = await targetServer(t, { replies: [503, 503, 200] })
  const hub = openHub(t, { configured: [to(remote.port), keeping] })
  hub.receive(caseValue())
  await hub.tells('demo/all@0 503')
  await hub.clock.advance(1_000)
  await remote.received(2)
  await hub.clock.advance(0)
  await turns(20)
  await hub.clock.advance(10_000)
  await hub.tells('demo/all@0 delivered')
  const header = (name: string) => remote.requests.map(({ rawHeaders }) => rawHeaders[rawHeaders.indexOf(name) + 1])
  assert.deepEqual(header('Onward-Attempt'), ['1', '2', '3'])
  assert.deepEqual(new Set(header('Idempotency-Key')), new Set(['"demo/all:cases:0:0"']))
  assert.equal(new Set(header('X-Request-Id')).size, 3)
})

test('a full state replaces the one that waits for a retry, keeps its instant, and is sent in its stead', async (t) => {
  const remote = await targetServer(t, { replies: [503, 200] })
  const hub = openHub(t, { configured: [to(remote.port), superseding] })
  hub.receive(caseValue({ version: 1 }))
  await hub.tells('demo/all@0 503')
  hub.receive(caseValue({ version: 2 }), caseValue({ version: 3 }))
  assert.deepEqual(hub.facts().slice(1), ['demo/all@0 superseded', 'demo/all@1 superseded'])
  assert.deepEqual(committable(hub), { offset: 2, metadata: '1:' })
  await hub.clock.advance(999)
  assert.equal(remote.requests.length, 1)
  await hub.clock.advance(1)
  await hub.tells('demo/all@2 delivered')
  assert.match(remote.requests[1]?.body.toString() ?? '', /<version>3<\/version>/)
})

test('a full state that comes while an older one is on the wire waits for its outcome', async (t) => {
  const { reply, give } = heldReply()
  const remote = await targetServer(t, { replies: [reply, 200] })
  const hub = openHub(t, { configured: [to(remote.port), superseding] })
  hub.receive(caseValue({ version: 1 }))
  await remote.received(1)
  hub.receive(caseValue({ version: 2 }), caseValue({ version: 3 }))
  assert.deepEqual(hub.facts(), ['demo/all@1 superseded'])
  give(200)
  await hub.tells('demo/all@2 delivered')
  assert.deepEqual(hub.facts(), [
    'demo/all@1 superseded',
    'demo/all@0 200',
    'demo/all@0 delivered',
    'demo/all@2 200',
    'demo/all@2 delivered',
  ])
})

test('ten thousand lanes whose secret is not there cost one look, and one more for each probe', async (t) => {
  const hub = openHub(t, { configured: [{ ...to(9, 1), auth: { type: 'bearer', token: '${env:GONE}' } }, keeping] })
  hub.cases.rereading = true
  for (let i = 0; i < 10_000; i++) hub.receive(caseValue({ caseId: `c${i}` }))
  hub.cases.rereading = false
  hub.forwarder.offerAll(hub.task.lanes.from(hub.cases))
  await hub.tells('demo/all@0 unsendable')
  await hub.clock.advance(5_000)
  await hub.tells('demo/all@1 unsendable')
  await turns(20)
  assert.deepEqual(hub.facts(), [
    'demo/remote opened (credentials)',
    'demo/all@0 unsendable',
    'demo/remote reopened (credentials)',
    'demo/all@1 unsendable',
  ])
  assert.deepEqual(hub.copies, [], 'for a moment all wait in memory')
  await hub.clock.advance(75_000)
  assert(hub.copies.length > 9_990, 'then in a retry topic')
})

test('a broken connection costs probes, not attempts, and no try of what waits for it; another goes on', async (t) => {
  let status = 503
  const broken = await targetServer(t, { reply: () => status })
  const well = await targetServer(t)
  const second = { ...to(well.port), id: connectionId(demo, 'second') }
  const other = aRepeater({ id: repeaterId(demo, 'other'), connection: second.id, supersede: 'never' })
  // Its schedule has three waits: without a breaker every one of these would be a dead letter within two minutes.
  const hub = openHub(t, { configured: [to(broken.port), second, keeping, other] })
  for (let i = 0; i < 10; i++) hub.receive(caseValue({ caseId: `c${i}` }))
  await hub.tells('demo/remote opened (failures)')
  for (let i = 0; i < 10; i++) hub.receive(caseValue({ caseId: `c${i}` }))
  const answered = () => hub.facts().filter((fact) => fact.endsWith(' 503')).length
  await until('the tenth is told', () => answered() === 10)
  const live = async (seconds: number) => {
    for (let second = 0; second < seconds; second++) {
      await hub.clock.advance(1_000)
      hub.returnDue()
    }
  }
  await live(3_600)
  // 5, 10, 20, 40 seconds apart, then a minute or, once what waits comes back more seldom, with it.
  assert(broken.requests.length > 20 && broken.requests.length <= 10 + 63, `${broken.requests.length} requests`)
  assert.deepEqual(hub.deadLetters.letters, [])
  await hub.tells('demo/other@19 delivered')
  const probed = hub
    .facts()
    .filter((fact) => fact.endsWith(' 503'))
    .slice(10)
  assert(new Set(probed).size >= 3, `several lanes are asked: ${probed.join(', ')}`)

  status = 200
  await live(1_900)
  await hub.tells('demo/remote closed (failures)')
  for (let i = 0; i < 20; i++) await hub.tells(`demo/all@${i} delivered`)
  const first = hub.facts().filter((fact) => /^demo\/all@\d+ delivered$/.test(fact))
  assert.equal(first.length, 20)
  assert.equal(committable(hub).offset, 20)
})

test('a connection with one case recovers from refused credentials by itself', async (t) => {
  const remote = await targetServer(t, { replies: [401, 401, 401, 200] })
  const hub = openHub(t, { configured: [to(remote.port), keeping] })
  hub.receive(caseValue({ version: 1 }), caseValue({ version: 2 }))
  await hub.tells('demo/all@0 401')
  // A second longer than the probe waits: another lane would be asked first.
  for (const [index, wait] of [5_000, 11_000, 21_000].entries()) {
    await hub.clock.advance(wait)
    await remote.received(2 + index)
    await until('it is told', () => hub.facts().filter((fact) => / (401|200)$/.test(fact)).length >= 2 + index)
  }
  await hub.tells('demo/all@1 delivered')
  await hub.tells('demo/remote closed (credentials)')
})

test('a dead letter completes its offset, and lets the next of its lane go, only when it is acknowledged', async (t) => {
  const remote = await targetServer(t, { replies: [410, 200] })
  const hub = openHub(t, { configured: [to(remote.port, 1), keeping] })
  hub.deadLetters.hold()
  hub.receive(caseValue({ caseId: 'c1' }), caseValue({ caseId: 'c1' }), caseValue({ caseId: 'c2' }))
  await hub.tells('demo/all@2 delivered')
  assert.equal(remote.requests.length, 2)
  assert.equal(hub.cases.offsets.takeCommit(0)?.offset, 0)
  hub.deadLetters.acknowledge()
  await hub.tells('demo/all@1 delivered')
  assert.deepEqual(committable(hub), { offset: 3, metadata: '1:' })
  assert.deepEqual(
    hub.deadLetters.letters.map(({ reason, status }) => [reason, status]),
    [['rejected', 410]],
  )
})

test('an unreadable record is one dead letter with its own bytes, and the next record goes on', async (t) => {
  const remote = await targetServer(t)
  const hub = openHub(t, { configured: [to(remote.port), keeping] })
  hub.deadLetters.hold()
  hub.receive('not a change', caseValue(), null)
  await hub.tells('demo/all@1 delivered')
  assert.equal(hub.cases.offsets.takeCommit(0)?.offset, 0)
  hub.deadLetters.acknowledge()
  await turns(2)
  assert.deepEqual(committable(hub), { offset: 3, metadata: '1:' })
  const [letter] = hub.deadLetters.letters
  assert.deepEqual(
    [letter?.reason, letter?.record.value?.toString(), letter?.delivery],
    ['unreadable', 'not a change', null],
  )
  assert.equal(hub.intake.heldBytes, 0)
})

test('a payload that cannot be rendered is a dead letter without a request', async (t) => {
  const remote = await targetServer(t)
  const hub = openHub(t, { configured: [to(remote.port), keeping] })
  hub.receive(caseValue().replace('"version"', '"no xml name"'))
  await hub.tells('demo/all@0 dead-letter')
  assert.equal(hub.deadLetters.letters[0]?.reason, 'payload')
  assert.equal(remote.requests.length, 0)
})

test("a removed repeater's waiting deliveries become dead letters at once, the one on the wire after its outcome", async (t) => {
  const { reply, give } = heldReply()
  const remote = await targetServer(t, { replies: [503, reply] })
  const hub = openHub(t, { configured: [to(remote.port), keeping] })
  hub.receive(caseValue({ caseId: 'c1' }))
  await hub.tells('demo/all@0 503')
  hub.receive(caseValue({ caseId: 'c1' }), caseValue({ caseId: 'c2' }))
  await remote.received(2)
  remove(hub.directory, 'all')
  hub.forwarder.offerAll(hub.task.lanes.of(keeping.id))
  await hub.tells('demo/all@1 dead-letter')
  give(503)
  await hub.tells('demo/all@2 dead-letter')
  assert.deepEqual(new Set(hub.deadLetters.letters.map(({ reason }) => reason)), new Set(['cancelled']))
  assert.deepEqual(committable(hub), { offset: 3, metadata: '1:' })
})

test("a removed repeater's deliveries do not wait for a turn of their connection", async (t) => {
  const remote = await targetServer(t, { replies: [{ status: 503, headers: { 'Retry-After': '30' } }] })
  const hub = openHub(t, { configured: [to(remote.port), keeping] })
  hub.receive(caseValue({ caseId: 'c1' }))
  await hub.tells('demo/all@0 503')
  hub.receive(caseValue({ caseId: 'c2' }))
  remove(hub.directory, 'all')
  hub.forwarder.offerAll(hub.task.lanes.of(keeping.id))
  await hub.tells('demo/all@1 dead-letter')
  await hub.tells('demo/all@0 dead-letter')
})

test('a changed URL is used by the next attempt', async (t) => {
  const old = await targetServer(t, { replies: [503] })
  const other = await targetServer(t)
  const hub = openHub(t, { configured: [to(old.port), keeping] })
  hub.receive(caseValue())
  await hub.tells('demo/all@0 503')
  put(hub.directory, to(other.port))
  await hub.clock.advance(1_000)
  await hub.tells('demo/all@0 delivered')
  assert.deepEqual([old.requests.length, other.requests.length], [1, 1])
})

test('deliveries of a repeater that goes to another connection now do not wait for the old one', async (t) => {
  const old = await targetServer(t, { replies: [{ status: 503, headers: { 'Retry-After': '30' } }] })
  const other = await targetServer(t)
  const second = { ...to(other.port), id: connectionId(demo, 'second') }
  const hub = openHub(t, { configured: [to(old.port), second, keeping] })
  hub.receive(caseValue({ caseId: 'c1' }))
  await hub.tells('demo/all@0 503')
  hub.receive(caseValue({ caseId: 'c2' }))
  put(hub.directory, { ...keeping, connection: second.id })
  hub.forwarder.offerAll(hub.task.lanes.of(keeping.id))
  await hub.tells('demo/all@1 delivered')
  assert.equal(other.requests.length, 1)
})

test('a lane waits for a connection that is not configured yet', async (t) => {
  const remote = await targetServer(t)
  const hub = openHub(t, { configured: [keeping] })
  hub.receive(caseValue())
  await hub.clock.advance(4_000)
  put(hub.directory, to(remote.port))
  await hub.clock.advance(1_000)
  await hub.tells('demo/all@0 delivered')
})

test('a connection never has more requests at once than slots, and uses them all', async (t) => {
  const held = heldReply()
  const remote = await targetServer(t, { replies: Array.from({ length: 40 }, () => held.reply) })
  const hub = openHub(t, { configured: [to(remote.port, 3), keeping] })
  for (let i = 0; i < 40; i++) hub.receive(caseValue({ caseId: `c${i}` }))
  await remote.received(3)
  await turns(20)
  assert.equal(remote.requests.length, 3)
  held.give(200)
  await remote.received(40)
  await hub.tells('demo/all@39 delivered')
  assert.equal(remote.mostAtOnce, 3)
})

test('Retry-After keeps the whole connection silent, and no other', async (t) => {
  const busy = await targetServer(t, { replies: [{ status: 429, headers: { 'Retry-After': '30' } }] })
  const well = await targetServer(t)
  const second = { ...to(well.port), id: connectionId(demo, 'second') }
  const other = aRepeater({ id: repeaterId(demo, 'other'), connection: second.id, supersede: 'never' })
  const hub = openHub(t, { configured: [to(busy.port), second, keeping, other] })
  hub.receive(caseValue({ caseId: 'c1' }))
  await hub.tells('demo/all@0 429')
  hub.receive(caseValue({ caseId: 'c2' }))
  await hub.tells('demo/other@1 delivered')
  await hub.clock.advance(29_999)
  assert.equal(busy.requests.length, 1)
  await hub.clock.advance(1)
  await hub.tells('demo/all@0 delivered')
  await hub.tells('demo/all@1 delivered')
})

test('a secret that is not there costs no attempt and no request', async (t) => {
  const remote = await targetServer(t)
  const hub = openHub(t, {
    configured: [{ ...to(remote.port), auth: { type: 'bearer', token: '${env:GONE}' } }, keeping],
  })
  hub.receive(caseValue())
  await hub.tells('demo/all@0 unsendable')
  put(hub.directory, to(remote.port))
  await hub.clock.advance(5_000)
  await hub.tells('demo/all@0 delivered')
  assert.equal(remote.requests[0]?.rawHeaders.join().includes('Onward-Attempt,1'), true)
})

test('nothing is attempted before its record is reserved, not even when it takes the place of one that was', async (t) => {
  const remote = await targetServer(t, { replies: [503, 200, 200] })
  const hub = openHub(t, { configured: [to(remote.port), superseding] })
  hub.cases.reserved = 1
  hub.receive(caseValue({ caseId: 'c1' }))
  await hub.tells('demo/all@0 503')
  hub.receive(caseValue({ caseId: 'c1' }), caseValue({ caseId: 'c2' }))
  await hub.clock.advance(60_000)
  assert.deepEqual(hub.facts(), ['demo/all@0 503', 'demo/all@0 superseded'])
  assert.equal(hub.task.running.size, 0)
  hub.cases.reserved = 3
  hub.forwarder.offerAll(hub.cases.unreserved.splice(0))
  await hub.tells('demo/all@1 delivered')
  await hub.tells('demo/all@2 delivered')
})

test('an outcome that comes after the partition was given up counts for nothing', async (t) => {
  const { reply, give } = heldReply()
  const remote = await targetServer(t, { replies: [reply] })
  const hub = openHub(t, { configured: [to(remote.port, 1), keeping] })
  hub.receive(caseValue({ caseId: 'c1' }), caseValue({ caseId: 'c1' }), caseValue({ caseId: 'c2' }))
  await remote.received(1)
  hub.forwarder.close(hub.task)
  give(200)
  await until('the outcome is heard', () => hub.task.running.size === 0)
  assert.deepEqual(hub.facts(), [])
  assert.equal(hub.cases.offsets.takeCommit(0), undefined)
  assert.equal(remote.requests.length, 1)
})

test('a partition that was given up leaves nothing behind: no sleeper, no held bytes', async (t) => {
  const remote = await targetServer(t, { replies: [503, 503] })
  const hub = openHub(t, { configured: [to(remote.port), keeping] })
  hub.receive(caseValue({ caseId: 'c1' }), caseValue({ caseId: 'c2' }))
  await hub.tells('demo/all@0 503')
  await hub.tells('demo/all@1 503')
  hub.forwarder.close(hub.task)
  assert.equal(hub.clock.pending, 0)
  assert.equal(hub.intake.heldBytes, 0)
  assert.deepEqual([...hub.task.lanes.waiting()], [])
})

test('offsets complete in any order, and the commit names the lowest open one and all that is finished above', async (t) => {
  const { reply, give } = heldReply()
  const remote = await targetServer(t, { reply: ({ body }) => (body.includes('"slow"') ? reply : 200) })
  const hub = openHub(t, { configured: [to(remote.port), keeping] })
  hub.receive(
    caseValue({ caseId: 'slow' }),
    caseValue({ caseId: 'c2' }),
    caseValue({ caseId: 'slow' }),
    caseValue({ caseId: 'c3' }),
  )
  await hub.tells('demo/all@3 delivered')
  await hub.tells('demo/all@1 delivered')
  const commit = hub.cases.offsets.takeCommit(0)
  assert.equal(commit?.offset, 0)
  assert.notEqual(commit.metadata, '')
  give(200)
  await hub.tells('demo/all@2 delivered')
  assert.deepEqual(committable(hub), { offset: 4, metadata: '1:' })
})

test('the wall clock may jump: waits are by the other one', async (t) => {
  const remote = await targetServer(t, { replies: [503, 200] })
  const hub = openHub(t, { configured: [to(remote.port), keeping] })
  hub.receive(caseValue())
  await hub.tells('demo/all@0 503')
  hub.clock.jumpWall(-3_600_000)
  await hub.clock.advance(999)
  hub.clock.jumpWall(7_200_000)
  assert.equal(remote.requests.length, 1)
  await hub.clock.advance(1)
  await hub.tells('demo/all@0 delivered')
})
