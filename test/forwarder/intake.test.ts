import assert from 'node:assert/strict'
import { test } from 'node:test'
import { heldBytesOf, Intake } from '../../services/forwarder/intake.ts'

test('the sources pause at the bound and resume well below it, each said once', () => {
  const intake = new Intake(1_000)
  intake.hold(899)
  assert.equal(intake.decide(), undefined)
  intake.hold(1)
  assert.equal(intake.decide(), 'pause')
  assert.equal(intake.decide(), undefined)
  assert.equal(intake.paused, true)
  intake.release(199)
  assert.equal(intake.decide(), undefined)
  intake.release(1)
  assert.equal(intake.decide(), 'resume')
  assert.equal(intake.decide(), undefined)
  assert.equal(intake.paused, false)
  assert.equal(intake.heldBytes, 700)
})

test('the retry topics have the last tenth to themselves, and what is to be spilled leaves half', () => {
  const intake = new Intake(1_000)
  intake.hold(999)
  assert.equal(intake.decide(), 'pause')
  assert.equal(intake.isFull, false)
  assert.equal(intake.excess, 499)
  intake.hold(1)
  assert.equal(intake.isFull, true)
})

test('a record counts its value, and more for each delivery made of it', () => {
  const empty = heldBytesOf(null, 1)
  assert(empty > 0)
  assert(heldBytesOf(Buffer.alloc(1_000), 1) >= empty + 1_000)
  assert(heldBytesOf(null, 20) > heldBytesOf(null, 1))
})
