// The only place that knows the time and starts timers. Everything else is handed a Clock, so that tests can turn it.
import { performance } from 'node:perf_hooks'

/** A duration in milliseconds, or, in names that end in `At`, an instant in Unix milliseconds. */
export type Millis = number

export type Clock = {
  /** Wall clock, Unix milliseconds: for records, logs and headers. It may jump. */
  now(): Millis
  /** Unix milliseconds by the monotonic clock: the wall clock as it was when the process began. It never jumps. */
  steady(): Millis
  /** Milliseconds since some fixed instant of this process; never jumps: for waits, leases and durations. */
  monotonic(): Millis
  /** Calls `wake` once, `delay` milliseconds from now. Returns what cancels it. A delay above 24 days is clipped to 24 days. */
  after(delay: Millis, wake: () => void): () => void
  /** Resolves after `delay`, or at once when `signal` aborts: the caller looks at the signal. */
  sleep(delay: Millis, signal?: AbortSignal): Promise<void>
}

/** setTimeout keeps its delay in 31 bits and fires at once beyond them. */
const LONGEST_TIMER: Millis = 24 * 24 * 3_600_000

const after = (delay: Millis, wake: () => void): (() => void) => {
  const timer = setTimeout(wake, Math.min(Math.max(delay, 0), LONGEST_TIMER))
  return () => clearTimeout(timer)
}

/** A clock's sleep, made of its timers. */
export function sleepBy(timers: Clock['after']): Clock['sleep'] {
  return (delay, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve()
      const done = () => {
        cancel()
        signal?.removeEventListener('abort', done)
        resolve()
      }
      const cancel = timers(delay, done)
      signal?.addEventListener('abort', done, { once: true })
    })
}

export const systemClock: Clock = {
  now: () => Date.now(),
  steady: () => performance.timeOrigin + performance.now(),
  monotonic: () => performance.now(),
  after,
  sleep: sleepBy(after),
}
