// Spans of the hub's work, kept in memory by the SDK that others would preload.
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { trace } from '@opentelemetry/api'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-base'
import { traceTell } from '../../services/forwarder/trace-tell.ts'
import { openTracer, readSpanContext, SpanKind, SpanStatusCode } from '../../services/shared/traces.ts'
import { aConnection, aRecord, caseValue } from '../support/changes.ts'
import { openHub, tellTales } from '../support/hub.ts'
import { manualClock } from '../support/clock.ts'
import { targetServer, type Reply } from '../support/target-server.ts'
import { holdsFor } from '../support/property.ts'
import fc from 'fast-check'
import { aRepeater } from './render-payload/changes.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const SPAN = 'b7ad6b7169203331'
const HEADERS = { traceparent: Buffer.from(`00-${TRACE}-${SPAN}-01`), tracestate: Buffer.from('vendor=1') }

function openSpans() {
  const exporter = new InMemorySpanExporter()
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
  return { provider, tracer: provider.getTracer('test'), spans: () => exporter.getFinishedSpans() }
}

async function openTraced(t: TestContext, replies: readonly Reply[]) {
  const remote = await targetServer(t, { replies })
  const connection = aConnection({ url: remote.url, schedule: [120_000, 120_000] })
  const { tracer, spans } = openSpans()
  const hub = openHub(t, {
    configured: [connection, aRepeater({ supersede: 'never', closedCase: 'full' })],
    listen: (tell, clock) => traceTell(tell, tracer, clock),
  })
  hub.cases.reserved = 1_000
  return { hub, remote, spans }
}

const seen = (spans: readonly ReadableSpan[]) =>
  spans.map(({ name, kind, status, links, parentSpanContext }) => ({
    name,
    kind,
    failed: status.code === SpanStatusCode.ERROR,
    links: links.map(({ context }) => `${context.traceId} ${context.spanId} ${context.traceState?.serialize() ?? ''}`),
    isRoot: parentSpanContext === undefined,
  }))

test('reading, an attempt that fails, and parking are spans of their own that link to the record’s', async (t) => {
  const { hub, spans } = await openTraced(t, [503])
  hub.forwarder.receive(hub.task, hub.cases, aRecord(0, caseValue(), { headers: HEADERS }), false)
  await hub.tells('demo/all@0 503')
  const links = [`${TRACE} ${SPAN} vendor=1`]
  assert.deepEqual(seen(spans()), [
    { name: 'receive cases', kind: SpanKind.CONSUMER, failed: false, links, isRoot: true },
    { name: 'deliver demo/all', kind: SpanKind.CLIENT, failed: true, links, isRoot: true },
    { name: 'park 1m', kind: SpanKind.PRODUCER, failed: false, links, isRoot: true },
  ])
  assert.equal(new Set(spans().map((span) => span.spanContext().traceId)).size, 3)
  const [receive, deliver, park] = spans()
  assert.ok(receive && deliver && park)
  assert.deepEqual(receive.attributes, {
    'messaging.system': 'kafka',
    'messaging.destination.name': 'cases',
    'messaging.destination.partition.id': '0',
    'messaging.kafka.offset': 0,
    'onward.result': 'matched',
  })
  assert.deepEqual(deliver.attributes, {
    'messaging.system': 'kafka',
    'messaging.destination.name': 'cases',
    'messaging.destination.partition.id': '0',
    'messaging.kafka.offset': 0,
    'onward.repeater': 'demo/all',
    'onward.version': 0,
    'onward.connection': 'demo/remote',
    'onward.attempt': 1,
    'onward.request_id': 'request-1',
    'onward.verdict': 'retry',
    'http.response.status_code': 503,
    'error.type': '503',
  })
  assert.deepEqual([park.attributes['onward.tier'], park.attributes['onward.reason']], ['1m', 'retry'])
})

test('an attempt that is accepted is a span without an error; a record without a trace has no link', async (t) => {
  const { hub, spans } = await openTraced(t, [204])
  hub.receive(caseValue())
  await hub.tells('demo/all@0 delivered')
  const deliver = spans().find(({ name }) => name === 'deliver demo/all')
  assert.ok(deliver)
  assert.equal(deliver.status.code, SpanStatusCode.UNSET)
  assert.equal(deliver.attributes['http.response.status_code'], 204)
  assert.equal(deliver.attributes['error.type'], undefined)
  assert.deepEqual(deliver.links, [])
})

test('where nobody listens what tells is left as it is', (t) => {
  const tell = tellTales()
  assert.equal(openTracer(), null)
  assert.equal(traceTell(tell, openTracer(), manualClock(t)), tell)
})

test('an SDK that was registered is seen', (t) => {
  const { provider, spans } = openSpans()
  trace.setGlobalTracerProvider(provider)
  t.after(() => trace.disable())
  openTracer()?.startSpan('one').end()
  assert.equal(spans().length, 1)
})

test('a span context is read as W3C writes it, and nothing else is', () => {
  const read = readSpanContext(`00-${TRACE}-${SPAN}-01`, null)
  assert.deepEqual(read, { traceId: TRACE, spanId: SPAN, traceFlags: 1, isRemote: true })
  assert.ok(readSpanContext(`cc-${TRACE}-${SPAN}-00-more`, null))
  for (const text of [
    null,
    '',
    TRACE,
    `ff-${TRACE}-${SPAN}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE}-${SPAN}-1`,
  ]) {
    assert.equal(readSpanContext(text, null), null, String(text))
  }
})

test('no text in the headers throws', (t) => {
  holdsFor(
    t,
    fc.property(fc.string(), fc.string(), (traceparent, tracestate) => {
      readSpanContext(traceparent, tracestate)
      readSpanContext(`00-${TRACE}-${SPAN}-01`, tracestate)
    }),
  )
})
