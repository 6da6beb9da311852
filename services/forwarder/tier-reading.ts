// Reads the retry topics of the partitions we own: once on assignment, to know what is parked, then again as their records
// become due. Enter: fetched records. Leave: parked versions; due records handed to the hub, in order.
// After an assignment, in this order: the tiers are read to know what is parked; the sources are read up to their horizon, and
// past every version that is parked; then the tiers are read for what is due.
// MUST: no source is read before all tiers of its number are restored: what is parked would be overtaken. No copy is taken before
// its source was read past it: finished before, the version would be taken for a new one when the source comes to it.
// Reading stops at the first record that is not due; those behind it are due later, for all wait the same time in one tier.
import type { Clock, Millis } from '../shared/clock.ts'
import { caseId } from '../shared/ids.ts'
import type { FetchedRecord, Group } from '../shared/kafka/group.ts'
import type { Log } from '../shared/log.ts'
import { isOfHold, readRetryHeader, RETRY_HEADER, versionIn } from '../shared/wire/retry-header.ts'
import type { Forwarder } from './forwarder.ts'
import type { Intake } from './intake.ts'
import { readPast, type PartitionTask, type TierProgress } from './partition-task.ts'
import type { SchemaDesk } from './schema-desk.ts'

/**
 * Open records of a tier partition. Who feels it: the gap map, which with more could outgrow a commit's metadata; cut, it would
 * forget what was finished, and a restart would send an old version after its successors.
 */
const WINDOW = 400
/** A tier partition is looked at that often at most, as a part of its delay: each look fetches anew what is behind the head. */
const LOOKS_PER_DELAY = 60
const LONGEST_GRAIN: Millis = 1_000
const SHORTEST_GRAIN: Millis = 10
/**
 * Partition numbers that are restored at once: enough to fill a fetch, few enough that the sources of the first are open long before
 * the last. Who feels it: whoever waits for a forwarder that has a million parked deliveries to restore.
 */
const RESTORED_AT_ONCE = 4
/** While memory or the window is full. */
const ROOM_LOOK_EVERY: Millis = 50

type Options = {
  readonly forwarder: Forwarder
  readonly schemas: SchemaDesk
  readonly intake: Intake
  readonly clock: Clock
  readonly log: Log
  /** All that are owned. */
  readonly tasks: () => Iterable<PartitionTask>
  /** Everything that is parked of this partition is known: its sources may be read. */
  readonly onRestored: (task: PartitionTask) => void
  readonly fail: (error: unknown) => void
}

export class TierReading {
  readonly #options: Options
  #group: Group | undefined
  /** Some partition is still to be restored. */
  #isRestoring = false
  /**
   * Restored, while others are not: what is due there waits for them. Read at once, it would take the fetches and the processor that
   * they need: with a million due copies the last partition was opened minutes after the first.
   */
  readonly #waiting = new Set<PartitionTask>()
  /** To be restored, and not yet in their turn. */
  readonly #hadToWait = new Set<PartitionTask>()

  constructor(options: Options) {
    this.#options = options
  }

  use(group: Group): void {
    this.#group = group
  }

