// The forwarder's metrics, by the names that dashboards and alerts know. What each delivery counts is counted here and handed
// to prom-client when it is scraped: it hashes the labels of every call, which took 5 % of the time of a delivery.
import type { Counter, Metrics } from '../shared/metrics.ts'
import type { Clock, Millis } from '../shared/clock.ts'
import { DEAD_LETTER_REASONS, type DeadLetterReason } from '../shared/dead-letter-reason.ts'
import type { Directory } from '../shared/forwarding/directory.ts'
import { BREAKER_STATES } from './breaker.ts'
import type { ConnectionDesks } from './connection-desk.ts'
import type { Intake } from './intake.ts'
import type { Ownership } from './ownership.ts'
import type { SourceVersions } from './source-versions.ts'

type BoundHistogram = { observe(value: number): void }

export type ForwarderMetrics = ReturnType<typeof openForwarderMetrics>

const ATTEMPT_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
/** From a healthy path to a lane that waited out a schedule. */
const END_TO_END_SECONDS = [0.01, 0.05, 0.1, 0.5, 1, 5, 30, 120, 600, 3_600, 21_600, 86_400]

/** A record that cannot be read has no repeater yet; a cancelled delivery has none any more. */
const WITHOUT_CONNECTION: readonly DeadLetterReason[] = ['unreadable', 'cancelled']
/** From nothing parked to a million. */
const RESTORE_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120]

/** What gauges read when they are scraped. */
export type Observed = {
  readonly desks: ConnectionDesks
  readonly intake: Intake
  readonly ownership: Ownership
  readonly directory: Directory
  readonly versions: Pick<SourceVersions, 'topics' | 'waiting'>
  readonly clock: Clock
}

export function openForwarderMetrics(metrics: Metrics, heldBytesLimit: number) {
  const attemptSeconds = metrics.histogram(
    'onward_delivery_attempt_duration_seconds',
    'From the request to the end of its answer.',
    ['connection'],
    ATTEMPT_SECONDS,
  )
  const endToEnd = metrics.histogram(
    'onward_delivery_end_to_end_seconds',
    "From the record's timestamp to its 2xx.",
    ['kind'],
    END_TO_END_SECONDS,
  )
  const deadLetters = metrics.counter(
    'onward_dead_letters_total',
    'Deliveries that will not be tried again by themselves.',
    ['connection', 'reason'],
  )
  // A series that begins at 1 has never risen for Prometheus: the first dead letter would be missed.
  for (const reason of WITHOUT_CONNECTION) deadLetters.inc({ connection: 'none', reason }, 0)
  const consumed = new Tally()
  metrics.counter('onward_changes_consumed_total', 'Changes read, each counted once.', ['topic', 'result'], (counter) =>
    consumed.handTo(counter),
  )
  const made = new Tally()
  metrics.counter('onward_deliveries_made_total', 'Deliveries made of changes.', ['repeater'], (counter) =>
    made.handTo(counter),
  )
  const attempts = new Tally()
  metrics.counter(
    'onward_delivery_attempts_total',
    'HTTP attempts by what they showed.',
    ['connection', 'outcome', 'code_class'],
    (counter) => attempts.handTo(counter),
  )
  const settled = new Tally()
  metrics.counter('onward_deliveries_settled_total', 'Deliveries that ended.', ['repeater', 'verdict'], (counter) =>
    settled.handTo(counter),
  )
  const parked = new Tally()
  metrics.counter(
    'onward_deliveries_parked_total',
    'Copies written to the retry topics, by why the delivery could not wait in memory.',
    ['connection', 'tier', 'reason'],
    (counter) => parked.handTo(counter),
  )
  metrics.gauge('onward_held_bytes_limit', 'Bytes that open deliveries may hold.', []).set(heldBytesLimit)
  return {
    consumed,
    made,
    attempts,
    settled,
    keyless: metrics.counter(
      'onward_changes_without_key_total',
      'Changes without a key: ordered within their partition only.',
      ['topic'],
    ),
    attemptDuration: bindHistogram((connection) => attemptSeconds.labels(connection)),
    endToEnd: bindHistogram((kind) => endToEnd.labels(kind)),
    parked,
    deadLetters,
    /** Of a connection that is configured now. */
    expectDeadLetters(connection: string): void {
      for (const reason of DEAD_LETTER_REASONS)
        if (!WITHOUT_CONNECTION.includes(reason)) deadLetters.inc({ connection, reason }, 0)
    },
    restore: timed(
      metrics.histogram(
        'onward_consumer_restore_seconds',
        'From an assignment until it is known what of the partitions is parked, and their sources are read.',
        [],
        RESTORE_SECONDS,
      ),
    ),
    stuck: metrics.gauge(
      'onward_consumer_stuck_partitions',
      'Partitions that have records and stand still, while nothing is known that keeps them.',
      [],
    ),
    rebalances: metrics.counter('onward_consumer_rebalances_total', 'Assignments received.', []),
    observe: (observed: Observed) => observe(metrics, observed),
  }
}

