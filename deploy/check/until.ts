// Waiting for what others do. Enter: a name for it, a look. Leaves: nothing, once it is so; or an Error that names what did not come.
import { setTimeout as sleep } from 'node:timers/promises'

const LOOK_AGAIN_AFTER_MS = 100
/** What needs longer on a busy machine hangs. */
const HANGS_AFTER_MS = 90_000

/** @throws Error that names what did not come, or the signal's */
export async function until(what: string, isSo: () => Promise<boolean>, signal?: AbortSignal): Promise<void> {
  const deadline = performance.now() + HANGS_AFTER_MS
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`${what} did not come within ${HANGS_AFTER_MS / 1000} s`)
    await sleep(LOOK_AGAIN_AFTER_MS, undefined, signal ? { signal } : {})
  }
}
