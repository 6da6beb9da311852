// What the hub keeps for each connection: its health, and the lanes that are ready to go there, in turn.
import type { Connection, Limits } from '../shared/forwarding/connection.ts'
import type { Millis } from '../shared/clock.ts'
import { laneKey, type ConnectionId } from '../shared/ids.ts'
import type { Pace } from './choose-spill.ts'
import { ConnectionHealth, type Ended, type Turn } from './connection-health.ts'
import type { Delivery, Lane } from './delivery.ts'
import type { Attempted, Outcome } from './outcome.ts'
import { QueueCap, type LaterTurn } from './queue-cap.ts'
import { ReadyQueue } from './ready-queue.ts'

export class ConnectionDesk {
  readonly kind = 'connection'
  readonly id: ConnectionId
  #connection: Connection
  readonly health: ConnectionHealth
  readonly ready = new ReadyQueue()
  readonly #cap = new QueueCap()
  /** Deliveries in memory that are to go there: those that came back from a retry topic, and the others. */
  #due = 0
  #fresh = 0
  /** The instant that the alarm was last set to for it. */
  wakesAt: Millis = 0
  /** It failed the last probe, and was asked to let another go first. */
  #spared: Lane | null = null
  /** Attempts that ended since the last `measure`. */
  #ended = 0
  /** Attempts that ended in a second, lately. */
  #perSecond = 0
  /** How often that was measured since the first attempt began. */
  #measures = 0
  #wasAsked = false
  /** When the attempts on the wire started, the oldest first. */
  readonly #startedAt = new Map<Lane, Millis>()
  /** The process ends, and what is on the wire takes long: nothing starts beside it. */
  #isHeld = false
  #holds = 0

  /** @param limits this process's share of the connection's */
  constructor(connection: Connection, limits: Limits, now: Millis) {
    this.id = connection.id
    this.#connection = connection
    this.health = new ConnectionHealth(limits, now)
  }

