// A forwarder process in virtual time: the real hub and its real rooms, with doubles for what cannot be had at an exact instant.
// It may die from one instant to the next, or be stopped and go on. MUST: what is dead hears nothing any more, and what is stopped
// hears it when it goes on, while what it had sent arrives all the same.
import { openCredentials } from '../../services/forwarder/credentials.ts'
import type { DeadLetter, DeadLetters } from '../../services/forwarder/dead-letter.ts'
import { Forwarder } from '../../services/forwarder/forwarder.ts'
import { Intake } from '../../services/forwarder/intake.ts'
import { Ownership } from '../../services/forwarder/ownership.ts'
import { openPark } from '../../services/forwarder/park.ts'
import { reconfigure } from '../../services/forwarder/reconfigure.ts'
import type { ConfigurationChange } from '../../services/forwarder/configuration.ts'
import { SchemaDesk } from '../../services/forwarder/schema-desk.ts'
import { sleepBy, type Clock, type Millis } from '../../services/shared/clock.ts'
import type { SourceKind } from '../../services/shared/change.ts'
import type { Group } from '../../services/shared/kafka/group.ts'
import { Holdings } from '../../services/shared/kafka/holdings.ts'
import type { Log } from '../../services/shared/log.ts'
import { openAppends, openCommits } from './brokered.ts'
import { NUMBERS, TIERS, type Surroundings } from './surroundings.ts'
import { nameOfDelivery, openTell } from './telling.ts'
import { BEGAN_AT } from './virtual-time.ts'
import { watchPark, watchReport } from './watch.ts'

/** Of the session, after the last heartbeat that was answered. */
const LEASE: Millis = 9_000
const NEAR: Millis = 2_000
const FETCHED_WITHIN: Millis = 10

export class Member {
  readonly name: string
  /** By topic. */
  readonly sources: ReadonlyMap<string, SourceKind>
  readonly forwarder: Forwarder
  readonly ownership: Ownership
  readonly intake: Intake
  readonly positions = new Map<string, number>()
  readonly paused = new Set<string>()
  dead = false
  stopped = false
  stoppedAt: Millis = 0
  /** The group gave its partitions to others while it was stopped, and it has not heard of it. */
  dropped = false
  /** It was asked to end. */
  leaving = false
  /** Of the group, as far as it knows. */
  generation = -1
  /** Numbers that are its own and are not being given up; and since which generation it has had each, also while it gives it up. */
  readonly owned = new Set<number>()
  readonly #since = new Map<number, number>()
  /** Those, and what it still works on. */
  readonly #held = new Set<number>()
  readonly #holdings: Holdings
  readonly #fail: (error: unknown) => void
  /** Requests that are on the wire, by connection. */
  readonly asking = new Map<string, number>()
  readonly #around: Surroundings
  readonly #wallAtStart: Millis
  readonly #startedAt: Millis
  #heardUntil: Millis
  readonly #missed: (() => void)[] = []
  readonly #died: Promise<void>
  #die: () => void = () => undefined

