// What a notice's evidence means, in plain words: what happened, and who can mend it. Pure. Enter: facts. Leave: sentences.
// Never: a remote's own words; they stand below, as words.
import { DEAD_LETTER_REASONS, type DeadLetterReason } from '../dead-letter-reason.ts'
import type { NoticeFacts } from '../notices/notice.ts'

export type Explanation = {
  /** A sentence; null when nothing is known. */
  readonly happened: string | null
  /** What somebody has to do; null when it may pass by itself. */
  readonly remedy: string | null
}

type Evidence = Pick<NoticeFacts, 'last' | 'reason' | 'letters'>

/** Once the cause is mended requests go on by themselves; that much stands in what happens next. */
const REMEDIES = {
  credentials:
    'Put right what "auth" of the connection says, or the secret that it refers to, and apply the file again.',
  address:
    'If it is meant, list its network in ONWARD_ALLOW_ADDRESSES of the forwarders; else correct "url" of the connection.',
  settings: 'Set what is named below where the forwarders run, or correct the connection and apply the file again.',
  rights: 'Ask those who run the remote API which rights this account lacks.',
  url: 'Check "url" of the connection with those who run the remote API.',
} as const

export function explainTrouble(facts: Evidence): Explanation {
  const { last, reason, letters } = facts
  if (reason === 'address-not-allowed' || last?.outcome === 'address-not-allowed') {
    return { happened: 'Its URL leads to an address that Onward may not connect to.', remedy: REMEDIES.address }
  }
  if (last?.status != null) return explainStatus(last.status)
  switch (last?.outcome) {
    case 'unsendable':
      return {
        happened: 'Its requests cannot be made: something they need is missing here.',
        remedy: REMEDIES.settings,
      }
    case 'unreachable':
      return { happened: 'No connection to it can be made: it got none of these requests.', remedy: null }
    case 'broken':
      return { happened: 'It gave no whole answer: a request may have reached it all the same.', remedy: null }
    default:
      return { happened: letters.length > 0 ? 'Deliveries to it were given up.' : null, remedy: null }
  }
}

function explainStatus(status: number): Explanation {
  const says = (what: string): string => `The remote API ${what} (${status}).`
  if (status === 401 || status === 407)
    return { happened: says('does not accept our credentials'), remedy: REMEDIES.credentials }
  if (status === 403) return { happened: says('says that we may not do this'), remedy: REMEDIES.rights }
  if (status === 404 || status === 410)
    return { happened: says('says that there is nothing at this URL'), remedy: REMEDIES.url }
  if (status === 429) return { happened: says('asks for fewer requests'), remedy: null }
  if (status >= 500) return { happened: says('has trouble of its own'), remedy: null }
  if (status >= 300 && status < 400)
    return { happened: says('answers with a redirect, which is never followed'), remedy: REMEDIES.url }
  if (status < 300) return { happened: says('answers as if all were well, and says that it failed'), remedy: null }
  return { happened: says('refuses what it gets'), remedy: null }
}

const GIVEN_UP: Readonly<Record<DeadLetterReason, string>> = {
  rejected: 'refused for good',
  exhausted: 'tried as often and as long as its connection says',
  redirected: 'answered with a redirect, which is never followed',
  unreadable: 'cannot be read',
  payload: 'cannot be put into the format that its repeater asks for',
  cancelled: 'its repeater was removed',
}

/** @param reason as a record says it: another hand may have written it */
export function explainLetter(reason: string): string {
  const known = DEAD_LETTER_REASONS.find((each) => each === reason)
  return known === undefined ? 'given up' : GIVEN_UP[known]
}
