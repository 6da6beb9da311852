// Looks into the members while they live, and judges what does not show outside at once: backoffs, memory, what is known of the
// retry topics, whether lanes get on. Enter: what a member is about to do, and its state after each step.
import { versionOf } from '../../services/shared/kafka/version-base.ts'
import type { Delivery, Lane } from '../../services/forwarder/delivery.ts'
import type { Verdict } from '../../services/forwarder/decide-next.ts'
import { isReserved } from '../../services/forwarder/lanes.ts'
import type { Park } from '../../services/forwarder/park.ts'
import type { PartitionTask, TierProgress } from '../../services/forwarder/partition-task.ts'
import type { Report } from '../../services/forwarder/report.ts'
import type { Millis } from '../../services/shared/clock.ts'
import type { Connection } from '../../services/shared/forwarding/connection.ts'
import type { CommitEntry } from '../../services/shared/kafka/group.ts'
import { caseId } from '../../services/shared/ids.ts'
import { versionIn } from '../../services/shared/wire/retry-header.ts'
import { readCommit, type Asked, type Ending } from './judge.ts'
import type { Member } from './member.ts'
import { isSteady, NUMBERS, TIERS, type Surroundings } from './surroundings.ts'
import { nameOfDelivery } from './telling.ts'

/** Due instants are rounded to milliseconds, more than once. */
const ROUNDING: Millis = 3
/** The first probes come in quick succession. */
const DEAD_FOR_LONG: Millis = 60_000
/** Probes of a connection that has been dead for long are at least 20 s apart. */
const PROBED: { readonly within: Millis; readonly most: number } = { within: 30_000, most: 3 }
/** Failures that open the breaker, with some to spare for those on the wire. */
const ENOUGH_FAILURES = 15

type Backoff = { readonly version: number; readonly until: Millis }

export class Watch {
  /** Changes that are parked, over the whole life. */
  copies = 0
  readonly #around: () => Surroundings
  /** By member and lane: not before then, by its own configuration. */
  readonly #backoffs = new Map<string, Backoff>()
  /** Lanes of which a version waited for its turn in a retry topic: that has an instant of its own, whatever failed beside it. */
  readonly #queued = new Set<string>()
  readonly #idleSince = new WeakMap<Lane, Millis>()
  readonly #startedAt = new Map<string, Millis>()
  /** Since a member's last snapshot for a commit. */
  readonly #settledSince = new Map<Member, Set<string>>()
  /** Requests to a dead connection, by member and connection. */
  readonly #toDead = new Map<string, { readonly at: Millis; readonly lane: string }[]>()

  /** @param around asked for later, since it holds this */
  constructor(around: () => Surroundings) {
    this.#around = around
  }

  // ── requests ────────────────────────────────────────────────────────────────────────────────────────────────────────

  starts(member: Member, connection: Connection, asked: Asked): void {
    const { judge, time, remotes } = this.#around()
    const number = Number(asked.delivery.split(':')[2])
    const { delivery } = asked
    judge.holds(
      !member.dead && !member.stopped,
      'no-fault',
      () => `${member.name} starts ${delivery} and does not live`,
    )
    judge.holds(member.holdsLease(), 'within-the-lease', () => `${member.name} starts ${delivery} without a lease`)
    judge.holds(
      member.owned.has(number) && !member.dropped,
      'only-the-owner',
      () => `${member.name} starts ${delivery} and owns ${[...member.owned.keys()].join() || 'nothing'}`,
    )
    const slots = Math.max(
      1,
      Math.floor((connection.limits.concurrency * Math.max(1, member.works.length)) / NUMBERS.length + 1e-9),
    )
    const asking = member.asking.get(connection.id) ?? 0
    judge.holds(
      asking < slots,
      'within-the-slots',
      () => `${member.name} starts ${delivery} beside ${asking} others, with ${slots} slots`,
    )
    const lane = `${member.ownershipOf(number)} ${asked.lane}`
    this.#startedAt.set(lane, time.now)
    const backoff = this.#backoffs.get(lane)
    judge.holds(
      asked.run !== null || !backoff || asked.version < backoff.version || time.now >= backoff.until - ROUNDING,
      'backoff-kept',
      () => `${delivery} starts ${Math.round((backoff?.until ?? 0) - time.now)} ms too early`,
    )
    if (remotes.weatherOf(connection.id) === 'dead') this.#countProbe(member, connection, asked.lane)
  }

