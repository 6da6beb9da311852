import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Alarm } from '../../services/forwarder/alarm.ts'
import { manualClock } from '../support/clock.ts'

type Sleeper = { readonly name: string; wakesAt: number }
const aSleeper = (name: string): Sleeper => ({ name, wakesAt: 0 })

test('sleepers wake at their instants, in their order, by one timer', async (t) => {
  const clock = manualClock(t)
  const woken: string[] = []
  const alarm = new Alarm<Sleeper>(clock, ({ name }) => woken.push(`${name} ${clock.monotonic()}`))
  const start = clock.monotonic()
  alarm.set(start + 300, aSleeper('c'))
  alarm.set(start + 100, aSleeper('a'))
  alarm.set(start + 200, aSleeper('b'))
  assert.equal(clock.pending, 1)
  await clock.advance(99)
  assert.deepEqual(woken, [])
  await clock.advance(201)
  assert.deepEqual(woken, ['a 1100', 'b 1200', 'c 1300'])
  assert.equal(clock.pending, 0)
})

test('a sleeper that is set to the same instant again and again wakes once', async (t) => {
  const clock = manualClock(t)
  const sleeper = aSleeper('a')
  let woken = 0
  const alarm = new Alarm<Sleeper>(clock, () => woken++)
  for (let i = 0; i < 1_000; i++) alarm.set(clock.monotonic() + 50, sleeper)
  await clock.advance(100)
  assert.equal(woken, 1)
})

test('a sleeper that is set earlier wakes earlier, and one that wakes may be set again', async (t) => {
  const clock = manualClock(t)
  const start = clock.monotonic()
  const woken: number[] = []
  const alarm = new Alarm<Sleeper>(clock, (sleeper) => {
    woken.push(clock.monotonic() - start)
    if (woken.length < 3) alarm.set(clock.monotonic() + 10, sleeper)
  })
  const sleeper = aSleeper('a')
  alarm.set(start + 500, sleeper)
  alarm.set(start + 50, sleeper)
  await clock.advance(100)
  assert.deepEqual(woken, [50, 60, 70])
  alarm.keepOnly(() => false)
  assert.equal(clock.pending, 0)
})

test('who is forgotten does not wake, and the others do', async (t) => {
  const clock = manualClock(t)
  const woken: string[] = []
  const alarm = new Alarm<Sleeper>(clock, ({ name }) => woken.push(name))
  for (const [after, name] of ['a', 'b', 'c', 'd'].entries()) alarm.set(clock.monotonic() + after + 1, aSleeper(name))
  alarm.keepOnly(({ name }) => name > 'b')
  await clock.advance(10)
  assert.deepEqual(woken, ['c', 'd'])
})
