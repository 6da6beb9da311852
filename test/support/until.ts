// Waits for a condition, with a deadline, instead of sleeping for a while and hoping.
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises'

/** A condition that takes this long does not come: the test says so, rather than the runner. */
const DEADLINE_MS = 10_000
/** Looking at every turn of the event loop would take a core from whatever is waited for. */
const LOOK_EVERY_MS = 2

/** @param within milliseconds @throws Error naming what did not come about */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  within = DEADLINE_MS,
): Promise<void> {
  const giveUpAt = performance.now() + within
  while (!(await holds())) {
    if (performance.now() > giveUpAt) throw new Error(`still not, after ${within} ms: ${what}`)
    await pause(LOOK_EVERY_MS)
  }
}

/** Lets the event loop turn so often; promises alone need one. */
export async function turns(count: number): Promise<void> {
  if (count === 0) await Promise.resolve()
  for (let turn = 0; turn < count; turn++) await nextTurn()
}