  #countProbe(member: Member, { id }: Connection, lane: string): void {
    const { judge, time, remotes } = this.#around()
    const key = `${member.name} ${id} ${remotes.since}`
    const starts = this.#toDead.get(key) ?? []
    this.#toDead.set(key, starts)
    starts.push({ at: time.now, lane })
    const recent = starts.filter(({ at }) => at > time.now - PROBED.within)
    const before = starts.slice(0, starts.length - recent.length)
    // One lane alone breaks no connection by failing.
    const areSeveral = before.some((one) => one.lane !== before[0]?.lane)
    const isLong = time.now - remotes.since > DEAD_FOR_LONG && before.length >= ENOUGH_FAILURES && areSeveral
    judge.holds(
      !isLong || recent.length <= PROBED.most,
      'probes-only',
      () => `${id} is dead, and ${member.name} asked it ${recent.length} times in ${PROBED.within / 1_000} s`,
    )
  }

  attempted(member: Member, delivery: Delivery, connection: Connection, verdict: Verdict): void {
    const { time, directory } = this.#around()
    const { lane, record } = delivery
    // What another remote than that of now answered makes nobody wait.
    if (record.run !== null || directory.connection(connection.id) !== connection) return
    const key = `${member.ownershipOf(record.partition)} ${lane.repeater} ${record.topic} ${lane.caseId}`
    if (verdict.kind === 'retry' && !this.#queued.has(key))
      this.#backoffs.set(key, { version: versionOf(record), until: time.now + verdict.wait })
    else this.#backoffs.delete(key)
  }

  /** Somebody mended something: what waited goes at once. */
  forgetBackoffs(): void {
    this.#backoffs.clear()
  }

  // ── copies ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  parks(member: Member, delivery: Delivery, delay: Millis, dueAt: Millis, reason: string): void {
    const { judge, time, broker, directory, scenario, tells, wallIsAhead } = this.#around()
    const { lane, record } = delivery
    const name = nameOfDelivery(delivery)
    this.copies++
    if (reason === 'queue') {
      const key = `${member.ownershipOf(record.partition)} ${lane.repeater} ${record.topic} ${lane.caseId}`
      this.#queued.add(key)
      this.#backoffs.delete(key)
    }
    const repeater = directory.repeater(lane.repeater)
    const desk = repeater && member.forwarder.desks.find(repeater.connection)
    const wait = dueAt - member.steady()
    tells?.(() => `${member.name} parks ${name} for ${delay / 1_000} s (${reason}, due in ${Math.round(wait)} ms)`)
    // Of a lane that is spilled the first says so, and the others go behind it.
    const isSpilled = reason === 'memory' || (scenario === 'narrow' && reason === 'behind')
    const isBroken = desk !== undefined && desk.health.state !== 'closed'
    // Its turn is what chooses the tier; the copy may go as soon as it is back.
    const isQueued = reason === 'queue'
    judge.holds(
      reason !== 'retry' || wait > TIERS.shortWait - ROUNDING,
      'short-waits-in-memory',
      () => `${name} is parked to wait ${Math.round(wait)} ms`,
    )
    judge.holds(
      isBroken || isSpilled || isQueued || delay <= Math.max(wait, TIERS.shortest.delay) + ROUNDING,
      'tier-fits',
      () => `${name} is parked for ${delay} ms to wait ${Math.round(wait)} ms`,
    )
    judge.holds(
      scenario !== 'wide' || !isSteady(lane.repeater) || lane.task.draining,
      'healthy-unparked',
      () => `${name} is parked (${reason})`,
    )
    const tier = [...lane.task.tiers.values()].find(({ offsets }) => offsets === record.offsets)
    const copy = tier && broker.copiesIn(tier.topic, tier.partition)[record.entry.offset]
    if (!tier || !copy) return
    judge.holds(
      wallIsAhead() !== 0 || time.now >= copy.appendedAt + tier.tier.delay - ROUNDING,
      'tier-delays',
      () => `${name} came back from ${copy.topic} after ${Math.round(time.now - copy.appendedAt)} ms`,
    )
  }

  settled(member: Member, delivery: Delivery, verdict: Ending): void {
    this.#settledSince.get(member)?.add(nameOfDelivery(delivery))
    const { lane, record } = delivery
    const key = `${member.ownershipOf(record.partition)} ${lane.repeater} ${record.topic} ${lane.caseId}`
    // Whoever replaces it inherits its instant; once it has ended otherwise nobody waits, nor behind what an operator put back.
    const isOver = record.run !== null || (this.#backoffs.get(key)?.version ?? Infinity) <= versionOf(record)
    if (verdict !== 'superseded' && isOver) this.#backoffs.delete(key)
  }

  /** What is committed is taken at once, in the turn in which the report is flushed; it is sent later. */
  snapshot(member: Member): void {
    this.#settledSince.set(member, new Set())
  }

  commits(member: Member, entries: readonly CommitEntry[]): void {
    if (member.generation !== this.#around().group.generation) return
    for (const task of member.ownership.tasks.values()) {
      if (task.closed || task.restoring) continue
      for (const tier of task.tiers.values()) {
        const entry = entries.find((each) => each.topic === tier.topic && each.partition === tier.partition)
        if (entry) this.#judgeKnown(member, task, tier, entry)
      }
    }
  }

  #judgeKnown(member: Member, task: PartitionTask, tier: TierProgress, entry: CommitEntry): void {
    const { judge, broker, wallIsAhead } = this.#around()
    const isComplete = readCommit(entry)
    for (const { offset, header, case: caseOf, delivery } of broker.copiesIn(tier.topic, tier.partition)) {
      if (isComplete(offset) || tier.offsets.fences.isGhost(offset, header.epoch)) continue
      if (tier.tier.delay === 0 && offset >= tier.countedTo) continue
      if (this.#settledSince.get(member)?.has(delivery) === true) continue
      // A copy that the brokers refused is a dead letter, whatever others there are of it.
      if (judge.truthOf(header.topic, header.partition, versionIn(header))?.flavour === 'large') continue
      judge.holds(
        // By a clock that was put ahead a copy comes back before its append is known, and is written once more.
        wallIsAhead() !== 0 || task.parked.has({ ...header, caseId: caseId(caseOf) }, versionIn(header)),
        'copies-known',
        () => `${member.name} does not know that ${delivery} lies at ${tier.topic}/${tier.partition}@${offset}`,
      )
    }
  }

  // ── lanes, after each step ──────────────────────────────────────────────────────────────────────────────────────────

  look(member: Member): void {
    if (!member.isWell || !member.holdsLease()) return
    for (const task of member.ownership.tasks.values()) {
      if (!task.open || task.restoring) continue
      for (const lane of task.lanes.all()) this.#lookAt(member, task, lane)
    }
  }

  #lookAt(member: Member, task: PartitionTask, lane: Lane): void {
    const { judge, time } = this.#around()
    const [head] = lane.deliveries
    if (!head || lane.inFlight) return void this.#idleSince.delete(lane)
    judge.holds(
      lane.dueAt - time.now <= TIERS.shortWait + ROUNDING,
      'short-waits-in-memory',
      () => `${nameOfDelivery(head)} waits ${Math.round(lane.dueAt - time.now)} ms in memory`,
    )
    if (!isSteady(lane.repeater)) return
    if (!isReserved(head) || lane.source.rereading || task.lanes.isBlocked(head))
      return void this.#idleSince.delete(lane)
    const startedAt =
      this.#startedAt.get(`${member.ownershipOf(task.number)} ${lane.repeater} ${lane.source.topic} ${lane.caseId}`) ??
      0
    const since = Math.max(this.#idleSince.get(lane) ?? time.now, startedAt)
    this.#idleSince.set(lane, since)
    judge.holds(
      time.now - since <= 2 * TIERS.shortest.delay,
      'healthy-go-on',
      () => `${nameOfDelivery(head)} has waited ${Math.round(time.now - since)} ms for nothing`,
    )
  }
}

export const watchPark = (park: Park, member: Member, around: Surroundings): Park => ({
  get waiting() {
    return park.waiting
  },
  write(delivery, tier, dueAt, reason) {
    around.watch.parks(member, delivery, tier.delay, dueAt, reason)
    return park.write(delivery, tier, dueAt, reason)
  },
})

/** Most flushes are quick; some outlast the generation that they belong to. */
export const watchReport = (member: Member, { watch, time, draw }: Surroundings): Report => ({
  add: () => undefined,
  async flush() {
    watch.snapshot(member)
    const luck = draw('report')
    await time.sleep(luck.chance(0.1) ? 5_000 : luck.between(0, 50))
    await member.awake()
  },
})
