// What goes into a mail, and when. Pure. Enter: what waits for an address, notices, the outcome of a send, `now`. Leave: what
// waits then, and the mail to be sent. Never: two mails of one address on their way at once.
//
// | the box | next |
// |---|---|
// | holds a mail that was not sent, or of which we do not know | that mail, the same, when it is due |
// | holds notices, and the cap of the day is not reached | a mail with those of one kind and cause, once they were gathered |
// | the same, and the oldest is late (an outage, the day before's cap) | a mail with all of them |
// | holds notices, and the cap is reached | waits for the next day |
import { createHash } from 'node:crypto'
import type { Millis } from '../shared/clock.ts'
import { NOTICES_LIMIT, type Box, type Notice, type PlannedMail, type Thread } from '../shared/notices/notice.ts'
import type { SendOutcome } from '../shared/mail/send-outcome.ts'
import { causeOf } from '../shared/notices/cause.ts'
import { wayOf } from '../shared/notices/way.ts'

const MINUTE: Millis = 60_000
const DAY: Millis = 24 * 60 * MINUTE
/** Older than this, a notice has waited for something else than company: one mail tells everything then. */
const LATE: Millis = 2 * MINUTE
/** After the first failed send, the second, …; the last again and again. */
const RETRY_STEPS: readonly Millis[] = [15_000, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE]
/** A thread that had no mail for so long is not gone on with: no client shows it any more. */
const THREAD_KEPT: Millis = 30 * DAY
/** Threads kept for an address. */
const THREADS_LIMIT = 300

export type MailRules = {
  /** How long a notice waits for others of the same cause. */
  readonly gather: Millis
  /** Mails to one address in a day (UTC). */
  readonly cap: number
  /** What stands behind the @ of a Message-ID. */
  readonly domain: string
}

export type MailDecision =
  | { readonly kind: 'none' }
  | { readonly kind: 'wait'; readonly until: Millis }
  /** Write the box down, then send the mail. */
  | { readonly kind: 'send'; readonly box: Box; readonly mail: PlannedMail }

/** Notices of a box that keep their samples; the others keep their counts. Twice as many lie in it while a mail is on its way. */
const FULL_NOTICES = 20

/** @returns the box, and whether the notice went into one that waits already, was told before, or is told as a count */
export function addNotice(
  box: Box,
  notice: Notice,
): { readonly box: Box; readonly became: 'waiting' | 'merged' | 'known' | 'counted' } {
  const told = Math.max(
    box.threads[notice.incident]?.sequence ?? 0,
    ...(box.mail?.notices ?? []).filter(({ incident }) => incident === notice.incident).map(({ sequence }) => sequence),
  )
  const waiting = box.pending.find(({ incident }) => incident === notice.incident)
  if (notice.sequence <= Math.max(told, waiting?.sequence ?? 0)) return { box, became: 'known' }
  if (!waiting) {
    const held = hold(box, [...box.pending, notice])
    return { box: held, became: held.surplus > box.surplus ? 'counted' : 'waiting' }
  }
  const merged = box.pending.map((each) => (each === waiting ? merge(waiting, notice) : each))
  return { box: hold(box, merged), became: 'merged' }
}

/** Keeps a box small enough for a record. */
const hold = (box: Box, notices: readonly Notice[]): Box => ({
  ...box,
  pending: notices.slice(0, NOTICES_LIMIT).map((notice, index) => (index < FULL_NOTICES ? notice : slim(notice))),
  surplus: box.surplus + Math.max(0, notices.length - NOTICES_LIMIT),
})

export function decideMail(box: Box, now: Millis, rules: MailRules): MailDecision {
  if (box.mail !== null) {
    const againAt = withinReach(box.mail.againAt, now)
    return againAt <= now ? { kind: 'send', box, mail: box.mail } : { kind: 'wait', until: againAt }
  }
  const [oldest] = box.pending.toSorted((left, right) => left.at - right.at)
  if (oldest === undefined) return { kind: 'none' }
  const day = dayOf(now)
  const sent = sentOn(box, day)
  const cap = capOf(box, rules)
  const gatheredAt = withinReach(oldest.at + rules.gather, now)
  const until = Math.max(sent >= cap ? startOfDay(now) + DAY : 0, withinReach(box.retryAt, now), gatheredAt)
  if (until > now) return { kind: 'wait', until }
  const lastOfDay = sent + 1 >= cap
  const all = lastOfDay || now - oldest.at >= LATE
  const key = groupOf(oldest)
  const notices = all ? box.pending : box.pending.filter((notice) => groupOf(notice) === key)
  const mail: PlannedMail = {
    messageId: messageIdOf(box.address, notices, rules.domain),
    notices,
    surplus: box.surplus,
    plannedAt: now,
    lastOfDay,
    againAt: 0,
  }
  const pending = box.pending.filter((notice) => !notices.includes(notice))
  return { kind: 'send', box: { ...box, day, sent, pending, surplus: 0, mail }, mail }
}

/** No mail is ever put off for longer: what lies farther ahead was said by a clock that has been put back since. */
const LONGEST_WAIT: Millis = 10 * MINUTE
const withinReach = (at: Millis, now: Millis): Millis => (at - now > LONGEST_WAIT ? now : at)