/** The worst of each tier, while one scrape is made. */
const late = new Map<string, number>()

function observe(metrics: Metrics, { desks, intake, ownership, directory, versions, clock }: Observed): void {
  metrics.gauge(
    'onward_source_partitions_waiting',
    'Partitions that a source topic got and nobody reads, until an operator accepts them.',
    ['topic'],
    (gauge) => {
      for (const topic of versions.topics) gauge.set({ topic }, versions.waiting.get(topic) ?? 0)
    },
  )
  metrics.gauge('onward_connection_in_flight', 'Requests on the wire.', ['connection'], (gauge) => {
    gauge.reset()
    for (const desk of desks.all()) gauge.set({ connection: desk.id }, desk.health.inFlight)
  })
  metrics.gauge('onward_connection_slots', 'Requests this process may have on the wire.', ['connection'], (gauge) => {
    gauge.reset()
    for (const desk of desks.all()) gauge.set({ connection: desk.id }, desk.health.slots)
  })
  metrics.gauge(
    'onward_connection_state',
    '1 for the state that its circuit breaker is in, 0 for the others.',
    ['connection', 'state'],
    (gauge) => {
      gauge.reset()
      for (const { id, health } of desks.all()) {
        for (const state of BREAKER_STATES) gauge.set({ connection: id, state }, health.state === state ? 1 : 0)
      }
    },
  )
  metrics.gauge('onward_deliveries_waiting', 'Deliveries made and not settled.', ['connection'], (gauge) => {
    gauge.reset()
    // One that has nothing says so: a series that comes and goes can be neither drawn nor compared.
    for (const { id } of directory.connections()) gauge.set({ connection: id }, 0)
    for (const [connection, count] of ownership.waiting()) gauge.set({ connection }, count)
  })
  metrics.gauge(
    'onward_lanes_blocked',
    'Lanes of which a version is parked: later ones of their cases wait behind it.',
    ['connection'],
    (gauge) => {
      gauge.reset()
      for (const { id } of directory.connections()) gauge.set({ connection: id }, 0)
      for (const [connection, count] of ownership.blockedLanes()) gauge.set({ connection }, count)
    },
  )
  metrics.gauge(
    'onward_lanes_held',
    'Lanes that a dead letter holds until an operator puts it back or cancels that.',
    ['connection'],
    (gauge) => {
      gauge.reset()
      for (const [connection, count] of ownership.heldLanes()) gauge.set({ connection }, count)
    },
  )
  metrics.gauge(
    'onward_retry_overdue_seconds',
    'How late the oldest due record of a retry topic is, over the own partitions.',
    ['tier'],
    (gauge) => {
      gauge.reset()
      for (const { tier, nextDueAt } of ownership.tiers()) {
        const overdue = nextDueAt === null ? 0 : Math.max(0, clock.steady() - nextDueAt) / 1_000
        gauge.set({ tier: tier.name }, Math.max(overdue, late.get(tier.name) ?? 0))
        late.set(tier.name, Math.max(overdue, late.get(tier.name) ?? 0))
      }
      late.clear()
    },
  )
  metrics.gauge('onward_held_bytes', 'Bytes that open deliveries hold.', [], (gauge) => gauge.set(intake.heldBytes))
  metrics.gauge('onward_sources_paused', '1 while the memory bound keeps every source from being read.', [], (gauge) =>
    gauge.set(intake.paused ? 1 : 0),
  )
  metrics.gauge(
    'onward_consumer_committed_offset',
    'Offset below which everything is finished, as it was committed last; own partitions only.',
    ['topic', 'partition'],
    (gauge) => {
      gauge.reset()
      for (const { topic, partition, committed } of ownership.sources()) {
        if (committed !== null) gauge.set({ topic, partition }, committed)
      }
    },
  )
  metrics.gauge(
    'onward_partitions',
    'Partition numbers that the whole group shares: as many as the largest source topic has.',
    [],
    (gauge) => gauge.set(ownership.numbers),
  )
  metrics.gauge('onward_partitions_owned', 'Partition numbers that this process owns.', [], (gauge) =>
    gauge.set(ownership.tasks.size),
  )
  metrics.gauge(
    'onward_consumer_lag_records',
    'Records behind the end of the log, own partitions only.',
    ['topic', 'partition'],
    (gauge) => {
      gauge.reset()
      for (const { topic, partition, highWatermark, position } of ownership.sources()) {
        gauge.set({ topic, partition }, Math.max(0, highWatermark - position))
      }
    },
  )
  metrics.gauge(
    'onward_consumer_lag_seconds',
    'Age of the newest record read, while there is lag.',
    ['topic', 'partition'],
    (gauge) => {
      gauge.reset()
      for (const { topic, partition, highWatermark, position, lastTimestamp } of ownership.sources()) {
        const behind = highWatermark > position && lastTimestamp !== null
        gauge.set({ topic, partition }, behind ? Math.max(0, clock.now() - lastTimestamp) / 1_000 : 0)
      }
    },
  )
  metrics.gauge(
    'onward_config_last_apply_successful',
    '1 while every record of the configuration was accepted.',
    [],
    (gauge) => gauge.set(directory.rejected.size === 0 ? 1 : 0),
  )
}

