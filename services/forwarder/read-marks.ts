// How far a log had been read some time ago. Pure; instants are monotonic milliseconds. Enter: the position, a few times a second.
// Leave: the offset below which everything that is still open has been open for long.
import type { Millis } from '../shared/clock.ts'

/** What waits longer is a straggler: a backlog of well connections waits a few seconds. */
const STRAGGLES_AFTER: Millis = 10_000

export class ReadMarks {
  /** The oldest first: one that is old enough, and all that are not yet. */
  readonly #marks: { readonly position: number; readonly at: Millis }[] = []

  note(position: number, now: Millis): void {
    this.#marks.push({ position, at: now })
    while ((this.#marks[1]?.at ?? Infinity) <= now - STRAGGLES_AFTER) this.#marks.shift()
  }

  /** Records below it were read at least `STRAGGLES_AFTER` before `now`; 0 while nobody can know. */
  stragglersBelow(now: Millis): number {
    const [oldest] = this.#marks
    return oldest && oldest.at <= now - STRAGGLES_AFTER ? oldest.position : 0
  }
}
