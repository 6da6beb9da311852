// Takes deliveries out of memory into the retry topics. Enter: deliveries, when they are due, why. Leave: parked versions at
// once, and completed offsets once the copies are acknowledged.
// MUST: a version is among the parked ones before its copy is sent, and the offset that it held completes only after the copy is
// acknowledged: a crash in between then leaves two of it, known by their version; the other order loses it.
import type { Clock, Millis } from '../shared/clock.ts'
import type { Directory } from '../shared/forwarding/directory.ts'
import type { ParkReason } from '../shared/wire/retry-header.ts'
import { versionOf } from '../shared/kafka/version-base.ts'
import type { Books } from './books.ts'
import { tierWhileOpen } from './breaker.ts'
import type { Spilled } from './choose-spill.ts'
import type { ConnectionDesks } from './connection-desk.ts'
import type { Delivery, Lane } from './delivery.ts'
import type { Park } from './park.ts'
import type { Tell } from './tell.ts'
import type { Tiers } from './tiers.ts'

type Options = {
  readonly clock: Clock
  readonly directory: Directory
  readonly desks: ConnectionDesks
  readonly books: Books
  readonly park: Park
  readonly tiers: Tiers
  readonly tell: Pick<Tell, 'parked'>
  /** The cluster takes no copy of it: it must end otherwise. */
  readonly onRefused: (delivery: Delivery, error: string) => void
  readonly fail: (error: unknown) => void
}

export class Parking {
  readonly #options: Options

  constructor(options: Options) {
    this.#options = options
  }

  /** Memory is full. */
  spill(spilled: readonly Spilled[]): void {
    const { clock } = this.#options
    const dueIn = (lane: Lane) => Math.max(0, lane.dueAt - clock.monotonic())
    for (const { lane, wait } of spilled) this.parkLane(lane, 'memory', clock.steady() + dueIn(lane), wait)
  }

  /** The delivery is in its lane now. What is more than its connection can do with soon waits in a tier until its turn comes. */
  keepRoom(delivery: Delivery): void {
    const { clock, directory, desks, tiers } = this.#options
    const { lane } = delivery
    const id = directory.repeater(lane.repeater)?.connection
    const connection = id && directory.connection(id)
    if (!connection) return
    const now = clock.monotonic()
    const desk = desks.of(connection, now)
    desk.enter(delivery)
    if (!lane.task.open || lane.source.rereading) return
    const { lanes } = lane.task
    // Nothing of a held lane is sent: a turn given to it would be nobody's, and others would wait behind that.
    if (lanes.heldSince(lane, versionOf(delivery.record)) !== undefined) return
    const turn = desk.turnOf(now, delivery, tiers)
    if (turn === null) return
    lanes.withdraw(delivery)
    const notBefore = clock.steady() + (turn.kind === 'booked' ? turn.wait : 0)
    // A case that fails keeps its backoff, however soon its connection has a turn: that is looked for when the instant has come.
    const laneAt = Math.max(lanes.dueAt(lane) ?? 0, clock.steady() + lane.dueAt - now)
    if (laneAt > notBefore) this.park(delivery, 'behind', laneAt)
    else this.park(delivery, 'queue', notBefore, turn.wait)
  }

  /** It waits for its turn, which has not come: should it go on, since its connection is quicker than was thought? */
  isTurnEarlier(delivery: Delivery): boolean {
    const { directory, desks, clock, tiers } = this.#options
    const id = directory.repeater(delivery.lane.repeater)?.connection
    const desk = id && desks.find(id)
    return desk !== undefined && desk.hasRoomFor(clock.monotonic(), delivery, tiers)
  }

  /** Behind an older version that is parked; near its end the lane waits in memory, so that it finds back to the direct path. */
  parkBehind(lane: Lane, isWell: boolean): void {
    const head = lane.deliveries[0]
    if (!head) return
    const { dueAt, leastWait, isHeld } = this.#waitBehind(head)
    const isNear = !isHeld && dueAt - this.#options.clock.steady() <= this.#options.tiers.nearWait
    if (!isNear || !isWell) this.parkLane(lane, 'behind', dueAt, leastWait)
  }

  parkOneBehind(delivery: Delivery): void {
    const { dueAt, leastWait } = this.#waitBehind(delivery)
    this.park(delivery, 'behind', dueAt, leastWait)
  }

  /** A held lane is looked at the more seldom the longer nobody has come: its end is a word of an operator, and no instant. */
  #waitBehind({ lane, record }: Delivery) {
    const { lanes } = lane.task
    const now = this.#options.clock.steady()
    const since = lanes.heldSince(lane, versionOf(record))
    return since === undefined
      ? { isHeld: false, dueAt: lanes.dueAt(lane) ?? 0, leastWait: 0 }
      : { isHeld: true, dueAt: now, leastWait: tierWhileOpen(now - since) }
  }

  /** All that waits of the lane in memory. What was attempted last says why; the others go behind it. */
  parkLane(lane: Lane, reason: ParkReason, dueAt: Millis, leastWait: Millis = 0): void {
    for (const [place, delivery] of lane.task.lanes.takeWaiting(lane).entries())
      this.park(delivery, place === 0 ? reason : 'behind', dueAt, leastWait)
  }

  /**
   * @param dueAt steady instant before which it is not to be attempted
   * @param leastWait how long its connection has no use for it: it chooses the tier, and delays nothing beyond that
   */
  park(delivery: Delivery, reason: ParkReason, dueAt: Millis, leastWait: Millis = 0): void {
    const { clock, directory, desks, books, park, tiers, tell, onRefused, fail } = this.#options
    const { lane, record } = delivery
    const { task } = lane
    delivery.waitsFor?.leave(delivery)
    const id = directory.repeater(lane.repeater)?.connection
    const health = id && desks.find(id)?.health
    const openFor = health && health.state !== 'closed' ? health.openFor(clock.monotonic()) : undefined
    const tier = tiers.of(Math.max(dueAt - clock.steady(), leastWait), openFor)
    const version = { version: versionOf(record), full: delivery.replacesOlder, attempted: delivery.attempts > 0 }
    // No sooner than its tier brings it back: whoever waits behind it in memory waits that long.
    task.parked.add(lane, version, Math.max(dueAt, clock.steady() + tier.delay))
    tell.parked(delivery, id ?? 'none', tier.name, reason)
    task.writing++
    park
      .write(delivery, tier, dueAt, reason)
      .then((parked) => {
        task.writing--
        if (task.closed) return
        if (parked === 'parked') books.settle(task, record)
        else onRefused(delivery, `its copy is too large for ${tier.topic}`)
      })
      .catch(fail)
  }
}
