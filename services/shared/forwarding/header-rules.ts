// Which headers a configuration may add. Pure. Enter: names and values. Leave: the name, or what to write instead.
import type { Place, Report } from './located.ts'
import { quoted, text, type Reader } from './read-values.ts'

/** A token of RFC 9110, 5.6.2. */
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
/** Visible ASCII, with spaces and tabs between: what every server reads the same (RFC 9110, 5.5). */
export const HEADER_VALUE = /^[\x21-\x7e]([\x20-\x7e\t]*[\x21-\x7e])?$/

export const headerName: Reader<string> = (node, name, report) => {
  const written = text(node, name, report)
  if (written === undefined || HEADER_NAME.test(written)) return written
  report(node.place, `${quoted(written)} is no header name`, 'write letters, digits and "-": X-Api-Key')
  return undefined
}

const OWNED: Readonly<Record<string, string>> = {
  authorization:
    'write auth: instead; for a scheme of your own: auth: { type: api-key, header: Authorization, value: "Scheme ${env:API_KEY}" }',
  'content-type': "write contentType: in the repeater to replace the payload's own",
  host: 'write the host in url:',
}
/** Set where the connection signs; elsewhere nobody could tell them from a signature. */
const OF_SIGNATURES = ['webhook-id', 'webhook-timestamp', 'webhook-signature']
const REMOVE = 'remove it'
/** Onward's own (docs/contract-receivers.md), and those that describe the message or the hop and would break it. */
const SET_BY_ONWARD = [
  'content-length',
  'user-agent',
  'x-request-id',
  'idempotency-key',
  'onward-attempt',
  'onward-version',
  'traceparent',
  'tracestate',
  'received-on',
  'server-modified-on',
]
const OF_THE_HOP = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authorization',
  'transfer-encoding',
  'content-encoding',
  'te',
  'trailer',
  'upgrade',
  'expect',
]

/** @returns true after telling that the header is not a configuration's to set */
export function adviseAgainst(header: string, place: Place, report: Report): boolean {
  const name = header.toLowerCase()
  const signed = OF_SIGNATURES.includes(name) ? 'write signing: in its place' : undefined
  const owned = Object.hasOwn(OWNED, name) ? OWNED[name] : signed
  if (owned === undefined && !SET_BY_ONWARD.includes(name) && !OF_THE_HOP.includes(name)) return false
  const why = OF_THE_HOP.includes(name) ? 'belongs to HTTP itself' : 'is set by Onward'
  report(place, `the header ${header} ${why}`, owned ?? REMOVE)
  return true
}
