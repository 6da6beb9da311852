// Spans of what the hub tells: `receive` for each change read, `deliver` for each attempt, `park` for each copy.
// Enter: the hub's Tell. Leave: the same, which makes spans beside it. Each is a trace of its own that links to the record's: what is
// delivered days later would stretch that one. Never: a URL, a body or an error text in a span; who reads traces need not see them.
import type { Clock, Millis } from '../shared/clock.ts'
import { readSpanContext, SpanKind, SpanStatusCode, type Attributes, type Tracer } from '../shared/traces.ts'
import { versionOf } from '../shared/kafka/version-base.ts'
import type { Delivery } from './delivery.ts'
import type { Outcome } from './outcome.ts'
import type { Tell } from './tell.ts'

/** What a record says of the trace it comes from. */
type Traced = { readonly traceparent: string | null; readonly tracestate: string | null }

type Made = {
  readonly name: string
  readonly kind: SpanKind
  readonly of: Traced
  readonly attributes: Attributes
  /** Unix milliseconds. */
  readonly startedAt: Millis
  readonly endedAt: Millis
  readonly failed?: boolean
}

/** @param tracer null where nobody listens: then what comes back is `tell` itself */
export function traceTell(tell: Tell, tracer: Tracer | null, clock: Clock): Tell {
  if (!tracer) return tell
  const span = ({ name, kind, of, attributes, startedAt, endedAt, failed }: Made) => {
    const context = readSpanContext(of.traceparent, of.tracestate)
    const links = context ? [{ context }] : []
    const made = tracer.startSpan(name, { kind, attributes, links, startTime: startedAt, root: true })
    if (failed) made.setStatus({ code: SpanStatusCode.ERROR })
    made.end(endedAt)
  }
  return {
    ...tell,
    consumed(source, record, result) {
      tell.consumed(source, record, result)
      const now = clock.now()
      span({
        name: `receive ${source.topic}`,
        kind: SpanKind.CONSUMER,
        of: record,
        attributes: { ...placeOf({ ...source, offset: record.offset }), 'onward.result': result },
        startedAt: now,
        endedAt: now,
      })
    },
    attempted(delivery, connection, attempted, verdict, requestId) {
      tell.attempted(delivery, connection, attempted, verdict, requestId)
      const now = clock.now()
      const { outcome, duration } = attempted
      span({
        name: `deliver ${delivery.lane.repeater}`,
        kind: SpanKind.CLIENT,
        of: delivery.record,
        attributes: {
          ...deliveryOf(delivery),
          'onward.connection': connection.id,
          'onward.attempt': delivery.attempts,
          'onward.request_id': requestId,
          'onward.verdict': verdict.kind,
          ...shownBy(outcome),
        },
        startedAt: now - duration,
        endedAt: now,
        failed: verdict.kind !== 'delivered',
      })
    },
    parked(delivery, connection, tier, reason) {
      tell.parked(delivery, connection, tier, reason)
      const now = clock.now()
      span({
        name: `park ${tier}`,
        kind: SpanKind.PRODUCER,
        of: delivery.record,
        attributes: {
          ...deliveryOf(delivery),
          'onward.connection': connection,
          'onward.tier': tier,
          'onward.reason': reason,
        },
        startedAt: now,
        endedAt: now,
      })
    },
  }
}

/** Names of OpenTelemetry's conventions for messaging, where it has one. */
const placeOf = ({ topic, partition, offset }: { topic: string; partition: number; offset: number }): Attributes => ({
  'messaging.system': 'kafka',
  'messaging.destination.name': topic,
  'messaging.destination.partition.id': String(partition),
  'messaging.kafka.offset': offset,
})

const deliveryOf = ({ record, lane }: Delivery): Attributes => ({
  ...placeOf(record),
  'onward.repeater': lane.repeater,
  'onward.version': versionOf(record),
})

const shownBy = (outcome: Outcome): Attributes => {
  if (outcome.kind !== 'answered') return { 'error.type': outcome.kind }
  const { status } = outcome
  return { 'http.response.status_code': status, ...(status < 300 ? {} : { 'error.type': String(status) }) }
}
