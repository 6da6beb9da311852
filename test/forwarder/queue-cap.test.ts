import assert from 'node:assert/strict'
import { test } from 'node:test'
import { QueueCap } from '../../services/forwarder/queue-cap.ts'

const MINUTE = 60_000
const slow = { slots: 1, rate: null }

/** It answers in two seconds, as an attempt has shown. */
function aSlowOne(): QueueCap {
  const cap = new QueueCap()
  cap.begin(0)
  cap.end(2_000, 2_000)
  return cap
}

test('as much may wait as the connection does until what is parked comes back, and two for each slot in any case', () => {
  const cap = aSlowOne()
  const most = (means: typeof slow | { readonly slots: number; readonly rate: number }, covers = MINUTE) => {
    let waiting = 0
    while (cap.turnOf(2_000, means, waiting, covers, 0) === null) waiting++
    return waiting - 1
  }
  assert.equal(most(slow), 30)
  assert.equal(most({ slots: 4, rate: null as never }), 120)
  assert.equal(most({ slots: 4, rate: 1 }), 60)
  assert.equal(most(slow, 1_000), 2)
})

test('before anything was asked of it, or while nothing is known, everything may wait', () => {
  const cap = new QueueCap()
  assert.equal(cap.turnOf(0, slow, 100_000, MINUTE, 0), null)
})

test('its silence says how slow it is before the first answer, and after quick ones', () => {
  const cap = new QueueCap()
  cap.begin(0)
  assert.equal(cap.turnOf(999, slow, 100_000, MINUTE, 0), null)
  assert.notEqual(cap.turnOf(1_000, slow, 61, MINUTE, 0), null)
  for (let answers = 0; answers < 16; answers++) cap.end(1_000, 10)
  assert.equal(cap.turnOf(1_000, slow, 5_000, MINUTE, 0), null)
  // Nothing is asked of it: its silence says nothing.
  assert.equal(cap.turnOf(60_000, slow, 5_000, MINUTE, 0), null)
  for (let begun = 0; begun < 16; begun++) cap.begin(60_000)
  assert.notEqual(cap.turnOf(70_000, slow, 7, MINUTE, 0), null)
})

test('turns are given out one after the other at its pace, as far as is foreseen; the rest asks again', () => {
  const cap = aSlowOne()
  const turns = Array.from({ length: 40 }, () => cap.turnOf(2_000, slow, 20, 10_000, 0))
  assert.deepEqual(
    turns.slice(0, 3),
    [40_000, 42_000, 44_000].map((wait) => ({ kind: 'booked', wait })),
  )
  // Within the first minute; it has been too much for less than five.
  assert.equal(turns.filter((turn) => turn?.kind === 'booked').length, 10)
  assert.deepEqual(turns.at(-1), { kind: 'ask-again', wait: MINUTE })
  assert.deepEqual(cap.turnOf(2_000 + 6 * MINUTE, slow, 200, 10_000, 0), { kind: 'ask-again', wait: 5 * MINUTE })
  assert.deepEqual(cap.turnOf(2_000 + 60 * MINUTE, slow, 2_000, 10_000, 0), { kind: 'ask-again', wait: 30 * MINUTE })
})

test('the more copies there are the more seldom they ask again', () => {
  const waits = [100, 6_000, 100_000].map((copies) => aSlowOne().turnOf(2_000, slow, 10_000, MINUTE, copies)?.wait)
  assert.deepEqual(waits, [MINUTE, 5 * MINUTE, 30 * MINUTE])
})

test('once there was room again it is full anew, and of another remote nothing is known', () => {
  const cap = aSlowOne()
  assert.equal(cap.turnOf(2_000, slow, 1_000, MINUTE, 0)?.wait, MINUTE)
  assert.equal(cap.turnOf(40 * MINUTE, slow, 0, MINUTE, 0), null)
  assert.equal(cap.turnOf(40 * MINUTE, slow, 1_000, MINUTE, 0)?.wait, MINUTE)
  cap.forget()
  assert.equal(cap.turnOf(40 * MINUTE, slow, 1_000, MINUTE, 0), null)
})

test('the quickest of the last attempts tells what it can do, once there were some', () => {
  const cap = new QueueCap()
  const answer = (duration: number) => {
    cap.begin(0)
    cap.end(0, duration)
  }
  // Handshakes, and an event loop that was busy.
  for (let answers = 0; answers < 15; answers++) answer(800)
  assert.equal(cap.turnOf(0, slow, 100_000, MINUTE, 0), null)
  answer(20)
  assert.equal(cap.turnOf(0, slow, 3_000, MINUTE, 0), null)
  for (let answers = 0; answers < 100; answers++) answer(3_000)
  assert.notEqual(cap.turnOf(0, slow, 22, MINUTE, 0), null)
})

test('sixteen answers within the first second say nothing: a process that has just begun is slow itself', () => {
  const cap = new QueueCap()
  const quick = { slots: 8, rate: null }
  for (let answers = 0; answers < 16; answers++) cap.begin(0)
  for (let answers = 0; answers < 16; answers++) cap.end(300, 150)
  assert.equal(cap.turnOf(300, quick, 10_000, MINUTE, 0), null)
  for (let answers = 0; answers < 16; answers++) cap.begin(900)
  for (let answers = 0; answers < 16; answers++) cap.end(990, 150)
  assert.notEqual(cap.turnOf(1_000, quick, 10_000, MINUTE, 0), null)
})