  get pace(): Pace {
    return { perSecond: this.#perSecond, slots: this.health.slots, isTold: this.#measures >= TOLD_AFTER }
  }

  /** @param interval since the last call */
  measure(interval: Millis): void {
    if (!this.#wasAsked) return
    const last = (this.#ended * 1_000) / interval
    this.#perSecond += (last - this.#perSecond) * Math.max(LAST_WEIGHT, 1 / ++this.#measures)
    this.#ended = 0
  }

  /** The delivery is in memory, to go there. */
  enter(delivery: Delivery): void {
    delivery.waitsFor = this
    if (delivery.parked) this.#due++
    else this.#fresh++
  }

  /** It has ended, or is parked. */
  leave(delivery: Delivery): void {
    delivery.waitsFor = null
    if (delivery.parked) this.#due--
    else this.#fresh--
  }

  /**
   * What waits in memory beyond what the connection can do with is parked. Both kinds have a share of their own, or a stream of
   * fresh deliveries would send back to the retry topics whatever comes from there. A case has one attempt at a time: of that
   * what waits behind others of its case is judged.
   * @param delivery in its lane, and counted
   * @returns null when it may wait here
   */
  turnOf(now: Millis, delivery: Delivery, { nearWait }: Waits): LaterTurn | null {
    const { health, ready } = this
    if (health.state !== 'closed') return null
    const { lane } = delivery
    const behind = lane.deliveries.length - 1
    const copies = lane.task.parked.versionsOf(lane.repeater)
    const ofLane = behind > 0 ? this.#cap.turnOf(now, ONE_AT_A_TIME, behind, nearWait, copies) : null
    // Nobody is in its way, whatever else waits for its instant.
    if (ofLane !== null || ready.size < health.slots) return ofLane
    const waiting = delivery.parked ? this.#due : this.#fresh
    const isCrowded = delivery.parked && delivery.record.offsets.openCount > CROWDED
    return this.#cap.turnOf(now, health.means, waiting, isCrowded ? nearWait / 2 : nearWait, copies)
  }

  /** It comes back before its turn, and there is room all the same: the connection is quicker than it was. */
  hasRoomFor(now: Millis, { lane }: Delivery, { nearWait }: Waits): boolean {
    return lane.deliveries.length === 0 && this.#cap.hasRoom(now, this.health.means, this.#due * 2, nearWait)
  }

  /** @returns true when it leads elsewhere now; what the old remote showed is forgotten */
  follow(connection: Connection): boolean {
    const leadsElsewhere = !this.#leadsTo(connection)
    this.#connection = connection
    if (leadsElsewhere) {
      this.health.forget()
      this.#cap.forget()
    }
    return leadsElsewhere
  }

  /**
   * Keeps silent as the remote asked.
   * @param connection as it was for the attempt: the answer of another remote than that of now says nothing about this one
   * @returns how long the delivery waits for its next attempt
   */
  heed(
    { wait, silence }: { readonly wait: Millis; readonly silence: Millis },
    connection: Connection,
    now: Millis,
  ): Millis {
    if (!this.#leadsTo(connection)) return 0
    if (silence > 0) this.health.silence(now + silence)
    return wait
  }

  #leadsTo(connection: Connection): boolean {
    return connection === this.#connection || destinationOf(connection) === destinationOf(this.#connection)
  }

  /**
   * The turn of the lane that is first in the ready queue. It stays there; one that is spared goes behind the others, and when
   * there are none waits a moment for one: what waits for a broken connection comes back from its retry topic one by one.
   */
  turn(now: Millis): Turn {
    if (this.#isHeld) return NOBODY
    for (;;) {
      const lane = this.#next()
      // It was about nobody: entries that say nothing any more are gone.
      if (!lane) return NOBODY
      if (lane === this.#spared && this.ready.size > 1) {
        this.#spared = null
        this.ready.take()
        this.ready.push(lane)
        continue
      }
      const turn = this.health.turn(now, keyOf(lane))
      if (turn.kind !== 'park' || turn.reason !== 'spared') return turn
      this.#spared = lane
      if (this.ready.size === 1) return { kind: 'wait', until: now + SPARED_WAIT }
    }
  }

  /**
   * Whether its ready lanes wait here for a turn that comes then, or are parked. What is near waits here; so does all of a
   * connection that has been broken for a moment only, for most are well again by the first probe; later a few for the next.
   */
  waitsInMemory(turn: Exclude<Turn, { kind: 'go' | 'full' }>, now: Millis, { shortWait, nearWait }: Waits): boolean {
    if (turn.until - now > nearWait) return false
    if (turn.kind === 'wait') return true
    const openFor = this.health.openFor(now)
    return openFor <= shortWait || (openFor <= nearWait && this.ready.size <= PROBE_LANES)
  }

  /** The lane's attempt starts. */
  begin(now: Millis, lane: Lane): void {
    this.#wasAsked = true
    this.#cap.begin(now)
    this.#startedAt.set(lane, now)
    this.health.begin(now, keyOf(lane))
  }

  /** @param connection as it was for the attempt: what another remote than that of now showed is nothing */
  end(now: Millis, lane: Lane, connection: Connection, { outcome, duration }: Attempted): Ended {
    this.#ended++
    this.#cap.end(now, duration)
    this.#startedAt.delete(lane)
    return this.health.end(now, keyOf(lane), this.#leadsTo(connection) ? outcome : ELSEWHERE, duration)
  }

  /** When the oldest request on the wire started; undefined when there is none. */
  get oldestSince(): Millis | undefined {
    const [oldest] = this.#startedAt.values()
    return oldest
  }

  /**
   * The process ends: a connection with a request that takes longer than `most` starts no more beside it, so that those that
   * answer soon need not stand still with it. The first time it may be the machine that was slow, and it goes on when that
   * request has ended; the second time it is held for good.
   * @returns whether it is held, with requests on the wire
   */
  holdWhileSlow(now: Millis, most: Millis): boolean {
    const { oldestSince } = this
    const isSlow = oldestSince !== undefined && now - oldestSince > most
    if (isSlow && !this.#isHeld) this.#holds++
    this.#isHeld = isSlow || (this.#isHeld && this.#holds > 1)
    return this.#isHeld && oldestSince !== undefined
  }

  #next(): Lane | undefined {
    let lane = this.ready.first
    while (lane && (lane.queuedAt !== this || lane.task.closed)) {
      this.ready.take()
      lane = this.ready.first
    }
    return lane
  }
}

/** Of the average's weight, what the last interval has. */
const LAST_WEIGHT = 0.2
/** So many times, a few in a second: before, a connection has shown how quick the process is that has just begun, not how quick it is. */
const TOLD_AFTER = 12
/** What is waited in memory: of an attempt that failed, and of what comes back from a retry topic. */
type Waits = { readonly shortWait: Millis; readonly nearWait: Millis }

const ONE_AT_A_TIME = { slots: 1, rate: null }
/** Open records of a retry topic's partition, of 400, from which on those behind them are not to wait for a slow connection. */
const CROWDED = 300
/** For another lane to come. */
const SPARED_WAIT: Millis = 1_000
/** Lanes that stay in memory while it is broken: so that the first probes go out when they are due, with two to choose from. */
const PROBE_LANES = 2
const NOBODY: Turn = { kind: 'full' }
const ELSEWHERE: Outcome = { kind: 'aborted' }
const keyOf = (lane: Lane) => laneKey(lane.repeater, lane.caseId)

export class ConnectionDesks {
  readonly #desks = new Map<ConnectionId, ConnectionDesk>()
  #share = 1

  /** Made when the connection is first needed. */
  of(connection: Connection, now: Millis): ConnectionDesk {
    let desk = this.#desks.get(connection.id)
    if (!desk) {
      desk = new ConnectionDesk(connection, shareOf(connection.limits, this.#share), now)
      this.#desks.set(connection.id, desk)
    }
    return desk
  }

  find(id: ConnectionId): ConnectionDesk | undefined {
    return this.#desks.get(id)
  }

  /** @param share 0 < share ≤ 1: the partition numbers owned, of all that the group shares */
  limit(connections: Iterable<Connection>, share = this.#share): void {
    this.#share = share
    for (const connection of connections)
      this.#desks.get(connection.id)?.health.limit(shareOf(connection.limits, share))
  }

  /** The definition changed. @returns true when it leads elsewhere than before, or nothing of it was asked yet */
  follow(connection: Connection): boolean {
    return this.#desks.get(connection.id)?.follow(connection) ?? true
  }

  /** Forgets the desks of connections that are gone, once nothing of theirs is on the wire. */
  keepOnly(configured: (id: ConnectionId) => boolean): void {
    for (const [id, desk] of this.#desks) {
      if (!configured(id) && desk.health.inFlight === 0 && desk.ready.size === 0) this.#desks.delete(id)
    }
  }

  /** @param interval since the last call */
  measure(interval: Millis): void {
    for (const desk of this.#desks.values()) desk.measure(interval)
  }

  all(): Iterable<ConnectionDesk> {
    return this.#desks.values()
  }
}

/** Where requests go and what proves who we are: all of a definition but what only we look at. */
const destinationOf = (connection: Connection): string =>
  JSON.stringify({
    ...connection,
    name: '',
    notify: [],
    limits: null,
    schedule: [],
    retryOn: [],
    rejectOn: [],
    maxAge: 0,
  })

/** Limits hold for the group; a process takes its share, and always at least one slot. */
export const shareOf = (limits: Limits, share: number): Limits => ({
  ...limits,
  // Rounded down, for the shares of three members must not add up to more than the whole. The small addend is for a product
  // like 49 × (1/49), which floating point puts just below the whole number.
  concurrency: Math.max(1, Math.floor(limits.concurrency * share + 1e-9)),
  rate: limits.rate === null ? null : limits.rate * share,
})
