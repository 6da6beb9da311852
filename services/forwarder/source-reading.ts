// Reads the source topics of the partitions we own. Enter: fetched records. Leave: records handed to the hub, in order.
// MUST: no lane starts before its partition was read again up to the horizon; nothing is read before what is parked is known.
import type { Clock, Millis } from '../shared/clock.ts'
import type { FetchedRecord, Group } from '../shared/kafka/group.ts'
import type { Log } from '../shared/log.ts'
import type { Forwarder } from './forwarder.ts'
import type { Intake } from './intake.ts'
import { noteRead, type PartitionTask, type SourceProgress } from './partition-task.ts'
import type { SchemaDesk } from './schema-desk.ts'

/** How long no record may come on the way to the horizon before the brokers are asked whether it is still there. */
const HORIZON_DOUBTED_AFTER: Millis = 10_000

type Options = {
  readonly forwarder: Forwarder
  readonly schemas: SchemaDesk
  readonly intake: Intake
  readonly clock: Clock
  readonly log: Log
  readonly onRead: (source: SourceProgress) => void
  /** All of its sources were read up to their horizons. */
  readonly onReread: (task: PartitionTask) => void
  readonly fail: (error: unknown) => void
}

export class SourceReading {
  readonly #options: Options
  #group: Group | undefined

  constructor(options: Options) {
    this.#options = options
  }

  use(group: Group): void {
    this.#group = group
  }

  received(
    task: PartitionTask,
    source: SourceProgress,
    records: readonly FetchedRecord[],
    highWatermark: number,
  ): void {
    if (!mayRead(task, source)) return
    source.highWatermark = highWatermark
    source.readAt = this.#options.clock.monotonic()
    for (const fetched of records) if (!this.#take(task, source, fetched)) break
    this.#options.onRead(source)
  }

  /** As `GroupWork.reached`. What is not taken now was not taken of the records below either: passing it would lose them. */
  reached(task: PartitionTask, source: SourceProgress, from: number, to: number): void {
    if (!mayRead(task, source)) return
    source.position = Math.max(source.position, to)
    source.offsets.pass(from, to)
    if (source.rereading && source.position >= source.horizon) this.#endRereading(task, source)
  }

  /** A partition that is new to us: what would be thrown away is not fetched, until what is parked is known, or memory has room. */
  holdBack(task: PartitionTask): void {
    for (const { topic, partition, rereading } of task.sources.values())
      if (task.restoring || (this.#options.intake.paused && !rereading)) this.#group?.pause(topic, partition)
  }

  /** What is parked is known. */
  open(task: PartitionTask): void {
    for (const source of task.sources.values()) {
      const { topic, partition, position, rereading } = source
      source.readAt = this.#options.clock.monotonic()
      this.#group?.seek(topic, partition, position)
      if (rereading || !this.#options.intake.paused) this.#group?.resume(topic, partition)
    }
  }

  /** No record has come for long: after an unclean election the log may end before the horizon, and nobody would reach it. */
  doubtHorizons(task: PartitionTask): void {
    const { clock, log, fail } = this.#options
    // Nothing is read of the sources before what is parked is known: a million copies take longer than a doubt.
    if (task.restoring) return
    for (const source of task.sources.values()) {
      if (!source.rereading || source.needsSchema || clock.monotonic() - source.readAt < HORIZON_DOUBTED_AFTER) continue
      const { topic, partition, position, horizon } = source
      log.warn('horizon-not-reached', { topic, partition, position, horizon })
      source.readAt = clock.monotonic()
      this.#askForEnd(task, source).catch(fail)
    }
  }

  async #askForEnd(task: PartitionTask, source: SourceProgress): Promise<void> {
    const end = await this.#group?.endOf(source.topic, source.partition)
    // Unknown while the brokers are away; of no interest once the partition was given up.
    if (end === undefined || task.closed) return
    source.horizon = Math.min(source.horizon, end)
    if (source.rereading && source.position >= source.horizon) this.#endRereading(task, source)
  }

  #endRereading(task: PartitionTask, source: SourceProgress): void {
    source.rereading = false
    if (this.#options.intake.paused) this.#group?.pause(source.topic, source.partition)
    this.#options.forwarder.offerAll(task.lanes.from(source))
    if (!task.rereading) this.#options.onReread(task)
  }

  /** @returns false when the record must be read again later, and with it all that follow */
  #take(task: PartitionTask, source: SourceProgress, fetched: FetchedRecord): boolean {
    const offset = Number(fetched.offset)
    if (source.offsets.wasOpened(offset)) return true
    const received = this.#options.forwarder.receive(task, source, fetched, source.offsets.wasFinished(offset))
    if (received.kind === 'schema-needed') {
      this.#hold(task, source, offset, received.schemaId)
      return false
    }
    noteRead(source, fetched.value)
    source.position = offset + 1
    source.lastTimestamp = Number(fetched.timestamp)
    return true
  }

  /** The partition waits at this record while others go on; the schema is asked for outside the fetch loop. */
  #hold(task: PartitionTask, source: SourceProgress, offset: number, schemaId: number): void {
    const { schemas, fail } = this.#options
    const { topic, partition } = source
    source.needsSchema = true
    this.#group?.pause(topic, partition)
    schemas
      .learn(schemaId)
      .then(() => {
        if (task.closed) return
        source.needsSchema = false
        this.#group?.seek(topic, partition, offset)
        if (source.rereading || !this.#options.intake.paused) this.#group?.resume(topic, partition)
      })
      .catch(fail)
  }
}

const mayRead = (task: PartitionTask, source: SourceProgress): boolean =>
  task.open && !task.restoring && !source.needsSchema
