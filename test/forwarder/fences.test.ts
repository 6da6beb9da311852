import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fences } from '../../services/forwarder/fences.ts'
import { OffsetMap } from '../../services/forwarder/offset-map.ts'
import { openTier } from '../../services/forwarder/partition-task.ts'
import { Tiers } from '../../services/forwarder/tiers.ts'

test('what an owner appends behind the fence of the next one is a ghost, and what it appended before is not', () => {
  const fences = new Fences([])
  fences.raise(10)
  assert.equal(fences.epoch, 1)
  assert.equal(fences.isGhost(9, 0), false)
  assert.equal(fences.isGhost(10, 0), true)
  assert.equal(fences.isGhost(10, 1), false)
  fences.raise(20)
  assert.equal(fences.isGhost(15, 1), false)
  assert.equal(fences.isGhost(20, 1), true)
  assert.equal(fences.isGhost(25, 2), false)
})

test('two fences at one place are one, and a storm of them does not grow without end', () => {
  const fences = new Fences([])
  for (let at = 0; at < 100; at++) fences.raise(7)
  assert.deepEqual(fences.all, [{ offset: 7, epoch: 100 }])
  for (let at = 0; at < 100; at++) fences.raise(10 + at)
  assert(fences.all.length <= 32)
  assert.equal(fences.isGhost(109, 199), true)
})

test('a later owner knows the ghosts of earlier ones from the commit', () => {
  const first = new OffsetMap(0, null)
  first.raiseFence(5)
  const second = new OffsetMap(0, first.takeCommit(0) ?? null)
  second.raiseFence(9)
  const third = new OffsetMap(0, second.takeCommit(0) ?? null)
  assert.deepEqual(third.fences.all, [
    { offset: 5, epoch: 1 },
    { offset: 9, epoch: 2 },
  ])
  assert.equal(third.fences.epoch, 2)
  assert.equal(third.fences.isGhost(6, 0), true)
  assert.equal(third.fences.isGhost(9, 1), true)
})

test('whoever is given a partition raises a fence at its end, in every retry topic and not in the one that operators write to', () => {
  const tiers = new Tiers('onward.', [60_000])
  const start = { partition: 0, base: 0, offset: 3, end: 8, commit: null, found: { kind: 'committed' } } as const
  const retry = openTier({ ...start, topic: tiers.shortest.topic }, tiers.shortest)
  assert.deepEqual(retry.offsets.fences.all, [{ offset: 8, epoch: 1 }])
  const requeue = openTier({ ...start, topic: tiers.requeue.topic }, tiers.requeue)
  assert.deepEqual(requeue.offsets.fences.all, [])
})
