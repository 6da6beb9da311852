import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { DueQueue } from '../../services/forwarder/due-queue.ts'
import { holdsFor } from '../support/property.ts'

test('an empty queue has nothing due and no next instant', () => {
  const queue = new DueQueue<string>()
  assert.equal(queue.takeDue(Infinity), undefined)
  assert.equal(queue.nextAt, undefined)
  assert.equal(queue.size, 0)
})

test('items leave in the order of their instants and never before them, as from a sorted list', (t) => {
  const add = fc.record({ add: fc.integer({ min: 0, max: 50 }) })
  const take = fc.record({ take: fc.integer({ min: 0, max: 60 }) })
  holdsFor(
    t,
    fc.property(fc.array(fc.oneof(add, take), { maxLength: 200 }), (commands) => {
      const queue = new DueQueue<number>()
      const model: number[] = []
      for (const command of commands) {
        if ('add' in command) {
          queue.add(command.add, command.add)
          model.push(command.add)
          model.sort((a, b) => a - b)
        } else {
          const expected = model[0] !== undefined && model[0] <= command.take ? model.shift() : undefined
          assert.equal(queue.takeDue(command.take), expected)
        }
        assert.equal(queue.size, model.length)
        assert.equal(queue.nextAt, model[0])
      }
    }),
  )
})
