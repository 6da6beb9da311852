// What an outcome asks of whoever configures the connection, in words. Pure. Enter: the connection, the repeater's method, the
// outcome, and the answer's headers. Leave: one sentence; what is wrong first, then what to change.
import type { Connection } from '../../shared/forwarding/connection.ts'
import type { Outcome } from '../outcome.ts'
import type { ResponseHeaders } from '../read-words.ts'
import { safeText } from '../../shared/safe-text.ts'

export function advise(connection: Connection, outcome: Outcome, headers: ResponseHeaders): string {
  switch (outcome.kind) {
    case 'answered':
      return adviseOnStatus(connection, outcome.status, outcome.excerpt, headers)
    case 'unreachable':
      return `No connection was made: ${ended(outcome.error)}`
    case 'broken':
      return `The connection broke: ${ended(outcome.error)} ${adviseOnBreak(connection)}`
    case 'address-not-allowed':
      return `The address guard refused: ${ended(outcome.error)}`
    case 'unsendable':
      return `Nothing could be sent: ${ended(outcome.error)}`
    case 'aborted':
      return 'Ended before an answer came.'
  }
}

const ended = (sentence: string): string => (/[.?!]$/.test(sentence) ? sentence : `${sentence}.`)

/** With TLS 1.3 a client certificate is refused after the handshake, often without a word. */
const adviseOnBreak = ({ url }: Connection): string =>
  /^https:/i.test(url)
    ? 'If the remote API needs longer, raise limits: timeout. Over TLS it may refuse a client certificate so, or the lack of one: check tls: cert and key.'
    : 'If the remote API needs longer, raise limits: timeout.'

function adviseOnStatus(connection: Connection, status: number, words: string, headers: ResponseHeaders): string {
  const said = words === '' ? '' : ` It says: ${words}`
  if (status < 300) return `The remote API accepted it with ${status}.`
  if (status < 400) {
    const location = headers['location']
    const to = typeof location === 'string' ? ` to ${safeText(location)}` : ''
    return `The remote API redirects${to} (${status}), and redirects are never followed: if that place is right, write it as url.`
  }
  if (status === 401) return `The remote API refuses the credentials (401): ${credentials(connection, words)}.${said}`
  if (status === 403)
    return `The remote API refuses the request (403). It may know who we are and not let us do this: ask for the right. Or it is the credentials: ${credentials(connection, words)}.${said}`
  return `The remote API refuses the request (${status})${ADVICE[status] ?? ''}.${said}`
}

const ADVICE: Readonly<Record<number, string>> = {
  400: ': check format, version and contentType of the repeater',
  404: ': check the path of url',
  405: ': check method of the repeater',
  407: ': the proxy wants credentials; put them into ONWARD_OUTBOUND_PROXY',
  411: ': it, or a proxy before it, is odd: the length was sent',
  413: ': the payload is larger than it takes',
  415: ': check format and contentType of the repeater',
  422: ': it read the payload and finds fault with what is in it',
  429: ': it asks for fewer requests; write limits: rate',
}

/** @param words what the answer says, or what digest-session.ts found in its challenge */
function credentials({ auth }: Connection, words: string): string {
  switch (auth.type) {
    case 'none':
      return 'it asks who we are; write auth:'
    case 'basic':
      return 'check username and password of auth'
    case 'digest':
      return words.startsWith('digest: ') && !words.endsWith('is not accepted')
        ? 'the user name and the password were not even asked for; ask whoever runs it for digest with MD5 or SHA-256, or write another type of auth'
        : 'check username and password of auth'
    case 'bearer':
      return 'check token of auth, and whether it has ended'
    case 'api-key':
      return 'check header and value of auth'
    case 'oauth1':
      return "check consumerKey, consumerSecret, token, tokenSecret and method of auth, and this machine's clock"
    case 'oauth2-client-credentials':
    case 'oauth2-password':
      return 'the token endpoint gave a token and the remote API does not take it; check scope and audience of auth'
  }
}
