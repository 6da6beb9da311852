// Payload and connection → the request that goes out. Pure: secrets arrive resolved, the request id is handed in.
// MUST: the URL's own path and query stay as written; nothing here may hold a character that HTTP cannot carry.
import type { Connection } from '../shared/forwarding/connection.ts'
import type { Repeater } from '../shared/forwarding/repeater.ts'
import { USER_AGENT } from '../shared/version.ts'
import { versionOf } from '../shared/kafka/version-base.ts'
import { nextAttempt, type SourceRecord } from './delivery.ts'
import { idempotencyKey } from './idempotency-key.ts'
import type { Payload } from './render-payload/render-payload.ts'

export type Request = {
  readonly method: Repeater['method']
  readonly origin: string
  /** Path and query, as written in the connection's URL, with `app_id` added where the payload asks for it. */
  readonly path: string
  /** Name, value, name, value, …: the form the HTTP client takes without another copy. This attempt's own: proofs are put behind them. */
  readonly headers: string[]
  readonly body: Buffer
}

export type HeaderLine = readonly [name: string, value: string]

type Rendered = Extract<Payload, { kind: 'rendered' }>

/** What a request says of its delivery. */
type Requested = {
  readonly record: Pick<SourceRecord, 'topic' | 'partition' | 'base' | 'offset' | 'run' | 'traceparent' | 'tracestate'>
  readonly attempts: number
}

export function renderRequest(
  delivery: Requested,
  repeater: Repeater,
  connection: Connection,
  payload: Rendered,
  requestId: string,
  /** What the connection adds: its authentication and its own extra headers, secrets resolved. */
  connectionHeaders: readonly HeaderLine[],
): Request {
  const { record } = delivery
  const headers = [
    'Content-Type',
    payload.contentType,
    'User-Agent',
    USER_AGENT,
    'X-Request-Id',
    requestId,
    'Idempotency-Key',
    idempotencyKey(repeater.id, record),
    'Onward-Attempt',
    String(nextAttempt(delivery)),
    'Onward-Version',
    String(versionOf(record)),
  ]
  if (record.traceparent !== null) headers.push('traceparent', record.traceparent)
  if (record.tracestate !== null) headers.push('tracestate', record.tracestate)
  for (const [name, value] of payload.headers) headers.push(name, value)
  for (const [name, value] of connectionHeaders) headers.push(name, value)
  const target = targetOf(connection.url)
  return {
    method: repeater.method,
    origin: target.origin,
    path: payload.appId === null ? target.path : withQuery(target.path, 'app_id', payload.appId),
    headers,
    body: payload.body,
  }
}

type Target = { readonly origin: string; readonly path: string }

/** A URL is taken apart once, not for each request: there are as many entries as connections, and old ones are few. */
const targets = new Map<string, Target>()
/** Bounds the memory of a configuration that changes its URLs for months. */
const TARGETS_LIMIT = 20_000

export function targetOf(url: string): Target {
  let target = targets.get(url)
  if (!target) {
    if (targets.size >= TARGETS_LIMIT) targets.clear()
    targets.set(url, (target = readTarget(url)))
  }
  return target
}

function readTarget(url: string): Target {
  const parsed = new URL(url)
  const written = /^[a-z]+:\/\/[^/?#]*([^#]*)/i.exec(url)?.[1] ?? ''
  // As written, byte for byte, unless HTTP cannot carry it: then as the URL standard percent-encodes it.
  const path = /^[\x21-\x7e]*$/.test(written) ? written : parsed.pathname + parsed.search
  return { origin: parsed.origin, path: path.startsWith('/') ? path : `/${path}` }
}

const withQuery = (path: string, name: string, value: string): string =>
  `${path}${path.includes('?') ? (/[?&]$/.test(path) ? '' : '&') : '?'}${name}=${encodeURIComponent(value)}`
