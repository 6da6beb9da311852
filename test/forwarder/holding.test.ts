// A lane that a dead letter holds, in the hub. That it outlasts a restart is proven on the real broker (test/flows/held.test.ts).
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { Repeater } from '../../services/shared/forwarding/repeater.ts'
import { repeaterId } from '../../services/shared/ids.ts'
import { reconfigure } from '../../services/forwarder/reconfigure.ts'
import { aConnection, caseValue, demo, put } from '../support/changes.ts'
import { openHub, type Hub } from '../support/hub.ts'
import { targetServer, type Reply } from '../support/target-server.ts'
import { turns, until } from '../support/until.ts'
import { aRepeater } from './render-payload/changes.ts'

const MINUTE = 60_000
const all = repeaterId(demo, 'all')
const holding = (overrides: Partial<Repeater> = {}) =>
  aRepeater({ supersede: 'never', closedCase: 'full', onDeadLetter: 'hold', ...overrides })

/** The first change of the case dies; the remote accepts what comes later. */
async function openHeld(t: TestContext, repeater: Repeater, replies: readonly Reply[] = [410]): Promise<Hub> {
  const remote = await targetServer(t, { replies })
  const connection = aConnection({
    url: `http://127.0.0.1:${remote.port}/`,
    limits: { concurrency: 1, rate: null, timeout: 30_000 },
  })
  const hub = openHub(t, { configured: [connection, repeater] })
  hub.receive(caseValue({ version: 0 }))
  await hub.tells('demo/all@0 dead-letter')
  return hub
}

const kindsOf = (hub: Hub) => hub.copies.map(({ what, tier, reason }) => `${what} ${reason} ${tier}`)
const parked = (hub: Hub, count: number) => until('a copy', () => hub.copies.length >= count && hub.park.waiting === 0)
const delivered = (hub: Hub) =>
  hub.facts().flatMap((fact) => (/@(\d+) delivered/.exec(fact)?.[1] ? [Number(/@(\d+)/.exec(fact)?.[1])] : []))
/** Time passes, and what has become due meanwhile comes back, tier by tier. */
const pass = async (hub: Hub, minutes: number) => {
  for (let passed = 0; passed < minutes; passed++) {
    await hub.clock.advance(MINUTE)
    hub.returnDue()
    await turns(20)
  }
}

test('later versions wait behind a dead letter that holds their lane, and other cases go on', async (t) => {
  const hub = await openHeld(t, holding())
  hub.receive(caseValue({ version: 1 }), caseValue({ caseId: 'c2' }), caseValue({ version: 3 }))
  await hub.tells('demo/all@2 delivered')
  await parked(hub, 3)
  assert.deepEqual(kindsOf(hub), ['demo/all@0 held 30m', 'demo/all@1 behind 1m', 'demo/all@3 behind 1m'])
  assert.equal(hub.deadLetters.letters[0]?.holds, true)
  await pass(hub, 40)
  assert.deepEqual(delivered(hub), [2])
  // Looked at the more seldom the longer it lasts; the marker is written anew when its tier brings it back.
  assert.deepEqual(
    [...new Set(kindsOf(hub))],
    [
      'demo/all@0 held 30m',
      'demo/all@1 behind 1m',
      'demo/all@3 behind 1m',
      'demo/all@1 behind 5m',
      'demo/all@3 behind 5m',
      'demo/all@1 behind 30m',
      'demo/all@3 behind 30m',
    ],
  )
  assert.equal(hub.copies.filter(({ reason }) => reason === 'held').length, 2)
  assert.deepEqual([...hub.task.heldLanes()], [[all, 1]])
  assert.equal(hub.intake.heldBytes, 0)
  assert.equal(hub.cases.offsets.takeCommit(0)?.offset, 4)
})

test('a letter that is put back goes before the later versions that it held, in their order', async (t) => {
  const hub = await openHeld(t, holding())
  hub.receive(caseValue({ version: 1 }), caseValue({ version: 2 }))
  await parked(hub, 3)
  hub.putBack({ repeater: all, offset: 0 }, 'case-1', caseValue({ version: 0 }))
  await hub.tells('demo/all@0 delivered')
  await hub.tells('demo/all@0 released')
  assert.deepEqual([...hub.task.heldLanes()], [])
  hub.receive(caseValue({ version: 3 }))
  await pass(hub, 2)
  await hub.tells('demo/all@3 delivered')
  assert.deepEqual(delivered(hub), [0, 1, 2, 3])
  await pass(hub, 40)
  assert.equal(hub.copies.filter(({ reason }) => reason === 'held').length, 1)
  assert.equal(hub.copies.filter(({ reason }) => reason === 'released').length, 1)
  assert.equal(hub.intake.heldBytes, 0)
})

