// A fetched record → our own copy of it. Pure.
// kafkajs hands out slices of the whole fetch response: keeping one would keep all of it alive for as long as a delivery waits.
import type { FetchedRecord } from '../shared/kafka/group.ts'

export type CopiedRecord = {
  readonly offset: number
  readonly timestamp: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly traceparent: string | null
  readonly tracestate: string | null
}

/** W3C Trace Context: visible ASCII. Anything else is left out, for it could not be sent on. */
const TRACEPARENT = /^[\x21-\x7e]{1,256}$/
const TRACESTATE = /^[\x20-\x7e]{1,512}$/

export function copyRecord(fetched: FetchedRecord): CopiedRecord {
  const { key, value } = fetched
  // In memory of its own, at 1 µs a record: Node's shared slabs of 64 KiB stay as long as anything in them. Changes that waited,
  // 6 MB of them, kept 23 MB of slabs; at worst each would keep a whole one.
  const keyLength = key?.length ?? 0
  const bytes = Buffer.allocUnsafeSlow(keyLength + (value?.length ?? 0))
  key?.copy(bytes)
  value?.copy(bytes, keyLength)
  return {
    offset: Number(fetched.offset),
    timestamp: Number(fetched.timestamp),
    key: key && bytes.subarray(0, keyLength),
    value: value && bytes.subarray(keyLength),
    traceparent: headerText(fetched, 'traceparent', TRACEPARENT),
    tracestate: headerText(fetched, 'tracestate', TRACESTATE),
  }
}

function headerText(fetched: FetchedRecord, name: string, shape: RegExp): string | null {
  const given = fetched.headers?.[name]
  // A header may have no value: Kafka's null, which kafkajs's types do not know.
  const value = (Array.isArray(given) ? given[0] : given) as Buffer | string | null | undefined
  if (value === undefined || value === null) return null
  const text = value.toString()
  return shape.test(text) ? text : null
}