  constructor(name: string, around: Surroundings, sources: ReadonlyMap<string, SourceKind>) {
    const { time, directory } = around
    this.name = name
    this.sources = sources
    this.#around = around
    this.#startedAt = time.now
    this.#wallAtStart = this.#wall()
    this.#heardUntil = time.now
    this.#died = new Promise((resolve) => (this.#die = resolve))
    this.intake = new Intake(around.heldBytesLimit)
    const clock = this.#clock()
    const log = this.#log()
    const fail = (error: unknown) => {
      if (this.dead) return
      around.judge.breaks('no-fault', error instanceof Error ? (error.stack ?? error.message) : String(error))
    }
    this.#fail = fail
    this.#holdings = new Holdings({ revoked: (numbers) => this.#revoked(numbers), fail })
    const deadLetters = this.#deadLetters()
    const park = watchPark(
      openPark({ appender: openAppends(this, around), commitFences: () => this.ownership.commitNow(), clock, log }),
      this,
      around,
    )
    this.forwarder = new Forwarder({
      clock,
      park,
      tiers: TIERS,
      directory,
      readers: new Map(),
      credentials: openCredentials({
        variable: () => ({ kind: 'absent', why: '' }),
        file: () => ({ kind: 'absent', why: '' }),
      }),
      remotes: {
        attempt: (connection, request, running) => around.remotes.attempt(this, connection, request.headers, running),
        keepOnly: () => undefined,
        [Symbol.asyncDispose]: async () => undefined,
      },
      deadLetters,
      intake: this.intake,
      tell: openTell(this, around),
      holdsLease: () => this.ownership.holdsLease(),
      random: () => around.draw('jitter').between(0, 1),
      newRequestId: () => 'request',
      fail,
    })
    this.ownership = new Ownership({
      forwarder: this.forwarder,
      park,
      tiers: TIERS,
      onRestored: () => undefined,
      schemas: new SchemaDesk({
        fetchSchema: async () => ({ kind: 'unavailable', error: '' }),
        patience: 1,
        clock,
        log,
        signal: AbortSignal.abort(),
      }),
      intake: this.intake,
      report: watchReport(this, around),
      directory,
      sources,
      clock,
      log,
      onAssigned: () => undefined,
      fail,
    })
    this.ownership.use(this.#group())
  }

  /** Who owns the number, and since when: what ended once in it may not end again. */
  ownershipOf(number: number): string {
    return `${this.name} ${number} ${this.#since.get(number) ?? -1}`
  }

  get isWell(): boolean {
    return !this.dead && !this.stopped && !this.dropped
  }

  /** What it works on: nobody else may be given it. */
  get works(): readonly number[] {
    return this.dead || this.dropped ? [] : [...this.#held]
  }

  holdsLease(): boolean {
    const { time } = this.#around
    if (!this.stopped && !this.dropped) this.#heardUntil = time.now
    return time.now - this.#heardUntil < LEASE
  }

  // ── what becomes of it ──────────────────────────────────────────────────────────────────────────────────────────────

  /** The group went on without it, or it leaves: resolves when it has given up all it has, or is gone. */
  giveUp(): Promise<void> {
    return Promise.race([this.#holdings.giveUpAll(), this.#died])
  }

  /** @returns once it has taken what is new, and begun to give up what it is to lose */
  async receive(generation: number, numbers: readonly number[]): Promise<void> {
    const { broker, fail } = { broker: this.#around.broker, fail: this.#fail }
    this.generation = generation
    this.dropped = false
    const topics = [...this.sources.keys(), ...TIERS.read.map(({ topic }) => topic)]
    const assigned = topics.map((topic) => ({ topic, partitions: numbers }))
    this.looksForNew()
    const received = await Promise.race([this.#holdings.receive(assigned, generation), this.#died])
    if (!received || this.dead) return
    const { gained, kept, lost } = received
    const positions = gained.flatMap(({ topic, partitions }) => partitions.map((one) => broker.positionOf(topic, one)))
    for (const { topic, partition, offset } of positions) {
      this.positions.set(`${topic}/${partition}`, offset)
      this.paused.delete(`${topic}/${partition}`)
      this.owned.add(partition)
      this.#since.set(partition, generation)
      this.#held.add(partition)
    }
    // kafkajs forgets with each join where it was.
    for (const { topic, partitions } of kept)
      for (const one of partitions) this.positions.set(`${topic}/${one}`, this.ownership.positionOf(topic, one))
    this.#holdings.take(gained)
    try {
      this.ownership.assigned(positions, NUMBERS.length)
    } catch (error) {
      fail(error)
    }
    this.#holdings.letGo(lost)
  }

  /** @returns whether it reads a topic that is no more: at the next join it takes those numbers anew */
  looksForNew(): boolean {
    const { broker } = this.#around
    const stale = [...this.ownership.tasks.values()].filter(({ sources }) =>
      [...sources.values()].some(({ topic, base }) => base !== broker.baseOf(topic)),
    )
    for (const { number } of stale) this.#holdings.takeAnew(number)
    return stale.length > 0
  }

  async leave(): Promise<void> {
    this.leaving = true
    await Promise.race([this.ownership.stop(NEAR).then(() => this.giveUp()), this.#died])
    this.die()
  }

  die(): void {
    this.dead = true
    this.#die()
    this.#around.remotes.cutOff(this)
    this.#missed.length = 0
  }

  stop(): void {
    this.holdsLease()
    this.stopped = true
    this.stoppedAt = this.#around.time.now
  }

  goOn(): void {
    this.stopped = false
    for (const wake of this.#missed.splice(0)) this.#around.time.after(0, () => this.hears(wake))
  }

  reconfigure(change: ConfigurationChange): void {
    if (change.what === 'source') return
    this.hears(() => reconfigure(change, this.forwarder, this.#around.directory, this.ownership.tasks.values()))
  }

  // ── what it hears ───────────────────────────────────────────────────────────────────────────────────────────────────

  hears(wake: () => void): void {
    if (this.stopped) this.#missed.push(wake)
    else if (!this.dead) wake()
  }

  /** Resolves when it is awake to hear of it: never, once it is dead. */
  awake(): Promise<void> {
    return new Promise((resolve) => this.hears(resolve))
  }

  /** Unix milliseconds by its monotonic clock. */
  steady(): Millis {
    return this.#wallAtStart + this.#around.time.now - this.#startedAt
  }

  /** A connection's requests on the wire. */
  countAsking(connection: string, by: number): void {
    this.asking.set(connection, (this.asking.get(connection) ?? 0) + by)
  }

  async #revoked(numbers: readonly number[]): Promise<void> {
    for (const number of numbers) this.owned.delete(number)
    await this.ownership.revoked(numbers)
    for (const number of numbers) this.#held.delete(number)
    await this.awake()
    // The group has to hear of it.
    if (!this.leaving && !this.dropped) this.#around.group.share(0)
  }

  #wall(): Millis {
    return BEGAN_AT + this.#around.time.now + this.#around.wallIsAhead()
  }

  #clock(): Clock {
    const { time } = this.#around
    const after = (delay: Millis, wake: () => void) => {
      let isCancelled = false
      const cancel = time.after(delay, () => this.hears(() => isCancelled || wake()))
      return () => {
        isCancelled = true
        cancel()
      }
    }
    return {
      now: () => this.#wall(),
      // Each process takes the wall clock of its beginning, and never looks again.
      steady: () => this.steady(),
      monotonic: () => time.now,
      after,
      sleep: sleepBy(after),
    }
  }

  #deadLetters(): DeadLetters {
    const { time, judge, draw } = this.#around
    const letters = {
      waiting: 0,
      write: async ({ delivery }: DeadLetter) => {
        letters.waiting++
        await time.sleep(draw('letter').between(0, NEAR))
        // One that dies before its letter was sent leaves none.
        if (!this.dead && delivery) judge.acknowledged(nameOfDelivery(delivery))
        await this.awake()
        letters.waiting--
      },
    }
    return letters
  }

  #group(): Group {
    const { broker, time, fetchRetries } = this.#around
    return {
      pause: (topic, partition) => void this.paused.add(`${topic}/${partition}`),
      resume: (topic, partition) => {
        this.paused.delete(`${topic}/${partition}`)
        // A retry topic that is read on is asked for at once; of the sources a life's steps say when.
        if (!this.sources.has(topic)) time.after(FETCHED_WITHIN, () => fetchRetries(this))
      },
      seek: (topic, partition, offset) => void this.positions.set(`${topic}/${partition}`, offset),
      holdsLease: () => this.holdsLease(),
      leaveSoon: () => undefined,
      endOf: async (topic, partition) => broker.log(topic, partition).length,
      commit: openCommits(this, this.#around),
      [Symbol.asyncDispose]: async () => undefined,
    }
  }

  #log(): Log {
    const quiet = () => undefined
    return {
      writes: () => false,
      debug: quiet,
      info: quiet,
      warn: quiet,
      error: (event, fields) => {
        if (event === 'park-stopped') this.#around.judge.breaks('no-fault', `${event} ${JSON.stringify(fields)}`)
      },
    }
  }
}
