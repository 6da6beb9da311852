// The nouns of the notifier: what it remembers of a connection, what somebody is to be told, and what waits for an address.
// They lie in `onward.notices`, so everything is plain JSON and bounded, whatever the failures were.
import type { ConnectionId, ProjectId } from '../ids.ts'
import type { Millis } from '../clock.ts'
import type { ConnectionState, Letter, Sample, Words } from './failure-record.ts'

/**
 * Why somebody is told.
 *
 * | kind | when |
 * |---|---|
 * | `failing` | the first failure of a streak that memory alone does not end |
 * | `open` | the breaker opened |
 * | `dead-letters` | the first deliveries that were given up |
 * | `digest` | it lasts: after a quarter of an hour, an hour, six, a day, and each day from then on |
 * | `recovered` | it is over, with the summary |
 * | `address-refused` | another address of the project gets no mail any more |
 */
export const NOTICE_KINDS = ['failing', 'open', 'dead-letters', 'digest', 'recovered', 'address-refused'] as const
export type NoticeKind = (typeof NOTICE_KINDS)[number]

/** The counts of an incident, over all members and streaks. */
export type Figures = { readonly failed: number; readonly affected: number; readonly delivered: number }

export type NoticeFacts = Figures & {
  readonly since: Millis
  /** When it was over; null while it lasts. */
  readonly until: Millis | null
  readonly deadLetters: number
  readonly waiting: number
  readonly flaps: number
  readonly nextTryAt: Millis | null
  /** When the next digest comes, should it last; null when there is none. */
  readonly nextDigestAt: Millis | null
  readonly reason: string | null
  readonly last: Words | null
  readonly samples: readonly Sample[]
  readonly letters: readonly Letter[]
  /** The address that refuses mail, and what its server said; null unless that is the notice. */
  readonly refusal: { readonly address: string; readonly text: string } | null
}

export type Notice = {
  readonly incident: string
  /** Rises within an incident: what was told already is known by it. */
  readonly sequence: number
  /** Oldest first: while it waits, a notice takes in the later ones of its incident. */
  readonly kinds: readonly NoticeKind[]
  readonly connection: ConnectionId
  readonly project: ProjectId
  /** When it was due, in Unix milliseconds. */
  readonly at: Millis
  readonly facts: NoticeFacts
}

/** What one forwarder said last of a connection. */
export type MemberBook = {
  readonly sequence: number
  readonly at: Millis
  readonly state: ConnectionState
  readonly waiting: number
  readonly deadLettered: number
  readonly lastFailedAt: Millis | null
  /** Its newest streak; null when that is of no incident. */
  readonly streak: (Figures & { readonly since: Millis }) | null
}

/**
 * | state | begins with | ends with |
 * |---|---|---|
 * | `failing`, `open` | a member's word | a recovery |
 * | `recovering` | a success, or a recovery whose quiet time runs | quiet: closed; a failure: failing, and a flap |
 * | `dead-letters` | deliveries given up while the connection is well | a day without more: closed; a failure: failing |
 *
 * A closed incident is kept for a while: trouble that comes back is the same incident, and nobody is told anew at once.
 */
export type Incident = {
  readonly id: string
  readonly sequence: number
  readonly state: 'failing' | 'open' | 'recovering' | 'dead-letters'
  readonly since: Millis
  readonly told: readonly NoticeKind[]
  /** False after it came back, until the next mail of it. */
  readonly toldSinceReopened: boolean
  /** What the steps of the digests count from. */
  readonly digestsFrom: Millis
  readonly digestAt: Millis
  /** When the recovery was that its quiet time counts from. */
  readonly recoveredAt: Millis | null
  readonly closedAt: Millis | null
  readonly flaps: number
  /** Of streaks that are over. */
  readonly past: Figures
  readonly deadLetters: number
  readonly deadLettersTold: number
  readonly lastLetterAt: Millis
  readonly nextTryAt: Millis | null
  readonly reason: string | null
  readonly last: Words | null
  readonly samples: readonly Sample[]
  readonly letters: readonly Letter[]
}

export type ConnectionBook = {
  readonly connection: ConnectionId
  readonly project: ProjectId
  /** By `<member>@<run>`. */
  readonly members: Readonly<Record<string, MemberBook>>
  /** The newest recovery: failures before it are no news, whoever tells of them. */
  readonly wellAt: Millis
  readonly incident: Incident | null
}

/** A mail that is on its way. It is written down before it is sent, so that a crash sends the same one again. */
export type PlannedMail = {
  /** With its angle brackets. */
  readonly messageId: string
  readonly notices: readonly Notice[]
  /** Notices beyond those, told as a count. */
  readonly surplus: number
  readonly plannedAt: Millis
  /** The last of this day: the cap is reached. */
  readonly lastOfDay: boolean
  /** Sends it again as it is at this instant; 0 when it was not sent yet. */
  readonly againAt: Millis
}

/** Notices of one mail: nobody reads more of them, and a box is one record of a topic, which takes a megabyte. The rest is counted. */
export const NOTICES_LIMIT = 220

/** What waits for one way out: an e-mail address or a webhook. */
export type Box = {
  readonly address: string
  /** One an incident at most, and `NOTICES_LIMIT` in all. */
  readonly pending: readonly Notice[]
  /** Notices beyond that limit since the last mail. */
  readonly surplus: number
  readonly mail: PlannedMail | null
  /** `2026-11-25`, in UTC, and the mails of that day. */
  readonly day: string
  readonly sent: number
  /** Sends in a row that failed, and when the next may be. */
  readonly tries: number
  readonly retryAt: Millis
  /** By incident: the mail that began it, the newest, and the last notice told. */
  readonly threads: Readonly<Record<string, Thread>>
}

export type Thread = {
  readonly root: string
  readonly newest: string
  readonly sequence: number
  readonly at: Millis
}

/** Which notices an address gets no more. */
export type StopScope =
  | { readonly kind: 'connection'; readonly connection: ConnectionId }
  | { readonly kind: 'project'; readonly project: ProjectId }
  /** Its server refuses it for good, or an operator said so. */
  | { readonly kind: 'all' }

export type Stop = {
  readonly address: string
  readonly scope: StopScope
  readonly at: Millis
  readonly by: 'link' | 'operator' | 'refused'
  /** What the mail server said, when it refused; else empty. */
  readonly why: string
}

export const emptyBox = (address: string): Box => ({
  address,
  pending: [],
  surplus: 0,
  mail: null,
  day: '',
  sent: 0,
  tries: 0,
  retryAt: 0,
  threads: {},
})
