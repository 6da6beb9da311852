// The partitions we own, from assignment to revocation: their tasks, and when their sources are read.
// Enter: what the group gives and takes. Leave: records handed to the hub in order.
// MUST: nothing of a partition starts before it was read again up to its horizon, or after it was given up. What we keep at a
// rebalance goes on as if there were none.
import type { SourceKind } from '../shared/change.ts'
import type { Clock, Millis } from '../shared/clock.ts'
import type { RepeaterId } from '../shared/ids.ts'
import type { Directory } from '../shared/forwarding/directory.ts'
import type { FetchedRecord, Group, GroupWork } from '../shared/kafka/group.ts'
import type { StartPosition } from '../shared/kafka/start-position.ts'
import type { Log } from '../shared/log.ts'
import { COMMIT_EVERY, Commits } from './commits.ts'
import type { Forwarder } from './forwarder.ts'
import type { Intake } from './intake.ts'
import type { Park } from './park.ts'
import { openProgress, openTier, PartitionTask, type SourceProgress, type TierProgress } from './partition-task.ts'
import type { Report } from './report.ts'
import type { SchemaDesk } from './schema-desk.ts'
import { SourceReading } from './source-reading.ts'
import { Spilling } from './spilling.ts'
import { TierReading } from './tier-reading.ts'
import type { Tiers } from './tiers.ts'
import { drain, windDown } from './wind-down.ts'

/** How long attempts on the wire may go on when the group takes partitions away: others wait for them. */
const REVOKE_DRAIN: Millis = 3_000
/** While the memory bound keeps the sources from being read. */
const RESUME_LOOK_EVERY: Millis = 20

type Options = {
  readonly forwarder: Forwarder
  readonly schemas: SchemaDesk
  readonly intake: Intake
  readonly report: Report
  /** The configuration in force, live. */
  readonly directory: Directory
  /** Topic names of the sources, by kind. */
  readonly sources: ReadonlyMap<string, SourceKind>
  readonly park: Pick<Park, 'waiting'>
  readonly tiers: Tiers
  readonly clock: Clock
  readonly log: Log
  /** @param begins what is parked is to be read, and nothing of it was being read before */
  readonly onAssigned: (begins: boolean) => void
  /** What is parked is known, of all that we own. */
  readonly onRestored: () => void
  readonly fail: (error: unknown) => void
}

export class Ownership implements GroupWork {
  readonly tasks = new Map<number, PartitionTask>()
  readonly #options: Options
  readonly #commits: Commits
  readonly #sourceReading: SourceReading
  readonly #tierReading: TierReading
  readonly #spilling: Spilling
  #group: Group | undefined
  /** How long attempts on the wire may go on when partitions are given up. */
  #patience = REVOKE_DRAIN
  #stopping = false
  /** The partition numbers that the whole group shares; 0 before the first assignment. */
  numbers = 0