/**
 * Counts by labels, found one after the other: no text is put together, and nothing hashed, for each count. The sets are few:
 * ids of the configuration, and fixed lists.
 */
class Tally {
  readonly #next = new Map<string, Tally>()
  #uncollected = 0

  /** @param labels values of all the counter's labels, in their order */
  add(...labels: string[]): void {
    this.#of(labels, 0).#uncollected++
  }

  #of(labels: readonly string[], from: number): Tally {
    const label = labels[from]
    if (label === undefined) return this
    let next = this.#next.get(label)
    if (!next) this.#next.set(label, (next = new Tally()))
    return next.#of(labels, from + 1)
  }

  /** What was counted since the last time. */
  handTo(counter: Counter, labels: readonly string[] = []): void {
    if (this.#uncollected > 0) counter.labels(...labels).inc(this.#uncollected)
    this.#uncollected = 0
    for (const [label, next] of this.#next) next.handTo(counter, [...labels, label])
  }
}

/** One at a time. Instants are monotonic milliseconds. */
function timed(seconds: BoundHistogram) {
  let begunAt: Millis | null = null
  return {
    begin(now: Millis): void {
      begunAt = now
    },
    /** Nothing when nothing was begun. */
    end(now: Millis): void {
      if (begunAt !== null) seconds.observe((now - begunAt) / 1_000)
      begunAt = null
    },
  }
}

function bindHistogram(find: (label: string) => BoundHistogram): (label: string) => BoundHistogram {
  const children = new Map<string, BoundHistogram>()
  return (label) => {
    let child = children.get(label)
    if (!child) children.set(label, (child = find(label)))
    return child
  }
}
