import assert from 'node:assert/strict'
import { test } from 'node:test'
import { measureBySlices, untilItDelivers, type SlicedSystem } from './measure-by-slices.ts'
import type { ReceiverFigures } from './open-receiver.ts'

const PER_MS = 10

/** Delivers while it runs; after `failsAfter` slices it has ended. */
function aSystem(label: string, told: string[], { failsAfter = Infinity, total = Infinity } = {}) {
  let settled = 1
  let slices = 0
  let resumedAt: number | null = performance.now()
  const settle = () => {
    if (resumedAt !== null) settled += Math.round((performance.now() - resumedAt) * PER_MS)
  }
  const system: SlicedSystem & { isRunning(): boolean } = {
    label,
    total,
    progress: () => undefined,
    isRunning: () => resumedAt !== null,
    system: {
      pid: process.pid,
      pause() {
        settle()
        resumedAt = null
      },
      resume() {
        told.push(label)
        slices += 1
        resumedAt ??= performance.now()
      },
      ended: () => (slices > failsAfter ? 'ended with 1' : null),
      firstLine: () => Promise.reject(new Error('it says nothing')),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    },
    receiver: {
      origin: '',
      pid: process.pid,
      figures: () => Promise.resolve({ wellSettled: settled, requests: settled } as ReceiverFigures),
      begin: () => Promise.resolve(),
      forgetLatencies: () => Promise.resolve(),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    },
  }
  return system
}

test('each runs while the others stand still, equally often, and its rate is by the time that it ran', async () => {
  const told: string[] = []
  const systems = ['a', 'b', 'c'].map((label) => aSystem(label, told))
  const figures = await measureBySlices(systems, 1)
  assert.deepEqual(told.slice(0, 6), ['a', 'b', 'c', 'a', 'b', 'c'])
  // Those behind the slices are for all to go on.
  assert.deepEqual(told.slice(-3), ['a', 'b', 'c'])
  assert.ok(systems.every((system) => system.isRunning()))
  // By the clock of all of them it would be a third.
  for (const [, { perSecond }] of figures) assert.ok(perSecond > (PER_MS * 1_000) / 2, String(perSecond))
})

test('who has worked off its load ends it for all', async () => {
  const told: string[] = []
  await measureBySlices([aSystem('a', told), aSystem('b', told, { total: 9_000 })], 60)
  assert.ok(told.length < 14, String(told.length))
})

test('one that ends is named, and the others go on', async () => {
  const systems = [aSystem('a', []), aSystem('b', [], { failsAfter: 2 })]
  await assert.rejects(measureBySlices(systems, 60), /^Error: b: ended with 1$/)
  assert.ok(systems.every((system) => system.isRunning()))
})

test('one that ends before it delivers is named', async () => {
  const { system, receiver, ...silent } = aSystem('c', [])
  const figures = () => Promise.resolve({ wellSettled: 0 } as ReceiverFigures)
  const gone = { ...silent, system: { ...system, ended: () => 'gone' }, receiver: { ...receiver, figures } }
  await assert.rejects(untilItDelivers(gone), /^Error: c: gone$/)
})
