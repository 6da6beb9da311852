// THE HUB: the path of a change, from a fetched record to its verdict. It asks a room, the room hands back a value, the hub
// acts on it; rooms never call each other. Enter: the records of partitions we own. Leave: requests, parked copies, dead
// letters, reports, completed offsets. Never: a wait for HTTP while reading, or two attempts of one lane at once.
import { assertNever } from '../shared/assert-never.ts'
import type { Millis } from '../shared/clock.ts'
import type { Connection } from '../shared/forwarding/connection.ts'
import type { Repeater } from '../shared/forwarding/repeater.ts'
import type { RepeaterId } from '../shared/ids.ts'
import type { FetchedRecord } from '../shared/kafka/group.ts'
import { Alarm } from './alarm.ts'
import { Books } from './books.ts'
import { ConnectionDesk, ConnectionDesks } from './connection-desk.ts'
import { decideNext, type Verdict } from './decide-next.ts'
import type { Delivery, Lane } from './delivery.ts'
import { Endings } from './endings.ts'
import { Holding } from './holding.ts'
import { isReserved } from './lanes.ts'
import type { Attempted, Outcome } from './outcome.ts'
import { Parking } from './parking.ts'
import type { PartitionTask, SourceProgress, TierProgress } from './partition-task.ts'
import { RecentChange } from './recent-change.ts'
import { Reception } from './reception.ts'
import { renderPayload, type Payload } from './render-payload/render-payload.ts'
import { renderRequest } from './render-request.ts'
import { Returns, type Returned } from './returns.ts'
import type { Rooms } from './rooms.ts'
import { whyUnwanted } from './why-unwanted.ts'

/** How long a lane waits for a connection that its repeater names and the configuration does not hold yet. */
const MISSING_CONNECTION_WAIT: Millis = 5_000

/** While another process may own what is ready here. */
const LEASE_LOOK_EVERY: Millis = 250

/** `schema-needed`: it must be read again later, and with it all that follow. */
export type Taken = { readonly kind: 'taken' } | { readonly kind: 'schema-needed'; readonly schemaId: number }
const TAKEN: Taken = { kind: 'taken' }

export class Forwarder {
  readonly #rooms: Rooms
  readonly #books: Books
  readonly #endings: Endings
  readonly #reception: Reception
  readonly #returns: Returns
  readonly #changes: RecentChange
  readonly parking: Parking
  readonly holding: Holding
  readonly desks = new ConnectionDesks()
  /** Lanes and connections that wait for an instant. */
  readonly #alarm: Alarm<Lane | ConnectionDesk>

  constructor(rooms: Rooms) {
    const books = new Books(rooms.intake)
    this.#rooms = rooms
    this.#books = books
    const { desks } = this
    const changes = (this.#changes = new RecentChange(rooms.readers))
    const offer = (lane: Lane) => this.#offer(lane)
    const inBackground = (work: Promise<void>) => this.#inBackground(work)
    const holding = (this.holding = new Holding({ ...rooms, books, offer }))
    this.#reception = new Reception({ ...rooms, books, changes })
    this.#returns = new Returns({ ...rooms, books, holding, changes })
    this.#endings = new Endings({ ...rooms, books, holding, offer, inBackground })
    const onRefused = (delivery: Delivery, error: string) => inBackground(this.#endings.refused(delivery, error))
    this.parking = new Parking({ ...rooms, books, desks, onRefused })
    this.#alarm = new Alarm(rooms.clock, (sleeper) =>
      sleeper instanceof ConnectionDesk ? this.pump(sleeper) : this.#offer(sleeper),
    )
  }

  // ── a record arrives ────────────────────────────────────────────────────────────────────────────────────────────────

  /** @param finishedBefore an earlier owner settled it for every repeater, and it is read again on the way to the horizon */
  receive(task: PartitionTask, source: SourceProgress, fetched: FetchedRecord, finishedBefore: boolean): Taken {
    const received = this.#reception.receive(task, source, fetched, finishedBefore)
    switch (received.kind) {
      case 'schema-needed':
        return received
      case 'unreadable': {
        const { record, error } = received
        const condemned = { record, delivery: null, lane: null, reason: 'unreadable', error } as const
        this.#inBackground(this.#endings.condemn(task, condemned))
        return TAKEN
      }
      case 'taken':
        for (const delivery of received.replaced) this.#endings.finish(delivery, 'superseded')
        for (const delivery of received.deliveries) {
          this.#rooms.tell.made(delivery.lane.repeater)
          this.#enter(delivery)
        }
        return TAKEN
      default:
        return assertNever(received)
    }
  }

  /** A copy in a retry topic has waited as long as its tier says. */
  receiveDue(task: PartitionTask, tier: TierProgress, fetched: FetchedRecord): Taken {
    const returned = this.#returns.receive(task, tier, fetched)
    switch (returned.kind) {
      case 'schema-needed':
        return returned
      case 'done':
        return TAKEN
      case 'condemned':
        this.#inBackground(this.#endings.condemn(task, returned))
        return TAKEN
      case 'returned':
        this.#return(returned)
        return TAKEN
      case 'of-hold':
        this.#inBackground(this.holding[returned.wish](returned.delivery))
        return TAKEN
      default:
        return assertNever(returned)
    }
  }

  /** Into its lane in memory, where it may take the place of older ones; where there is no room for it, into a tier. */
  #enter(delivery: Delivery): void {
    const replaced = delivery.lane.task.lanes.add(delivery)
    for (const each of replaced) this.#endings.finish(each, 'superseded')
    if (replaced[0] !== delivery) this.parking.keepRoom(delivery)
    this.#offer(delivery.lane)
  }

