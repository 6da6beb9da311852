import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { Fifo } from '../../services/forwarder/fifo.ts'
import { holdsFor } from '../support/property.ts'

test('what goes in first comes out first, as from an array', (t) => {
  holdsFor(
    t,
    fc.property(fc.array(fc.integer({ min: -2_000, max: 2_000 }), { maxLength: 60 }), (bursts) => {
      const fifo = new Fifo<number>()
      const model: number[] = []
      let next = 0
      for (const burst of bursts) {
        for (let i = 0; i < burst; i++) {
          fifo.push(next)
          model.push(next++)
        }
        for (let i = 0; i > burst; i--) assert.equal(fifo.take(), model.shift())
        assert.equal(fifo.size, model.length)
      }
    }),
    100,
  )
})

test('what was taken is not kept in memory', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const fifo = new Fifo<object>()
  fifo.push({})
  fifo.push({})
  const taken = new WeakRef(fifo.take() ?? {})
  // A weak reference holds on until the turn is over.
  await setImmediate()
  collect()
  assert.equal(taken.deref(), undefined)
  assert.equal(fifo.size, 1)
})
