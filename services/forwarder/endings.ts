// How deliveries end: delivered, superseded, or as a dead letter. Enter: a delivery and its verdict. Leave: its record's books
// settled, its version parked no more, its lane offered again.
// MUST: what a dead letter is for ends only after the letter is acknowledged: a crash in between then repeats a delivery; the
// other order loses one.
import type { Connection } from '../shared/forwarding/connection.ts'
import { versionOf } from '../shared/kafka/version-base.ts'
import type { Books } from './books.ts'
import type { DeadLetterReason } from '../shared/dead-letter-reason.ts'
import type { DeadLetters } from './dead-letter.ts'
import type { Delivery, Lane, SourceRecord } from './delivery.ts'
import type { Holding } from './holding.ts'
import type { Outcome } from './outcome.ts'
import type { PartitionTask } from './partition-task.ts'
import type { Tell } from './tell.ts'

/** What will not be delivered, and is in no lane. */
export type Condemned = {
  readonly record: SourceRecord
  /** null for what cannot be read. */
  readonly delivery: Delivery | null
  /** Whose parked version it is; null where there is none. */
  readonly lane: Lane | null
  readonly reason: DeadLetterReason
  readonly error: string
}

type Options = {
  readonly books: Books
  readonly deadLetters: DeadLetters
  readonly tell: Pick<Tell, 'settled'>
  readonly holding: Pick<Holding, 'wants' | 'isHeldBy' | 'hold' | 'release'>
  /** Its next delivery may go. */
  readonly offer: (lane: Lane) => void
  /** What goes on by itself: a fault in it is one of ours. */
  readonly inBackground: (work: Promise<void>) => void
}

export class Endings {
  readonly #options: Options

  constructor(options: Options) {
    this.#options = options
  }

  /** The head of a lane, which was in flight. One that held its lane as a dead letter stays locked until it is released. */
  delivered(delivery: Delivery): void {
    const { holding, inBackground } = this.#options
    if (!holding.isHeldBy(delivery)) return this.#settle(delivery, 'delivered')
    inBackground(holding.release(delivery).then(() => this.#settle(delivery, 'delivered')))
  }

  #settle(delivery: Delivery, verdict: 'delivered' | 'dead-letter'): void {
    const { lane } = delivery
    if (lane.task.closed) return
    this.finish(delivery, verdict)
    lane.task.lanes.settle(lane)
    this.#options.offer(lane)
  }

  finish(delivery: Delivery, verdict: 'delivered' | 'dead-letter' | 'superseded'): void {
    const { lane, record, parked } = delivery
    delivery.waitsFor?.leave(delivery)
    this.#options.tell.settled(delivery, verdict)
    if (parked) lane.task.parked.remove(lane, versionOf(record))
    this.#options.books.settle(lane.task, record)
  }

  /** The head of a lane, which stays locked until the letter is acknowledged. */
  async deadLetter(
    delivery: Delivery,
    connection: Connection | null,
    reason: DeadLetterReason,
    error: string,
    outcome: Outcome | null,
  ): Promise<void> {
    const status = outcome?.kind === 'answered' ? outcome.status : null
    const { holding, deadLetters } = this.#options
    const { task } = delivery.lane
    const holds = holding.wants(delivery, reason)
    task.writing++
    await deadLetters.write({ record: delivery.record, delivery, connection, reason, error, status, holds })
    if (holds && !task.closed) await holding.hold(delivery)
    task.writing--
    this.#settle(delivery, 'dead-letter')
  }

  /** No retry topic takes its copy. */
  refused(delivery: Delivery, error: string): Promise<void> {
    const { lane, record } = delivery
    return this.condemn(lane.task, { record, delivery, lane, reason: 'payload', error })
  }

  async condemn(task: PartitionTask, { record, delivery, lane, reason, error }: Condemned): Promise<void> {
    const { books, deadLetters, tell, offer, holding } = this.#options
    const holds = lane !== null && delivery !== null && holding.wants(delivery, reason)
    task.writing++
    await deadLetters.write({ record, delivery, connection: null, reason, error, status: null, holds })
    if (holds && !task.closed) await holding.hold(delivery)
    task.writing--
    if (task.closed) return
    delivery?.waitsFor?.leave(delivery)
    if (delivery) tell.settled(delivery, 'dead-letter')
    if (lane) task.parked.remove(lane, versionOf(record))
    books.settle(task, record)
    // The lane may have been forgotten while the letter was written, and its next change have made another.
    const waiting = lane && task.lanes.find(lane)
    if (!waiting) return
    task.lanes.forgetEmpty(waiting)
    offer(waiting)
  }
}