  constructor(options: Options) {
    this.#options = options
    const { report, clock, intake, forwarder, fail } = options
    this.#sourceReading = new SourceReading({
      ...options,
      onRead: (source) => this.#commits.reserveSoon(source),
      onReread: (task) => this.#tierReading.open(task),
    })
    this.#tierReading = new TierReading({
      ...options,
      tasks: () => this.tasks.values(),
      onRestored: (task) => this.#openSources(task),
    })
    this.#spilling = new Spilling({ ...options, tasks: () => this.tasks.values() })
    this.#commits = new Commits({
      report,
      clock,
      sources: () => this.sources(),
      tiers: () => this.tiers(),
      isReading: () => !intake.paused,
      onReserved: (source) => forwarder.offerAll(source.unreserved.splice(0)),
      onTick: () => {
        forwarder.desks.measure(COMMIT_EVERY)
        this.#applyIntake()
        this.#spilling.lookAtMaps()
        for (const task of this.tasks.values()) this.#sourceReading.doubtHorizons(task)
      },
      fail,
    })
  }

  /** The group is joined with this as its work, so it can only be told of the group afterwards. */
  use(group: Group): void {
    this.#group = group
    this.#commits.use(group)
    this.#sourceReading.use(group)
    this.#tierReading.use(group)
    // The first assignment comes before anybody can be told of the group.
    for (const task of this.tasks.values()) this.#sourceReading.holdBack(task)
    this.#tierReading.restoreInTurn()
    this.#applyIntake()
  }

  // ── given and taken ─────────────────────────────────────────────────────────────────────────────────────────────────

  assigned(positions: readonly StartPosition[], numbers: number): void {
    const now = this.#options.clock.monotonic()
    const taken = new Set<PartitionTask>()
    const begins = positions.length > 0 && !this.#isRestoring()
    for (const position of positions) {
      const task = this.#taskOf(position.partition)
      taken.add(task)
      const kind = this.#options.sources.get(position.topic)
      const tier = this.#options.tiers.read.find(({ topic }) => topic === position.topic)
      if (kind !== undefined) task.sources.set(position.topic, openProgress(position, kind, now))
      if (tier) task.tiers.set(position.topic, openTier(position, tier))
    }
    for (const task of taken) this.#sourceReading.holdBack(task)
    this.numbers = numbers
    this.#options.log.info('partitions-assigned', {
      numbers: [...this.tasks.keys()].join(','),
      taken: [...taken].map(({ number }) => number).join(','),
      of: numbers,
    })
    this.#options.onAssigned(begins)
    this.#limitConnections()
    this.#tierReading.restoreInTurn()
    this.#lookRestored()
    if (this.tasks.size > 0) this.#commits.start()
    this.#applyIntake()
  }

  /** @param numbers all that we own, unless some are named: the others go on */
  async revoked(numbers: readonly number[] = [...this.tasks.keys()]): Promise<void> {
    const tasks = numbers.flatMap((number) => this.tasks.get(number) ?? [])
    await drain(tasks, this.#patience, this.#options.clock)
    await this.#commits.giveUp()
    for (const task of tasks) {
      this.#options.forwarder.close(task)
      this.#tierReading.close(task)
      this.tasks.delete(task.number)
    }
    this.#options.log.info('partitions-given-up', {
      numbers: numbers.join(','),
      left: [...this.tasks.keys()].join(','),
    })
    if (this.tasks.size === 0) this.#commits.stop()
    this.#limitConnections()
    if (!this.#stopping && this.tasks.size > 0) this.#lookRestored()
  }

  /** As `GroupWork.positionOf`. */
  positionOf(topic: string, number: number): number {
    const task = this.tasks.get(number)
    const tier = task?.tiers.get(topic)
    return tier?.restore?.to ?? tier?.position ?? task?.sources.get(topic)?.position ?? 0
  }

  /**
   * The process ends: what a rebalance still gives us starts nothing, and what we have ends within `patience`. What finished is
   * committed on leaving.
   */
  async stop(patience: Millis): Promise<void> {
    const { clock, forwarder } = this.#options
    this.#stopping = true
    this.#group?.leaveSoon()
    const until = clock.monotonic() + patience
    await windDown([...forwarder.desks.all()], until - REVOKE_DRAIN, clock, (desk) => forwarder.pump(desk))
    this.#patience = Math.max(0, until - clock.monotonic())
    await drain([...this.tasks.values()], this.#patience, clock)
  }

  #limitConnections(): void {
    const { forwarder, directory } = this.#options
    forwarder.desks.limit(directory.connections(), Math.max(this.tasks.size, 1) / Math.max(this.numbers, 1))
    for (const desk of forwarder.desks.all()) forwarder.pump(desk)
  }

  /** What was given to us is surely still ours. */
  holdsLease(): boolean {
    return this.#group?.holdsLease() ?? true
  }

  /** Beside the commits that come with time. */
  async commitNow(): Promise<void> {
    await this.#commits.now()
  }

  // ── records ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  received(topic: string, partition: number, records: readonly FetchedRecord[], highWatermark: number): void {
    const task = this.tasks.get(partition)
    const source = task?.sources.get(topic)
    const tier = task?.tiers.get(topic)
    if (task && source) this.#sourceReading.received(task, source, records, highWatermark)
    else if (task && tier) this.#tierReading.received(task, tier, records, highWatermark)
    this.#applyIntake()
  }

  reached(topic: string, partition: number, from: number, to: number): void {
    const task = this.tasks.get(partition)
    const source = task?.sources.get(topic)
    const tier = task?.tiers.get(topic)
    if (task && source) this.#sourceReading.reached(task, source, from, to)
    else if (task && tier) this.#tierReading.reached(task, tier, from, to)
  }

  /** What is parked of it is known. */
  #openSources(task: PartitionTask): void {
    this.#options.log.info('partition-restored', { number: task.number, isParked: !task.parked.isEmpty })
    this.#sourceReading.open(task)
    this.#tierReading.restoreInTurn()
    if (!task.rereading) this.#tierReading.open(task)
    this.#lookRestored()
  }

  readonly #isRestoring = (): boolean => [...this.tasks.values()].some(({ restoring }) => restoring)

  #lookRestored(): void {
    if (!this.#isRestoring()) this.#options.onRestored()
  }

  /**
   * The memory bound holds every source or none; what waits for a schema stays held. On the way to the horizon reading goes
   * on: nothing may start before, and there is no more than what an earlier owner held and had reserved.
   */
  #applyIntake(): void {
    if (!this.#group) return
    const decision = this.#options.intake.decide()
    if (decision === undefined) return
    this.#options.log.info(decision === 'pause' ? 'sources-paused' : 'sources-resumed', {
      heldBytes: this.#options.intake.heldBytes,
    })
    if (decision === 'pause') {
      this.#spilling.look()
      this.#resumeSoon()
    }
    for (const task of this.tasks.values())
      for (const { needsSchema, rereading, topic, partition } of task.restoring ? [] : task.sources.values()) {
        if (needsSchema || rereading) continue
        if (decision === 'pause') this.#group.pause(topic, partition)
        else this.#group.resume(topic, partition)
      }
  }

  /** Whoever settles deliveries does not look at the bound, so it is looked at until the sources are read again. */
  #resumeSoon(): void {
    this.#options.clock.after(RESUME_LOOK_EVERY, () => {
      this.#applyIntake()
      if (!this.#options.intake.paused || this.tasks.size === 0) return
      this.#spilling.look()
      this.#resumeSoon()
    })
  }

  *tiers(): Iterable<TierProgress> {
    for (const task of this.tasks.values()) yield* task.tiers.values()
  }

  *sources(): Iterable<SourceProgress> {
    for (const task of this.tasks.values()) yield* task.sources.values()
  }

  /** Lanes with a parked version, by connection. */
  blockedLanes(): ReadonlyMap<string, number> {
    return this.#byConnection((task) => task.blockedLanes())
  }

  /** Lanes that a dead letter holds, by connection. */
  heldLanes(): ReadonlyMap<string, number> {
    return this.#byConnection((task) => task.heldLanes())
  }

  /** Deliveries not settled, by connection; those whose repeater is being removed under `none`. */
  waiting(): ReadonlyMap<string, number> {
    return this.#byConnection((task) => task.waiting())
  }

  #byConnection(count: (task: PartitionTask) => Iterable<readonly [RepeaterId, number]>): ReadonlyMap<string, number> {
    const { directory } = this.#options
    const counts = new Map<string, number>()
    for (const task of this.tasks.values()) {
      for (const [repeater, number] of count(task)) {
        const connection = directory.repeater(repeater)?.connection ?? 'none'
        counts.set(connection, (counts.get(connection) ?? 0) + number)
      }
    }
    return counts
  }

  #taskOf(number: number): PartitionTask {
    let task = this.tasks.get(number)
    if (!task) this.tasks.set(number, (task = new PartitionTask(number)))
    task.draining = this.#stopping
    return task
  }
}
