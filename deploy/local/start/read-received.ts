// What a request says of the delivery it belongs to, read from nothing but the contract's own headers and body. Pure.
// Enter: a request as the receiver got it. Leave: whose it is and which attempt; undefined for a request of another origin.
import type { ReceivedRequest } from './receiver.ts'

export type ReceivedDelivery = {
  /** `<project>/<id>`. */
  readonly repeater: string
  /** The same for every attempt. */
  readonly idempotencyKey: string
  /** Counts from 1. */
  readonly attempt: number
  readonly version: number
  /** null where the body holds none: a form. */
  readonly caseId: string | null
}

/** `"<project>/<repeater>:<topic>:<partition>:<offset>"`, its quotes included. */
const KEY = /^"([^":]+\/[^":]+):[^":]+:\d+:\d+"$/
const WHOLE = /^\d+$/
/** As a case block and a case in JSON write it. */
const CASE_ID = /^(?:<case case_id="([^"]*)"|\{"case_id": ?"([^"]*)")/
/** The id stands at the beginning of both. */
const BEGINNING = 400

export function readReceived({ headers, body }: ReceivedRequest): ReceivedDelivery | undefined {
  const idempotencyKey = headers.get('idempotency-key') ?? ''
  const attempt = headers.get('onward-attempt') ?? ''
  const version = headers.get('onward-version') ?? ''
  const repeater = KEY.exec(idempotencyKey)?.[1]
  if (repeater === undefined || !WHOLE.test(attempt) || !WHOLE.test(version)) return undefined
  const found = CASE_ID.exec(body.toString('utf8', 0, BEGINNING))
  return {
    repeater,
    idempotencyKey,
    attempt: Number(attempt),
    version: Number(version),
    caseId: found?.[1] ?? found?.[2] ?? null,
  }
}