  /** A few of those that are to be restored have their turn, the others wait for it. To be called whenever they are others. */
  restoreInTurn(): void {
    const restoring = [...this.#options.tasks()].filter((task) => task.open && task.restoring)
    for (const [place, task] of restoring.entries()) {
      for (const { topic, partition, restore } of task.tiers.values()) {
        if (!restore) continue
        if (place >= RESTORED_AT_ONCE) this.#group?.pause(topic, partition)
        else if (this.#hadToWait.has(task)) this.#group?.resume(topic, partition)
      }
      if (place >= RESTORED_AT_ONCE) this.#hadToWait.add(task)
      else this.#hadToWait.delete(task)
    }
    this.#isRestoring = restoring.length > 0
    if (this.#isRestoring) return
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const task of waiting) if (task.open) this.#begin(task)
  }

  received(task: PartitionTask, tier: TierProgress, records: readonly FetchedRecord[], highWatermark: number): void {
    tier.highWatermark = highWatermark
    if (tier.restore) return this.#restore(task, tier, records)
    if (!this.#mayTake(task, tier)) return
    for (const fetched of records) if (!this.#take(task, tier, fetched)) return
    tier.nextDueAt = null
  }

  /** As `GroupWork.reached`. */
  reached(task: PartitionTask, tier: TierProgress, from: number, to: number): void {
    if (tier.restore) {
      tier.restore.to = Math.max(tier.restore.to, to)
      this.#lookRestored(task, tier)
    } else if (this.#mayTake(task, tier)) {
      tier.position = Math.max(tier.position, to)
      tier.offsets.pass(from, to)
    }
  }

  /** Nothing wakes for it any more. */
  close(task: PartitionTask): void {
    this.#waiting.delete(task)
    this.#hadToWait.delete(task)
    for (const tier of task.tiers.values()) tier.cancelWake()
    // Others may have waited for this one.
    this.restoreInTurn()
  }

  #restore(task: PartitionTask, tier: TierProgress, records: readonly FetchedRecord[]): void {
    const { restore } = tier
    if (!restore) return
    const { forwarder } = this.#options
    for (const { offset: text, key, headers } of records) {
      const offset = Number(text)
      if (offset < restore.to) continue
      restore.to = offset + 1
      // What an operator put back since then is counted with the rest. Counted and not known as such, it would be passed over.
      tier.countedTo = Math.max(tier.countedTo, offset + 1)
      if (restore.finished.wasFinished(offset)) continue
      const read = readRetryHeader(headers?.[RETRY_HEADER], task.number)
      // What cannot be read blocks nobody: it is condemned when it is due.
      if (read.kind === 'malformed' || tier.offsets.fences.isGhost(offset, read.header.epoch)) continue
      const { header } = read
      const source = task.sources.get(header.topic)
      const { repeater, topic, base = 0, offset: sourceOffset } = header
      if (source) readPast(source, { base, offset: sourceOffset })
      const lane = { repeater, topic, caseId: caseId(key?.toString('utf8') ?? '') }
      if (isOfHold(header)) {
        forwarder.holding.found(task, lane, header)
        continue
      }
      // Whatever its header says: an attempt that was on the wire when its owner ended is not in it.
      const version = { version: versionIn(header), full: header.full, attempted: true }
      task.parked.addFound(lane, version, header.dueAt)
    }
    this.#lookRestored(task, tier)
  }

  #lookRestored(task: PartitionTask, tier: TierProgress): void {
    if (!tier.restore || tier.restore.to < tier.restore.end) return
    tier.restore = null
    if (!task.restoring) this.#options.onRestored(task)
  }

  /** The sources were read as far as they had to be: what is due may be taken, once every partition is restored. */
  open(task: PartitionTask): void {
    if (!this.#isRestoring) return this.#begin(task)
    this.#waiting.add(task)
    for (const { topic, partition } of task.tiers.values()) this.#group?.pause(topic, partition)
  }

  /** What was fetched until now was thrown away. */
  #begin(task: PartitionTask): void {
    for (const { topic, partition, position } of task.tiers.values()) {
      this.#group?.seek(topic, partition, position)
      this.#group?.resume(topic, partition)
    }
  }

  #mayTake(task: PartitionTask, tier: TierProgress): boolean {
    return task.open && !task.restoring && !task.rereading && !tier.stopped && !this.#waiting.has(task)
  }

  /** @returns false when it must be read again later, and with it all that follow */
  #take(task: PartitionTask, tier: TierProgress, fetched: FetchedRecord): boolean {
    const { forwarder, intake, clock } = this.#options
    const offset = Number(fetched.offset)
    const { offsets } = tier
    if (offsets.wasOpened(offset)) return true
    if (offsets.wasFinished(offset)) {
      offsets.skip(offset)
      tier.position = offset + 1
      return true
    }
    tier.nextDueAt = Number(fetched.timestamp) + tier.tier.delay
    // A record cannot be due later than a delay from now, whatever a wall clock said when it was written.
    const wait = Math.min(tier.nextDueAt - clock.steady(), tier.tier.delay)
    if (wait > 0) return this.#stop(task, tier, offset, Math.max(wait, grainOf(tier)))
    if (offsets.openCount >= WINDOW || intake.isFull) return this.#stop(task, tier, offset, ROOM_LOOK_EVERY)
    if (isUnanswered(tier, fetched)) return this.#stop(task, tier, offset, ROOM_LOOK_EVERY)
    const taken = forwarder.receiveDue(task, tier, fetched)
    if (taken.kind === 'schema-needed') return this.#hold(task, tier, offset, taken.schemaId)
    tier.position = offset + 1
    return true
  }

  #stop(task: PartitionTask, tier: TierProgress, offset: number, wait: Millis): false {
    tier.position = offset
    tier.stopped = true
    this.#group?.pause(tier.topic, tier.partition)
    tier.cancelWake = this.#options.clock.after(wait, () => this.#wake(task, tier))
    return false
  }

  #wake(task: PartitionTask, tier: TierProgress): void {
    const { clock, intake } = this.#options
    if (!task.open) return
    if (intake.isFull || tier.offsets.openCount > WINDOW / 2) {
      tier.cancelWake = clock.after(ROOM_LOOK_EVERY, () => this.#wake(task, tier))
      return
    }
    tier.stopped = false
    this.#group?.seek(tier.topic, tier.partition, tier.position)
    this.#group?.resume(tier.topic, tier.partition)
  }

  #hold(task: PartitionTask, tier: TierProgress, offset: number, schemaId: number): false {
    const { schemas, fail } = this.#options
    tier.position = offset
    tier.stopped = true
    this.#group?.pause(tier.topic, tier.partition)
    schemas
      .learn(schemaId)
      .then(() => this.#wake(task, tier))
      .catch(fail)
    return false
  }
}

/**
 * We appended it, and whether it counts is not known before the answer: lost, it makes a ghost of it. Taken before, a ghost would pass
 * for the copy, and the copy for a second one. Nothing is due so soon, but by the clock of a machine that is ahead of the brokers'.
 */
function isUnanswered(
  { tier, offsets, appendedTo, partition }: TierProgress,
  { offset, headers }: FetchedRecord,
): boolean {
  if (tier.delay === 0 || Number(offset) < appendedTo) return false
  const read = readRetryHeader(headers?.[RETRY_HEADER], partition)
  return read.kind === 'read' && !offsets.fences.isGhost(Number(offset), read.header.epoch)
}

const grainOf = ({ tier }: TierProgress): Millis =>
  Math.min(LONGEST_GRAIN, Math.max(SHORTEST_GRAIN, tier.delay / LOOKS_PER_DELAY))
