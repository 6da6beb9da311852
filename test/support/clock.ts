// A clock that the test turns. The wall and the monotonic time are apart, so that the wall can jump.
// Enter: how far to turn. Leave: timers, fired in the order of their instants. A timer that outlives its file's tests fails it:
// in a service it would keep the process alive.
import assert from 'node:assert/strict'
import { after, type TestContext } from 'node:test'
import { sleepBy, type Clock, type Millis } from '../../services/shared/clock.ts'
import { turns } from './until.ts'

type Timer = { readonly at: Millis; readonly wake: () => void }

export type ManualClock = Clock & {
  /** Fires what is due on the way, each at its own instant; what a timer sets off may go on before the next fires. */
  advance(by: Millis): Promise<void>
  /** Moves the wall clock alone, as an operator or a time server does. */
  jumpWall(by: Millis): void
  /** Drops what waits: for a test of something that by its nature never ends. */
  forget(): void
  /** Timers that wait. */
  readonly pending: number
  /** The earliest timer's instant on the monotonic clock. */
  readonly nextAt: Millis | undefined
}

const STARTED_AT: Millis = Date.UTC(2026, 0, 2, 3, 4, 4)

const made: { readonly test: string; readonly clock: ManualClock }[] = []
after(() => {
  const left = made.filter(({ clock }) => clock.pending > 0).map(({ test, clock }) => `${test}: ${clock.pending}`)
  assert.deepEqual(left, [], 'timers outlived their tests')
})

/** @param settle how many turns of the event loop follow each timer: 0 where nothing but promises is between */
export function manualClock(t: TestContext, { settle = 2 } = {}): ManualClock {
  let monotonic: Millis = 1_000
  let wall: Millis = STARTED_AT + monotonic
  const timers = new Set<Timer>()

  const next = (): Timer | undefined => {
    let first: Timer | undefined
    // A set keeps the order of insertion, so equal instants fire in the order they were set.
    for (const timer of timers) if (!first || timer.at < first.at) first = timer
    return first
  }
  const moveTo = (at: Millis) => {
    wall += at - monotonic
    monotonic = at
  }
  const clock: ManualClock = {
    now: () => wall,
    steady: () => STARTED_AT + monotonic,
    monotonic: () => monotonic,
    after(delay, wake) {
      const timer = { at: monotonic + Math.max(delay, 0), wake }
      timers.add(timer)
      return () => {
        timers.delete(timer)
      }
    },
    sleep: sleepBy((delay, wake) => clock.after(delay, wake)),
    async advance(by) {
      const until = monotonic + by
      await turns(settle)
      for (let timer = next(); timer && timer.at <= until; timer = next()) {
        timers.delete(timer)
        moveTo(Math.max(timer.at, monotonic))
        timer.wake()
        await turns(settle)
      }
      moveTo(until)
    },
    jumpWall(by) {
      wall += by
    },
    forget: () => timers.clear(),
    get pending() {
      return timers.size
    },
    get nextAt() {
      return next()?.at
    },
  }
  made.push({ test: t.name, clock })
  return clock
}
