// Takes what keeps others waiting out of a full memory, and what keeps a commit from showing all that is finished.
// Enter: what waits, and how fast each connection gets on. Leave: lanes on their way into the retry topics. It is asked whenever
// memory is full, and looks a few times a second at most.
import type { Clock, Millis } from '../shared/clock.ts'
import type { Directory } from '../shared/forwarding/directory.ts'
import type { RepeaterId } from '../shared/ids.ts'
import type { Log } from '../shared/log.ts'
import { chooseSpill, chooseStragglers } from './choose-spill.ts'
import type { Forwarder } from './forwarder.ts'
import type { Intake } from './intake.ts'
import type { Park } from './park.ts'
import type { PartitionTask } from './partition-task.ts'

/**
 * Looking at all that waits takes milliseconds: with each look for room it was 8 % of the processor under a backlog. Who feels it:
 * whoever waits that much longer for memory that a slow connection holds.
 */
const LOOK_EVERY: Millis = 250

type Options = {
  readonly forwarder: Pick<Forwarder, 'desks' | 'parking'>
  readonly intake: Intake
  readonly park: Pick<Park, 'waiting'>
  readonly directory: Directory
  readonly clock: Clock
  readonly log: Log
  /** All that are owned. */
  readonly tasks: () => Iterable<PartitionTask>
}

export class Spilling {
  readonly #options: Options
  /** Monotonic instant before which nothing is looked at again. */
  #nextAt: Millis = 0

  constructor(options: Options) {
    this.#options = options
  }

  /** What is being written frees its memory when it is acknowledged: until then nothing more is chosen. */
  look(): void {
    const { forwarder, intake, park, directory, clock, log, tasks } = this.#options
    if (park.waiting > 0 || clock.monotonic() < this.#nextAt) return
    this.#nextAt = clock.monotonic() + LOOK_EVERY
    const connectionOf = (repeater: RepeaterId) => directory.repeater(repeater)?.connection
    const paces = new Map([...forwarder.desks.all()].map(({ id, pace }) => [id, pace]))
    const spilled = chooseSpill(tasks(), connectionOf, paces, intake.excess)
    if (spilled.length === 0) return
    log.info('lanes-spilled', { lanes: spilled.length, heldBytes: intake.heldBytes })
    forwarder.parking.spill(spilled)
  }

  /** A few times a second: whether a map is nearly full is known since the last commit. */
  lookAtMaps(): void {
    const { forwarder, park, clock, log, tasks } = this.#options
    const now = clock.monotonic()
    for (const task of tasks()) for (const { marks, position } of task.sources.values()) marks.note(position, now)
    if (park.waiting > 0) return
    const spilled = chooseStragglers(tasks(), now)
    if (spilled.length === 0) return
    log.info('stragglers-spilled', { lanes: spilled.length })
    forwarder.parking.spill(spilled)
  }
}
