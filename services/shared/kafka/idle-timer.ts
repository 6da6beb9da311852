// kafkajs re-arms a timer with a negative delay for the life of every connection: 1,000 wake-ups a second, about 5 % of a
// core when idle (tulios/kafkajs#1751), and a TimeoutNegativeWarning on Node 24. This arms it only while something waits.
import { createRequire } from 'node:module'

type RequestQueue = {
  readonly throttledUntil: number
  throttleCheckTimeoutId: NodeJS.Timeout | null
  readonly pending: readonly unknown[]
}
type Schedule = (this: RequestQueue) => void

const PATCHED = Symbol.for('onward.idle-timer')

/** @throws Error when the installed kafkajs is not the one this was written against */
export function silenceIdleTimer(): void {
  const require = createRequire(import.meta.url)
  const queue = require('kafkajs/src/network/requestQueue') as {
    readonly prototype: { scheduleCheckPendingRequests?: Schedule & { [PATCHED]?: true } }
  }
  const original = queue.prototype.scheduleCheckPendingRequests
  if (typeof original !== 'function')
    throw new Error('kafkajs has no requestQueue.scheduleCheckPendingRequests: is it still 2.2.4?')
  if (original[PATCHED]) return
  const patched: Schedule & { [PATCHED]?: true } = function (this: RequestQueue) {
    // Nothing waits: whoever pushes next calls this again, so no wake-up is lost.
    if (this.pending.length > 0) original.call(this)
  }
  patched[PATCHED] = true
  queue.prototype.scheduleCheckPendingRequests = patched
}
