// The door to OpenTelemetry's API. The SDK is somebody else's choice: it is preloaded (`node --import …`), or there is none.
// Enter: nothing. Leave: a tracer, or null where nobody listens: then nothing is asked, and a span costs nothing.
import { createTraceState, isSpanContextValid, trace, type SpanContext, type Tracer } from '@opentelemetry/api'
import { VERSION } from './version.ts'

export { SpanKind, SpanStatusCode, type Attributes, type Tracer } from '@opentelemetry/api'

/** Asked once, at the start: an SDK that registers later is not seen. */
export function openTracer(): Tracer | null {
  const tracer = trace.getTracer('onward', VERSION)
  // An SDK gives every span an identity, sampled or not; without one there is none. It is never ended, so nobody gets to see it.
  const probe = tracer.startSpan('is anybody there', { root: true })
  return isSpanContextValid(probe.spanContext()) ? tracer : null
}

/** W3C Trace Context: version, trace, span, flags. Later versions may have more behind it. */
const TRACEPARENT = /^(?!ff)[\da-f]{2}-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(?:-.*)?$/

/** @returns null for a text that says of no span; of a state that is not well-formed nothing is taken */
export function readSpanContext(traceparent: string | null, tracestate: string | null): SpanContext | null {
  const [, traceId = '', spanId = '', flags = ''] = TRACEPARENT.exec(traceparent ?? '') ?? []
  const context: SpanContext = {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags, 16) & 1,
    isRemote: true,
    ...(tracestate === null ? {} : { traceState: createTraceState(tracestate) }),
  }
  return isSpanContextValid(context) ? context : null
}
