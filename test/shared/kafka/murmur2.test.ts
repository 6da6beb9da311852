import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import fc from 'fast-check'
import { holdsFor } from '../../support/property.ts'
import { murmur2, partitionByMurmur2, partitionOf } from '../../../services/shared/kafka/murmur2.ts'

/** From Kafka's own test of its hash (clients, UtilsTest). */
const KNOWN = [
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
] as const

for (const [key, hash] of KNOWN) {
  test(`the hash of "${key}" is the one that Java computes`, () => {
    assert.equal(murmur2(Buffer.from(key)), hash)
  })
}

test('any key has the hash that kafkajs computes for it', (t) => {
  const theirs = createRequire(import.meta.url)('kafkajs/src/producer/partitioners/default/murmur2') as (
    key: Buffer,
  ) => number
  holdsFor(
    t,
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      const key = Buffer.from(bytes)
      assert.equal(murmur2(key), theirs(key))
    }),
  )
})

test('any key belongs to one of the partitions there are', (t) => {
  holdsFor(
    t,
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.integer({ min: 1, max: 1_000 }), (key, partitions) => {
      const partition = partitionOf(key, partitions)
      assert.ok(Number.isInteger(partition) && partition >= 0 && partition < partitions)
    }),
  )
})

const leaders = (...ids: readonly number[]) =>
  ids.map((leader, partitionId) => ({ partitionId, leader, partitionErrorCode: 0, replicas: [], isr: [] }))

test('a partition that is asked for is taken, whatever the key', () => {
  const choose = partitionByMurmur2()
  assert.equal(
    choose({ topic: 'cases', partitionMetadata: leaders(1, 1, 1), message: { key: 'abc', value: '', partition: 2 } }),
    2,
  )
})

test('a key keeps its partition while that partition has no leader', () => {
  const choose = partitionByMurmur2()
  const message = { key: 'foobar', value: '' }
  const partition = choose({ topic: 'cases', partitionMetadata: leaders(1, 1, 1, 1), message })
  assert.equal(choose({ topic: 'cases', partitionMetadata: leaders(-1, -1, -1, -1), message }), partition)
})

test('records without a key take turns over the partitions that have a leader', () => {
  const choose = partitionByMurmur2()
  const taken = [1, 2, 3, 4].map(() =>
    choose({ topic: 'cases', partitionMetadata: leaders(1, -1, 1), message: { key: null, value: '' } }),
  )
  assert.deepEqual(taken, [0, 2, 0, 2])
})
