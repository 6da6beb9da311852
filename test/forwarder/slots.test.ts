import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Slots, type Shown } from '../../services/forwarder/slots.ts'
import { holdsFor } from '../support/property.ts'

const caps = fc.integer({ min: 1, max: 300 })

/** A remote that always has enough to do: every slot is taken, answers come in the order of the requests. @returns successes */
function busy(slots: Slots, rounds: number, answer: (round: number) => readonly [Shown, number]): number {
  let inFlight = slots.count
  let successes = 0
  for (let round = 0; round < rounds; round++) {
    for (let ending = inFlight; ending > 0; ending--) {
      const [shown, duration] = answer(round)
      if (shown === 'well') successes++
      slots.end(shown, duration, inFlight)
      inFlight--
      // What is free is taken again at once.
      inFlight = Math.max(inFlight, slots.count)
    }
  }
  return successes
}

test('it starts at the cap', () => {
  assert.equal(new Slots(8).count, 8)
})

test('a burst that fails together costs half the slots, not all', () => {
  const slots = new Slots(8)
  for (let inFlight = 8; inFlight > 0; inFlight--) slots.end('failed', 5, inFlight)
  assert.equal(slots.count, 4)
  slots.end('failed', 5, 4)
  assert.equal(slots.count, 2)
})

test('what we ended ourselves changes nothing', () => {
  const slots = new Slots(8)
  for (let ending = 0; ending < 100; ending++) slots.end('nothing', 60_000, 8)
  assert.equal(slots.count, 8)
})

test('slots that nobody used do not grow', () => {
  const slots = new Slots(8)
  slots.collapse(0)
  slots.end('well', 5, 1)
  assert.equal(slots.count, 2)
  for (let ending = 0; ending < 100; ending++) slots.end('well', 5, 1)
  assert.equal(slots.count, 2)
})

test('a remote that answers much later than it did loses slots, and has them back when it is itself again', () => {
  const slots = new Slots(16)
  busy(slots, 5, () => ['well', 100])
  busy(slots, 2, () => ['well', 2_000])
  assert(slots.count < 16, `${slots.count}`)
  busy(slots, 40, () => ['well', 100])
  assert.equal(slots.count, 16)
})

test('a remote that became slow for good is taken as it is', () => {
  const slots = new Slots(16)
  busy(slots, 5, () => ['well', 100])
  busy(slots, 200, () => ['well', 2_000])
  assert.equal(slots.count, 16)
})

test('answers that a busy process of ours delays cost no slot', () => {
  const slots = new Slots(16)
  busy(slots, 5, () => ['well', 5])
  busy(slots, 5, () => ['well', 400])
  assert.equal(slots.count, 16)
})

test('late answers cost no slot while most slots are idle: it is not us who delays them', () => {
  const slots = new Slots(16)
  for (let ending = 0; ending < 50; ending++) slots.end('well', 100, 2)
  for (let ending = 0; ending < 50; ending++) slots.end('well', 2_000, 2)
  assert.equal(slots.count, 16)
})

test('a lonely slow answer costs no slot', () => {
  const slots = new Slots(2)
  busy(slots, 20, () => ['well', 100])
  slots.end('well', 3_000, 2)
  busy(slots, 20, () => ['well', 100])
  assert.equal(slots.count, 2)
})

test('another cap is taken at once by a remote that is well, and grown into by one that is not', () => {
  const well = new Slots(4)
  well.limit(8)
  assert.equal(well.count, 8)
  well.limit(2)
  assert.equal(well.count, 2)
  const failing = new Slots(8)
  failing.end('failed', 5, 8)
  failing.limit(12)
  assert.equal(failing.count, 4)
})

test('in any life the slots are between one and the cap', (t) => {
  const step = fc.record({
    shown: fc.constantFrom<Shown>('well', 'well', 'failed', 'nothing'),
    duration: fc.nat(60_000),
    inFlight: fc.integer({ min: 1, max: 400 }),
    cap: fc.option(caps, { nil: null, freq: 10 }),
    then: fc.constantFrom('collapse', 'forget', ...Array.from({ length: 20 }, () => 'nothing')),
  })
  holdsFor(
    t,
    fc.property(caps, fc.array(step, { maxLength: 300 }), (first, steps) => {
      const slots = new Slots(first)
      for (const { shown, duration, inFlight, cap, then } of steps) {
        if (cap !== null) slots.limit(cap)
        slots.end(shown, duration, inFlight)
        if (then === 'collapse') slots.collapse(inFlight)
        if (then === 'forget') slots.forget()
        assert(Number.isInteger(slots.count) && slots.count >= 1 && slots.count <= slots.cap, `${slots.count}`)
      }
    }),
  )
})

test('a remote that is well, however slow, ends at the cap', (t) => {
  holdsFor(
    t,
    fc.property(caps, fc.integer({ min: 1, max: 60_000 }), (cap, duration) => {
      const slots = new Slots(cap)
      busy(slots, 50, () => ['well', duration])
      assert.equal(slots.count, cap)
    }),
    60,
  )
})

test('a remote that fails ends at one slot', (t) => {
  holdsFor(
    t,
    fc.property(caps, fc.integer({ min: 1, max: 60_000 }), (cap, duration) => {
      const slots = new Slots(cap)
      busy(slots, 10, () => ['failed', duration])
      assert.equal(slots.count, 1)
    }),
  )
})

test('from one slot it is back at the cap within ten caps of successes and a hundred more', (t) => {
  holdsFor(
    t,
    fc.property(caps, fc.integer({ min: 1, max: 1_000 }), (cap, duration) => {
      const slots = new Slots(cap)
      busy(slots, 3, () => ['well', duration])
      slots.collapse(0)
      let successes = 0
      while (slots.count < cap) successes += busy(slots, 1, () => ['well', duration])
      assert(successes <= 10 * cap + 100, `${successes} for ${cap}`)
    }),
  )
})
