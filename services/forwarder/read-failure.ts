// An error of the socket or the HTTP client → outcome. Pure. What matters: did the remote see the request?
import { TLS_FAILURE } from '../shared/tls-failure.ts'
import type { Outcome } from './outcome.ts'

/** No connection was made, so the remote saw nothing: trouble of the connection, not of the delivery. */
const UNREACHABLE = new Set([
  'ENOTFOUND',
  'EAI_AGAIN',
  'EAI_FAIL',
  'EAI_NODATA',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'EADDRNOTAVAIL',
  'EPROTO',
])
/** What a remote says of our certificate, or of the lack of one: the request behind it was not taken. */
export const CERTIFICATE_REFUSED =
  /ALERT_(CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE|UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_(UNKNOWN|EXPIRED|REVOKED)|UNSUPPORTED_CERTIFICATE|ACCESS_DENIED)$/
/** Node's own words for a socket that ended in the midst of the handshake. It has no code of their own. */
const BEFORE_TLS = /before secure TLS connection was established/

export function readFailure(error: Error): Outcome {
  const code = codeOf(error)
  const text = describe(error, code)
  if (code === 'ADDRESS_NOT_ALLOWED') return { kind: 'address-not-allowed', error: error.message }
  if (code === 'TLS_MATERIAL') return { kind: 'unsendable', error: error.message }
  if (code === 'ANSWER_ENDLESS') return { kind: 'broken', error: error.message }
  if (code === 'PROXY_REFUSED') return { kind: 'unreachable', error: error.message }
  if (UNREACHABLE.has(code) || TLS_FAILURE.test(code)) return { kind: 'unreachable', error: withAdvice(text, code) }
  if (BEFORE_TLS.test(text))
    return {
      kind: 'unreachable',
      error:
        'it ended the TLS handshake: it may not take our client certificate, or the lack of one: check tls: cert and key',
    }
  // The client checks what it is given before it sends: nothing reached the remote. Its words name the header, never the value.
  if (code === 'UND_ERR_INVALID_ARG')
    return { kind: 'unsendable', error: `the request cannot be sent: ${error.message}` }
  return { kind: 'broken', error: text }
}

/** What whoever reads the log can do; where the code says it all, nothing. */
const ADVICE: readonly (readonly [RegExp, string])[] = [
  [
    /^(DEPTH_ZERO_)?SELF_SIGNED_|^UNABLE_TO_/,
    "if it is an authority of your own, put its certificate into the connection's tls: ca",
  ],
  [/^CERT_HAS_EXPIRED/, 'the remote API must renew it'],
  [
    /^ERR_TLS_CERT_ALTNAME_INVALID|^HOSTNAME_MISMATCH/,
    "if that is the right host, write its name as the connection's tls: serverName",
  ],
  [/ALERT_(CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE)$/, 'it may ask for a client certificate: tls: cert and key'],
  [
    /ALERT_(UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_(UNKNOWN|EXPIRED|REVOKED)|UNSUPPORTED_CERTIFICATE|ACCESS_DENIED)$/,
    'it does not take our client certificate: check tls: cert and key',
  ],
  [/ALERT_PROTOCOL_VERSION$|UNSUPPORTED_PROTOCOL$/, 'it speaks another version of TLS: check tls: minVersion'],
  [
    /WRONG_VERSION_NUMBER$|PACKET_LENGTH_TOO_LONG$|^EPROTO$/,
    'it may not speak TLS at this port: check whether url begins with http or https',
  ],
  [/^ENOTFOUND$/, 'check the host of url'],
]

const withAdvice = (text: string, code: string): string => {
  const [, advice] = ADVICE.find(([codes]) => codes.test(code)) ?? []
  return advice === undefined ? text : `${text}: ${advice}`
}

const codeOf = (error: Error): string => {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' ? code : ''
}

/** OpenSSL's message holds a thread, a source file and a line; its reason says what was wrong. */
const reasonOf = (error: Error): string | undefined => {
  const { reason, library } = error as { reason?: unknown; library?: unknown }
  return typeof reason === 'string' && typeof library === 'string' ? reason : undefined
}

/** Several addresses tried in turn end in an AggregateError without a message of its own: the first one's says most. */
const describe = (error: Error, code: string): string => {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : undefined
  const message = reasonOf(error) ?? (error.message === '' && first instanceof Error ? first.message : error.message)
  return code !== '' && !message.includes(code) ? `${code}: ${message}` : message
}