test('a letter that is put back and dies again holds its lane as before, by the same marker', async (t) => {
  const hub = await openHeld(t, holding(), [410, 410, 200])
  hub.receive(caseValue({ version: 1 }))
  await parked(hub, 2)
  hub.putBack({ repeater: all, offset: 0 }, 'case-1', caseValue({ version: 0 }))
  await until('two letters', () => hub.deadLetters.letters.length === 2)
  await pass(hub, 2)
  assert.deepEqual(delivered(hub), [])
  assert.equal(hub.copies.filter(({ reason }) => reason === 'held').length, 1)
  hub.putBack({ repeater: all, offset: 0, run: 'another' }, 'case-1', caseValue({ version: 0 }))
  await hub.tells('demo/all@0 delivered')
  await pass(hub, 2)
  assert.deepEqual(delivered(hub), [0, 1])
})

test('a cancelled hold lets the later versions go on, and its marker holds nothing when it is due', async (t) => {
  const hub = await openHeld(t, holding())
  hub.receive(caseValue({ version: 1 }), caseValue({ version: 2 }))
  await parked(hub, 3)
  hub.putBack({ repeater: all, offset: 0, reason: 'cancel' }, 'case-1', null)
  await hub.tells('demo/all@0 released')
  await pass(hub, 40)
  assert.deepEqual(delivered(hub), [1, 2])
  assert.equal(hub.copies.filter(({ reason }) => reason === 'held').length, 1)
  assert.equal(hub.intake.heldBytes, 0)
  // A second word about it says nothing.
  hub.putBack({ repeater: all, offset: 0, reason: 'cancel' }, 'case-1', null)
  await turns(20)
  assert.equal(hub.copies.filter(({ reason }) => reason === 'released').length, 1)
})

test('a marker that becomes due while its release is written is not written behind it', async (t) => {
  const hub = await openHeld(t, holding())
  await parked(hub, 1)
  await hub.clock.advance(30 * MINUTE)
  hub.putBack({ repeater: all, offset: 0, reason: 'cancel' }, 'case-1', null)
  hub.returnDue()
  await hub.tells('demo/all@0 released')
  await turns(20)
  assert.deepEqual(kindsOf(hub), ['demo/all@0 held 30m', 'demo/all@0 released 30m'])
})

test('of the states that wait in a held lane the newest replaces the others, however long it lasts', async (t) => {
  const hub = await openHeld(t, holding({ supersede: 'waiting' }))
  for (let version = 1; version < 4; version++) {
    hub.receive(caseValue({ version }))
    await parked(hub, version + 1)
    await pass(hub, 3)
  }
  await pass(hub, 6)
  assert.deepEqual(
    hub.facts().filter((fact) => fact.endsWith('superseded')),
    ['demo/all@1 superseded', 'demo/all@2 superseded'],
  )
  hub.putBack({ repeater: all, offset: 0, reason: 'cancel' }, 'case-1', null)
  await pass(hub, 31)
  assert.deepEqual(delivered(hub), [3])
})

test('a state that is put back ahead of the newer ones it held goes first; when its hold was cancelled it goes no more', async (t) => {
  const hub = await openHeld(t, holding({ supersede: 'waiting' }))
  hub.receive(caseValue({ version: 1 }))
  await parked(hub, 2)
  hub.putBack({ repeater: all, offset: 0, ifHeld: true }, 'case-1', caseValue({ version: 0 }))
  await hub.tells('demo/all@0 delivered')
  await pass(hub, 2)
  assert.deepEqual(delivered(hub), [0, 1])
  hub.putBack({ repeater: all, offset: 0, ifHeld: true, run: 'late' }, 'case-1', caseValue({ version: 0 }))
  await hub.tells('demo/all@0 superseded')
  assert.deepEqual(delivered(hub), [0, 1])
  assert.equal(hub.intake.heldBytes, 0)
})

test('a payload that cannot be rendered holds its lane; a repeater that is removed holds none', async (t) => {
  const remote = await targetServer(t, { replies: [] })
  const connection = aConnection({ url: `http://127.0.0.1:${remote.port}/` })
  const hub = openHub(t, { configured: [connection, holding({ format: 'xml' })] })
  hub.receive(caseValue().replace('"properties":{', '"properties":{"no name":"1",'))
  await hub.tells('demo/all@0 held')
  assert.equal(hub.deadLetters.letters[0]?.reason, 'payload')
  hub.directory.apply({ key: Buffer.from(`repeater/${all}`), value: null })
  reconfigure({ kind: 'changed', what: 'repeater', id: all, removed: true }, hub.forwarder, hub.directory, [hub.task])
  assert.deepEqual([...hub.task.heldLanes()], [])
})

test('a repeater that does not hold any more lets go of its lanes', async (t) => {
  const hub = await openHeld(t, holding())
  hub.receive(caseValue({ version: 1 }))
  await parked(hub, 2)
  put(hub.directory, holding({ onDeadLetter: 'continue' }))
  reconfigure({ kind: 'changed', what: 'repeater', id: all, removed: false }, hub.forwarder, hub.directory, [hub.task])
  await pass(hub, 2)
  assert.deepEqual(delivered(hub), [1])
  await pass(hub, 40)
  assert.equal(hub.copies.filter(({ reason }) => reason === 'held').length, 1)
})
