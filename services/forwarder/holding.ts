// Lanes that a dead letter holds (`onDeadLetter: hold`): their later versions wait until an operator ends it.
// Enter: deliveries that died or went after all, and what the retry topics say of held lanes. Leave: held lanes known to their
// task, and records of the longest tier that say so to the next owner:
//
// | reason of the record | says | when it is due |
// |---|---|---|
// | `held`: the marker | its version holds the lane | written anew, without an attempt |
// | `released` | no marker before it in its tier holds the lane by that version any more | nothing |
// | `cancel`, in the requeue topic | an operator lets the later versions go on | a `released` is written |
//
// MUST: a marker is acknowledged before the offset of what died completes, and a release before anything behind it starts: the
// other orders let a later version overtake after a crash, or hold a lane whose letter went.
import type { Clock, Millis } from '../shared/clock.ts'
import type { DeadLetterReason } from '../shared/dead-letter-reason.ts'
import type { Directory } from '../shared/forwarding/directory.ts'
import type { RepeaterId } from '../shared/ids.ts'
import { versionIn, type RetryHeader } from '../shared/wire/retry-header.ts'
import { versionOf } from '../shared/kafka/version-base.ts'
import type { Books } from './books.ts'
import type { Delivery, Lane, LaneName } from './delivery.ts'
import type { Park } from './park.ts'
import type { PartitionTask } from './partition-task.ts'
import type { Tell } from './tell.ts'
import type { Tiers } from './tiers.ts'

type Options = {
  readonly directory: Directory
  readonly books: Books
  readonly park: Park
  readonly tiers: Tiers
  readonly tell: Pick<Tell, 'parked' | 'held' | 'released'>
  readonly clock: Clock
  /** Its next delivery may go. */
  readonly offer: (lane: Lane) => void
}

export class Holding {
  readonly #options: Options

  constructor(options: Options) {
    this.#options = options
  }

  /** Whether the lane waits for an operator once the delivery is a dead letter for this reason. */
  wants({ lane }: Delivery, reason: DeadLetterReason): boolean {
    return reason !== 'cancelled' && this.#isConfigured(lane.repeater)
  }

  /** The delivery is of a dead letter that holds its lane: an operator put it back. */
  isHeldBy({ lane, record }: Delivery): boolean {
    return lane.task.held.has(lane, versionOf(record))
  }

  /** Its letter is acknowledged. Resolves once the marker is, or the partition was given up. */
  async hold(delivery: Delivery): Promise<void> {
    // Put back, and dead again: its marker is still there.
    if (this.isHeldBy(delivery)) return
    const since = this.#options.clock.steady()
    const { lane, record } = delivery
    lane.task.held.add(lane, { version: versionOf(record), full: false, attempted: true }, since)
    this.#options.tell.held(delivery)
    await this.#write(delivery, 'held', since)
  }

  /** What a retry topic says of a held lane, read to know what is parked. */
  found(task: PartitionTask, lane: LaneName, header: RetryHeader): void {
    const { reason, held = 0 } = header
    const version = versionIn(header)
    if (reason === 'released') task.held.removeAll(lane, version)
    else if (reason === 'held' && this.#isConfigured(lane.repeater))
      task.held.addFound(lane, { version, full: false, attempted: true }, held)
  }

  /** A marker has become due. @returns whether it still holds its lane and is the last of the same: to be written anew */
  takeMarker(task: PartitionTask, lane: LaneName, version: number): boolean {
    return (
      this.#isConfigured(lane.repeater) &&
      task.held.has(lane, version) &&
      !task.releasing.has(nameOf(lane, version)) &&
      !task.held.takeSurplus(lane, version)
    )
  }

  /** A marker has become due. */
  async renew(marker: Delivery): Promise<void> {
    const { lane } = marker
    const { task } = lane
    await this.#write(marker, 'held', task.held.dueAt(lane) ?? this.#options.clock.steady())
    if (!task.closed) this.#options.books.settle(task, marker.record)
  }

  /** An operator lets the later versions go on. */
  async cancel(wish: Delivery): Promise<void> {
    const { lane, record } = wish
    await this.release(wish)
    if (lane.task.closed) return
    this.#options.books.settle(lane.task, record)
    const waiting = lane.task.lanes.find(lane)
    if (waiting) this.#options.offer(waiting)
  }

  /** Resolves once it is acknowledged that the delivery's version holds its lane no more, or the partition was given up. */
  async release(delivery: Delivery): Promise<void> {
    const { lane, record } = delivery
    const { task } = lane
    const name = nameOf(lane, versionOf(record))
    task.releasing.add(name)
    await this.#write(delivery, 'released', task.held.dueAt(lane) ?? 0)
    task.releasing.delete(name)
    if (task.closed) return
    task.held.removeAll(lane, versionOf(record))
    this.#options.tell.released(delivery)
  }

  /** The repeater holds no lanes any more: what waits in them goes on as it becomes due. */
  follow(repeater: RepeaterId, tasks: Iterable<PartitionTask>): void {
    if (!this.#isConfigured(repeater)) for (const { held } of tasks) held.forget(repeater)
  }

  #isConfigured(repeater: RepeaterId): boolean {
    return this.#options.directory.repeater(repeater)?.onDeadLetter === 'hold'
  }

  async #write(delivery: Delivery, reason: 'held' | 'released', since: Millis): Promise<void> {
    const { park, tiers, clock, tell, directory } = this.#options
    const { longest } = tiers
    const { task, repeater } = delivery.lane
    tell.parked(delivery, directory.repeater(repeater)?.connection ?? 'none', longest.name, reason)
    // Also the moment after it, in which what it stood for is settled, is awaited before the partition is given up.
    task.writing++
    await park.write(delivery, longest, clock.steady() + longest.delay, reason, since)
    task.writing--
  }
}

const nameOf = ({ topic, repeater, caseId }: LaneName, version: number): string =>
  `${topic} ${repeater} ${version} ${caseId}`
