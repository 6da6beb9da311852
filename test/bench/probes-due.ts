// How many probes a connection that refuses may have been sent. Pure.
import { PROBE_WAITS } from '../../services/forwarder/breaker.ts'

/** @param since milliseconds from its first request, which broke it */
export function probesDue(since: number): number {
  let due = 0
  let at = 0
  for (;;) {
    at += PROBE_WAITS[Math.min(due, PROBE_WAITS.length - 1)] ?? Infinity
    if (at > since) return due
    due += 1
  }
}
