// What the hub tells of its work: metrics, one wide log event an attempt, and the report of deliveries.
// Enter: facts. Leave: numbers and lines. It decides nothing.
import type { Change, SourceKind } from '../shared/change.ts'
import type { Clock } from '../shared/clock.ts'
import type { Connection } from '../shared/forwarding/connection.ts'
import type { RepeaterId } from '../shared/ids.ts'
import type { Log } from '../shared/log.ts'
import type { ParkReason } from '../shared/wire/retry-header.ts'
import { versionOf } from '../shared/kafka/version-base.ts'
import type { Transition } from './breaker.ts'
import type { Verdict } from './decide-next.ts'
import type { CopiedRecord } from './copy-record.ts'
import type { Delivery } from './delivery.ts'
import type { DeadLetter } from './dead-letter.ts'
import type { FailureBook } from './failure-book.ts'
import type { ForwarderMetrics } from './forwarder-metrics.ts'
import type { Attempted } from './outcome.ts'
import type { SourceProgress } from './partition-task.ts'
import type { Report } from './report.ts'
import { failureOf, letterOf } from './failure-of.ts'
import type { Readers } from './reread-change.ts'

export type Tell = {
  readonly consumed: (
    source: Pick<SourceProgress, 'topic' | 'partition'>,
    record: Pick<CopiedRecord, 'offset' | 'traceparent' | 'tracestate'>,
    result: 'matched' | 'unmatched' | 'unreadable' | 'tombstone',
  ) => void
  /** A change without a key: its order holds within its partition only. */
  readonly keyless: (topic: string) => void
  readonly made: (repeater: RepeaterId) => void
  readonly attempted: (
    delivery: Delivery,
    connection: Connection,
    attempted: Attempted,
    verdict: Verdict,
    requestId: string,
  ) => void
  readonly settled: (delivery: Delivery, verdict: 'delivered' | 'superseded' | 'dead-letter') => void
  readonly parked: (delivery: Delivery, connection: string, tier: string, reason: ParkReason) => void
  readonly deadLettered: (letter: DeadLetter) => void
  /** The delivery, a dead letter, holds its lane from now on; or holds it no more. */
  readonly held: (delivery: Delivery) => void
  readonly released: (delivery: Delivery) => void
  /** The connection broke, or is well again. */
  readonly turned: (connection: Connection, transition: Transition) => void
}

export function openTell(
  metrics: ForwarderMetrics,
  report: Report,
  failures: FailureBook,
  readers: Readers,
  log: Log,
  clock: Clock,
): Tell {
  return {
    consumed: ({ topic }, _record, result) => metrics.consumed.add(topic, result),
    keyless: (topic) => metrics.keyless.inc({ topic }),
    made: (repeater) => metrics.made.add(repeater),
    attempted(delivery, connection, { outcome, duration }, verdict, requestId) {
      const status = outcome.kind === 'answered' ? outcome.status : null
      metrics.attempts.add(connection.id, outcome.kind, status === null ? 'none' : classOf(status))
      metrics.attemptDuration(connection.id).observe(duration / 1_000)
      const error = verdict.kind === 'retry' || verdict.kind === 'dead-letter' ? verdict.error : ''
      const delivered = verdict.kind === 'delivered'
      report.add(delivered ? 'delivered' : 'failed', delivery, clock.now(), status, duration, error)
      if (delivered) {
        failures.succeeded(connection.id, connection.project)
        metrics
          .endToEnd(KIND_OF[delivery.record.source])
          .observe(Math.max(0, clock.now() - delivery.record.timestamp) / 1_000)
      } else if (isTrouble(verdict))
        failures.failed(failureOf(delivery, connection, { outcome, verdict, error }, readers, clock.now()))
      // Nothing at error level for an expected outcome; what somebody must see is a dead letter.
      const level = verdict.kind === 'dead-letter' ? 'warn' : 'info'
      if (!log.writes(level)) return
      const { record, lane } = delivery
      log[level]('attempted', {
        repeater: lane.repeater,
        connection: connection.id,
        case: lane.caseId,
        topic: record.topic,
        partition: record.partition,
        offset: record.offset,
        version: versionOf(record),
        attempt: delivery.attempts,
        requestId,
        outcome: outcome.kind,
        status,
        duration: Math.round(duration * 10) / 10,
        verdict: verdict.kind,
        wait: verdict.kind === 'retry' ? verdict.wait : undefined,
        error: error === '' ? undefined : error,
      })
    },
    settled(delivery, verdict) {
      metrics.settled.add(delivery.lane.repeater, verdict)
      // A delivered one was reported with its attempt.
      if (verdict !== 'delivered') report.add(verdict, delivery, clock.now(), null, 0, '')
    },
    parked: (_delivery, connection, tier, reason) => metrics.parked.add(connection, tier, reason),
    deadLettered(letter) {
      const { record, delivery, connection, reason, error, holds } = letter
      if (connection && delivery)
        failures.deadLettered(connection.id, connection.project, letterOf(delivery, reason, error, holds, readers))
      metrics.deadLetters.inc({ connection: connection?.id ?? 'none', reason })
      log.warn('dead-lettered', {
        repeater: delivery?.lane.repeater,
        connection: connection?.id,
        topic: record.topic,
        partition: record.partition,
        offset: record.offset,
        reason,
        error,
        held: holds ? true : undefined,
      })
    },
    held: (delivery) => log.warn('lane-held', placeOf(delivery)),
    released: (delivery) => log.info('lane-released', placeOf(delivery)),
    turned({ id, project }, { kind, reason, failures: count, openFor, probeAt }) {
      const now = clock.now()
      const nextTryAt = probeAt === null ? null : Math.round(now + Math.max(0, probeAt - clock.monotonic()))
      if (kind === 'closed') failures.breaker(id, project, 'recovered', now)
      else if (kind !== 'half-opened') failures.breaker(id, project, 'open', now, { reason, nextTryAt })
      // A probe that failed was told with its attempt.
      if (kind === 'opened') log.warn('connection-broken', { connection: id, reason, failures: count })
      else if (kind === 'closed') log.info('connection-mended', { connection: id, reason, failures: count, openFor })
    },
  }
}

const placeOf = ({ lane, record }: Delivery) => ({
  repeater: lane.repeater,
  case: lane.caseId,
  topic: record.topic,
  partition: record.partition,
  offset: record.offset,
})

const KIND_OF: Readonly<Record<SourceKind, Change['kind']>> = { forms: 'form', cases: 'case', apps: 'app' }

const classOf = (status: number): string => CLASSES[Math.floor(status / 100)] ?? 'none'
/** By the first digit of a status. */
const CLASSES = Array.from({ length: 10 }, (_, digit) => `${digit}xx`)
/** A remote that refuses one delivery for good works; what becomes of that delivery is told with its dead letter. */
const isTrouble = (verdict: Verdict): boolean =>
  verdict.kind === 'retry' || (verdict.kind === 'dead-letter' && verdict.reason === 'exhausted')
