// The books of source records: what each holds of the memory, and when its offset is complete.
// MUST: an offset completes when the last delivery of its record has settled, and never after its partition was given up.
import type { CopiedRecord } from './copy-record.ts'
import type { SourceRecord } from './delivery.ts'
import { heldBytesOf, type Intake } from './intake.ts'
import type { LogProgress, PartitionTask, SourceProgress } from './partition-task.ts'

/** What a retry record says of the source record that it is a copy of. */
type CopyOrigin = Omit<SourceRecord, 'entry' | 'offsets' | 'heldBytes' | 'openDeliveries'>

export class Books {
  readonly #intake: Intake

  constructor(intake: Intake) {
    this.#intake = intake
  }

  /** @param deliveries how many must settle before the offset is complete; at least one */
  open(task: PartitionTask, source: SourceProgress, copied: CopiedRecord, deliveries: number): SourceRecord {
    const { kind, base, topic, partition } = source
    const origin = { source: kind, base, topic, partition, run: null, forced: false }
    return { ...copied, ...origin, ...this.#hold(task, source, copied.offset, copied.value, deliveries) }
  }

  /** A copy in a retry topic: its delivery holds an offset there, and is what its header says it is. */
  openCopy(task: PartitionTask, tier: LogProgress, offset: number, origin: CopyOrigin): SourceRecord {
    return { ...origin, ...this.#hold(task, tier, offset, origin.value, 1) }
  }

  #hold(task: PartitionTask, log: LogProgress, offset: number, value: Buffer | null, deliveries: number) {
    const heldBytes = heldBytesOf(value, deliveries)
    task.heldBytes += heldBytes
    this.#intake.hold(heldBytes)
    return { entry: log.offsets.open(offset), offsets: log.offsets, heldBytes, openDeliveries: deliveries }
  }

  /** Nothing of the partition counts from now on, and all that it holds is let go. */
  close(task: PartitionTask): void {
    task.closed = true
    for (const { deliveries } of task.lanes.all()) for (const each of deliveries) each.waitsFor?.leave(each)
    task.lanes.clear()
    this.#intake.release(task.heldBytes)
    task.heldBytes = 0
  }

  /** One delivery of the record has settled. */
  settle(task: PartitionTask, record: SourceRecord): void {
    record.openDeliveries--
    if (record.openDeliveries > 0 || task.closed) return
    task.heldBytes -= record.heldBytes
    this.#intake.release(record.heldBytes)
    record.offsets.complete(record.entry)
  }
}