  #return({ delivery, wait: due, overtaken, isQueued }: Extract<Returned, { kind: 'returned' }>): void {
    const { lane } = delivery
    const wait = isQueued && this.parking.isTurnEarlier(delivery) ? 0 : due
    const { clock, tiers } = this.#rooms
    const { lanes } = lane.task
    if (overtaken) this.#endings.finish(delivery, 'superseded')
    // Tiers only come near a wait.
    else if (wait > tiers.nearWait) this.parking.park(delivery, isQueued ? 'queue' : 'early', clock.steady() + wait)
    else if (lanes.yields(delivery, clock.monotonic(), tiers.shortest.delay))
      this.#endings.finish(delivery, 'superseded')
    else if (lanes.isBlocked(delivery)) this.parking.parkOneBehind(delivery)
    else {
      if (!lane.inFlight && wait > 0) lane.dueAt = Math.max(lane.dueAt, clock.monotonic() + wait)
      return this.#enter(delivery)
    }
    lanes.forgetEmpty(lane)
    this.#offer(lane)
  }

  // ── a lane's turn ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** Puts a lane where it belongs now: among the ready ones of its connection, to sleep until it is due, or into a tier. */
  #offer(lane: Lane): void {
    const head = lane.deliveries[0]
    if (lane.inFlight || !head || !lane.task.open || lane.source.rereading) return
    if (!isReserved(head)) return void lane.source.unreserved.push(lane)
    const { repeater, connection } = this.#configured(lane.repeater)
    const unwanted = whyUnwanted(lane.repeater, repeater, lane.source.kind)
    if (unwanted !== undefined) return this.#cancel(lane, unwanted)
    const now = this.#rooms.clock.monotonic()
    if (!connection) lane.dueAt = Math.max(lane.dueAt, now + MISSING_CONNECTION_WAIT)
    if (lane.task.lanes.isBlocked(head)) {
      const isWell = connection !== undefined && this.desks.of(connection, now).health.state === 'closed'
      return this.parking.parkBehind(lane, isWell)
    }
    if (!connection || lane.dueAt > now) return this.#alarm.set(lane.dueAt, lane)
    const desk = this.desks.of(connection, now)
    if (lane.queuedAt === desk) return
    lane.queuedAt = desk
    desk.ready.push(lane)
    this.pump(desk)
  }

  /** Starts what the connection has turns for, and parks what it has none for in sight. */
  pump(desk: ConnectionDesk): void {
    while (desk.ready.size > 0) {
      const { clock, tiers, holdsLease } = this.#rooms
      const now = clock.monotonic()
      const turn = holdsLease() ? desk.turn(now) : { kind: 'wait' as const, until: now + LEASE_LOOK_EVERY }
      if (turn.kind === 'full') return
      if (turn.kind !== 'go' && desk.waitsInMemory(turn, now, tiers)) {
        if (desk.wakesAt === 0 || turn.until < desk.wakesAt) this.#alarm.set(turn.until, desk)
        return
      }
      const lane = desk.ready.take()
      if (lane?.queuedAt !== desk) continue
      lane.queuedAt = null
      if (turn.kind === 'wait') this.parking.parkLane(lane, 'silent', clock.steady() + turn.until - now)
      else if (turn.kind === 'park') this.parking.parkLane(lane, 'open', clock.steady())
      else if (lane.task.open && lane.task.lanes.isReady(lane, now)) this.#start(desk, lane)
      // A newer state took the head's place meanwhile, and is not reserved yet.
      else this.#offer(lane)
    }
  }

  #start(desk: ConnectionDesk, lane: Lane): void {
    const { repeater, connection } = this.#configured(lane.repeater)
    // The configuration moved on while the lane waited for its turn: it goes where it belongs now.
    if (!repeater || connection?.id !== desk.id) return this.#offer(lane)
    const delivery = lane.task.lanes.begin(lane)
    const payload = renderPayload(this.#changes.of(delivery.record), repeater)
    if (payload.kind === 'unrenderable') {
      return this.#inBackground(this.#endings.deadLetter(delivery, connection, 'payload', payload.error, null))
    }
    desk.begin(this.#rooms.clock.monotonic(), lane)
    this.#inBackground(this.#attempt(delivery, repeater, connection, payload, desk))
  }

  // ── one attempt, and what follows from it ───────────────────────────────────────────────────────────────────────────

  async #attempt(
    delivery: Delivery,
    repeater: Repeater,
    connection: Connection,
    payload: Extract<Payload, { kind: 'rendered' }>,
    desk: ConnectionDesk,
  ): Promise<void> {
    const { credentials, remotes, clock, tell, random, newRequestId } = this.#rooms
    const proof = credentials(connection)
    const requestId = newRequestId()
    // Awaited in both cases: going on at once would start the next lane from within this one, and so on, until the stack ends.
    const attempted: Attempted = await (proof.kind === 'missing'
      ? { outcome: { kind: 'unsendable', error: proof.error }, duration: 0 }
      : remotes.attempt(
          connection,
          renderRequest(delivery, repeater, connection, payload, requestId, proof.lines),
          delivery.lane.task.running,
        ))
    const { outcome } = attempted
    const { sparesTry, transition } = desk.end(clock.monotonic(), delivery.lane, connection, attempted)
    if (transition) tell.turned(connection, transition)
    // What a revoked partition still hears counts for nothing: the next owner reads the change again.
    if (!delivery.lane.task.closed && outcome.kind !== 'aborted') {
      if (outcome.kind !== 'unsendable') delivery.attempts++
      const now = clock.now()
      if (outcome.kind !== 'answered' || outcome.status >= 300) delivery.firstFailedAt ??= now
      const { tries, firstFailedAt } = delivery
      const situation = { connection, tries, sparesTry, firstFailedAt: firstFailedAt ?? now, now, random: random() }
      const verdict = decideNext(outcome, situation)
      tell.attempted(delivery, connection, attempted, verdict, requestId)
      this.#act(verdict, delivery, connection, desk, outcome)
    }
    this.pump(desk)
  }

  #act(verdict: Verdict, delivery: Delivery, connection: Connection, desk: ConnectionDesk, outcome: Outcome): void {
    const { lane } = delivery
    switch (verdict.kind) {
      case 'delivered':
        return this.#endings.delivered(delivery)
      case 'retry': {
        const { clock, tiers } = this.#rooms
        const now = clock.monotonic()
        const wait = desk.heed(verdict, connection, now)
        if (verdict.spendsTry) delivery.tries++
        for (const replaced of lane.task.lanes.retryAt(lane, now + wait)) this.#endings.finish(replaced, 'superseded')
        if (wait <= tiers.shortWait) return this.#offer(lane)
        return this.parking.parkLane(lane, 'retry', clock.steady() + wait)
      }
      case 'dead-letter':
        // The slot is free already; the lane is not, until the letter is acknowledged.
        return this.#inBackground(
          this.#endings.deadLetter(delivery, connection, verdict.reason, verdict.error, outcome),
        )
      default:
        return assertNever(verdict)
    }
  }

  /** Its repeater is gone from the configuration, or forwards another kind: what waited is kept where an operator finds it. */
  #cancel(lane: Lane, why: string): void {
    lane.queuedAt = null
    const delivery = lane.task.lanes.begin(lane)
    this.#inBackground(this.#endings.deadLetter(delivery, null, 'cancelled', why, null))
  }

  /** What kept these lanes back may be gone (the horizon is reached, their repeater changed): they look where they belong now. */
  offerAll(lanes: Iterable<Lane>): void {
    for (const lane of [...lanes]) this.#offer(lane)
  }

  /** The partition is given up: no outcome counts from now on, and nothing of it stays in memory. */
  close(task: PartitionTask): void {
    this.#books.close(task)
    this.#alarm.keepOnly((sleeper) => sleeper instanceof ConnectionDesk || !sleeper.task.closed)
  }

  [Symbol.dispose](): void {
    this.#alarm.keepOnly(() => false)
  }

  #configured(id: RepeaterId) {
    const { directory } = this.#rooms
    const repeater = directory.repeater(id)
    return { repeater, connection: repeater && directory.connection(repeater.connection) }
  }

  /** What goes on by itself must not fail in silence: a fault of ours ends the process, and the next one reads the change again. */
  #inBackground(work: Promise<void>): void {
    work.catch(this.#rooms.fail)
  }
}