/**
 * Since when the box holds what should have been told: its mail was planned, or its notices were gathered and the day's cap is not
 * reached. Null when it holds nothing of the kind.
 */
export function dueSince(box: Box, now: Millis, rules: MailRules): Millis | null {
  if (box.mail !== null) return box.mail.plannedAt
  const oldest = Math.min(...box.pending.map(({ at }) => at))
  const capped = isCapped(box, now, rules)
  const due = Math.max(oldest + rules.gather, capped ? startOfDay(now) + DAY : 0)
  return due <= now ? due : null
}

/** @param mail the box's, as it was sent */
export function settleMail(box: Box, mail: PlannedMail, outcome: SendOutcome, now: Millis): Box {
  switch (outcome.kind) {
    case 'accepted': {
      const day = dayOf(now)
      const sent = sentOn(box, day) + 1
      return { ...box, day, sent, mail: null, tries: 0, retryAt: 0, threads: threadsWith(box.threads, mail, now) }
    }
    case 'unknown': {
      const againAt = now + waitAfter(box.tries)
      return { ...box, tries: box.tries + 1, mail: { ...mail, againAt } }
    }
    case 'not-sent': {
      const back = mail.notices.map((notice) => {
        const newer = box.pending.find(({ incident }) => incident === notice.incident)
        return newer ? merge(notice, newer) : notice
      })
      const others = box.pending.filter(({ incident }) => !back.some((notice) => notice.incident === incident))
      const emptied = { ...box, mail: null, surplus: box.surplus + mail.surplus }
      return { ...hold(emptied, [...back, ...others]), tries: box.tries + 1, retryAt: now + waitAfter(box.tries) }
    }
    case 'refused':
      return { ...box, pending: [], surplus: 0, mail: null, tries: 0, retryAt: 0 }
  }
}

/** Headers that put the mail into the conversation of its incidents. */
export function threadOf(
  box: Box,
  mail: PlannedMail,
): { readonly inReplyTo: string | null; readonly references: readonly string[] } {
  const threads = mail.notices.flatMap(({ incident }) => box.threads[incident] ?? [])
  const references = [...new Set(threads.flatMap(({ root, newest }) => [root, newest]))].slice(0, REFERENCES_LIMIT)
  return { inReplyTo: threads[0]?.newest ?? null, references }
}

/** Longer lists are cut by mail clients anyhow. */
const REFERENCES_LIMIT = 20

/** The newest facts, all the reasons, and the age of the older. */
const merge = (older: Notice, newer: Notice): Notice => ({
  ...newer,
  kinds: [...older.kinds.filter((kind) => !newer.kinds.includes(kind)), ...newer.kinds],
  at: older.at,
})

const slim = (notice: Notice): Notice => ({
  ...notice,
  facts: {
    ...notice.facts,
    samples: [],
    letters: [],
    last: notice.facts.last && { ...notice.facts.last, text: notice.facts.last.text.slice(0, SLIM_TEXT) },
  },
})
const SLIM_TEXT = 60

/** Trouble is told together when it has one cause; the rest when it is of one kind. */
const groupOf = (notice: Notice): string => {
  const kind = notice.kinds.at(-1) ?? 'failing'
  return kind === 'failing' || kind === 'open' ? `trouble ${causeOf(notice.facts)}` : kind
}

const messageIdOf = (address: string, notices: readonly Notice[], domain: string): string => {
  const told = notices.map(({ incident, sequence }) => `${incident}.${sequence}`).join(' ')
  const mark = createHash('sha256').update(`${address} ${told}`).digest('hex').slice(0, 24)
  return `<${notices[0]?.incident ?? 'none'}.${notices[0]?.sequence ?? 0}.${mark}@${domain}>`
}

function threadsWith(threads: Box['threads'], mail: PlannedMail, now: Millis): Box['threads'] {
  const next: Record<string, Thread> = { ...threads }
  for (const { incident, sequence } of mail.notices) {
    next[incident] = { root: next[incident]?.root ?? mail.messageId, newest: mail.messageId, sequence, at: now }
  }
  const kept = Object.entries(next)
    .filter(([, { at }]) => now - at < THREAD_KEPT)
    .toSorted(([, left], [, right]) => right.at - left.at)
    .slice(0, THREADS_LIMIT)
  return Object.fromEntries(kept)
}

/** Mails that went to the address on that day. */
const sentOn = (box: Box, day: string): number => (box.day === day ? box.sent : 0)

/** A webhook has no inbox that overflows. */
const capOf = (box: Box, rules: MailRules): number => (wayOf(box.address) === 'mail' ? rules.cap : Infinity)

/** No more mails go to the address on that day. */
export const isCapped = (box: Box, at: Millis, rules: MailRules): boolean => sentOn(box, dayOf(at)) >= capOf(box, rules)

const waitAfter = (tries: number): Millis => RETRY_STEPS[Math.min(tries, RETRY_STEPS.length - 1)] ?? MINUTE

export const dayOf = (at: Millis): string => new Date(at).toISOString().slice(0, 10)
const startOfDay = (at: Millis): Millis => Math.floor(at / DAY) * DAY
