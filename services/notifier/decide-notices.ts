// When somebody is told of a connection. Pure. Enter: what is remembered of it, and a record of a forwarder or the passing of
// time. Leave: what to remember, and the notices that are due. The states are in services/shared/notices/notice.ts.
// A record's own time is the time here, so that a backlog that is read late tells of then, and not of now.
import { createHash } from 'node:crypto'
import type { Millis } from '../shared/clock.ts'
import { SAMPLES_LIMIT, type FailureRecord } from '../shared/notices/failure-record.ts'
import type { ConnectionBook, Incident, Notice, NoticeFacts, NoticeKind } from '../shared/notices/notice.ts'
import { addFigures, figuresOf, NO_FIGURES, rememberMember, waitingOf } from './member-books.ts'

const MINUTE: Millis = 60_000
const HOUR: Millis = 60 * MINUTE
const DAY: Millis = 24 * HOUR

/** After the first mail, while it lasts; then each day. */
const DIGEST_STEPS: readonly Millis[] = [15 * MINUTE, HOUR, 6 * HOUR, DAY]
/** Trouble that comes back sooner than this after it was over is the same incident. */
const FLAP_WINDOW: Millis = 30 * MINUTE
export type NoticeRules = {
  /** How long a recovery must last before it is told. */
  readonly quiet: Millis
}

export type Decided = { readonly book: ConnectionBook; readonly notices: readonly Notice[] }

export const newBook = ({ connection, project }: Pick<ConnectionBook, 'connection' | 'project'>): ConnectionBook => ({
  connection,
  project,
  members: {},
  wellAt: 0,
  incident: null,
})

/** A clock that was put back has not seen a recovery yet: nothing of a time to come makes a failure no news. */
export const withoutFuture = (book: ConnectionBook, now: Millis): ConnectionBook =>
  book.wellAt <= now ? book : { ...book, wellAt: now - 1 }

/** @returns the same book when the record was read before */
export function noteFailure(book: ConnectionBook, record: FailureRecord): Decided {
  const key = `${record.member}@${record.run}`
  const known = book.members[key]
  if (known && record.sequence <= known.sequence) return { book, notices: [] }
  const before = forgetClosed(book, record.at)
  const newLetters = Math.max(0, record.deadLettered - (known?.deadLettered ?? 0))
  const isTrouble = record.state === 'failing' || record.state === 'open'
  const isNews = isTrouble && (record.lastFailedAt ?? record.at) > before.wellAt
  const begins = before.incident === null && (isNews || newLetters > 0)
  const members = rememberMember(before.members, key, record, begins)
  const kinds: NoticeKind[] = []

  let { incident } = before
  // A streak that is over will not be told again: what it counted is kept.
  if (incident && known?.streak && known.streak.since !== record.since) {
    incident = { ...incident, past: addFigures(incident.past, known.streak) }
  }
  if (isNews) incident = noteTrouble(incident, record, kinds)
  if (newLetters > 0) incident = noteLetters(incident, record, newLetters, kinds)
  if (record.kind === 'recovering' || record.kind === 'recovered') incident = noteSuccess(incident, record, members)
  if (incident) incident = { ...incident, ...evidence(incident, record) }
  const wellAt = record.kind === 'recovered' ? Math.max(before.wellAt, record.at) : before.wellAt
  return tell({ ...before, members, wellAt, incident }, kinds, record.at)
}

/** Digests that are due, recoveries that lasted, incidents that are over. */
export function passTime(book: ConnectionBook, now: Millis, { quiet }: NoticeRules): Decided {
  const { incident } = forgetClosed(book, now)
  if (incident === null || incident.closedAt !== null)
    return { book: incident === book.incident ? book : { ...book, incident }, notices: [] }
  if (incident.recoveredAt !== null) {
    if (incident.recoveredAt + quiet > now) return { book, notices: [] }
    const closed: Incident = { ...incident, closedAt: now }
    // Whoever heard last that it was over, and nothing since, need not hear it again.
    return tell({ ...book, incident: closed }, incident.toldSinceReopened ? ['recovered'] : [], now)
  }
  if (incident.digestAt > now) return { book, notices: [] }
  const digestAt = nextDigest(incident.digestsFrom, now)
  const next: Incident = { ...incident, digestAt }
  if (incident.state !== 'dead-letters') return tell({ ...book, incident: next }, ['digest'], now)
  if (incident.deadLetters > incident.deadLettersTold) return tell({ ...book, incident: next }, ['digest'], now)
  const isOver = now - incident.lastLetterAt >= DAY
  return { book: { ...book, incident: isOver ? { ...next, closedAt: now } : next }, notices: [] }
}

/** When `passTime` has something to do next; null when nothing waits. */
export function nextDue({ incident }: ConnectionBook, { quiet }: NoticeRules): Millis | null {
  if (incident === null) return null
  if (incident.closedAt !== null) return incident.closedAt + FLAP_WINDOW
  return incident.recoveredAt === null ? incident.digestAt : incident.recoveredAt + quiet
}

// ── what a record means for the incident ──────────────────────────────────────────────────────────────────────────────

function noteTrouble(incident: Incident | null, record: FailureRecord, kinds: NoticeKind[]): Incident {
  const now = record.at
  const state = record.state === 'open' ? 'open' : 'failing'
  if (incident === null) {
    kinds.push(state)
    return openIncident(record, state, now)
  }
  if (incident.closedAt !== null) return { ...reopen(incident, now), state }
  if (incident.state === 'dead-letters') {
    kinds.push(state)
    return { ...incident, state, since: record.since ?? record.at, digestsFrom: now, digestAt: nextDigest(now, now) }
  }
  if (state === 'open' && !incident.told.includes('open')) kinds.push('open')
  // What it came back from may have had another reason than what it comes back to.
  if (incident.recoveredAt !== null)
    return { ...incident, state, flaps: incident.flaps + 1, recoveredAt: null, reason: null }
  return { ...incident, state }
}

function noteLetters(incident: Incident | null, record: FailureRecord, count: number, kinds: NoticeKind[]): Incident {
  const now = record.at
  const open =
    incident === null
      ? openIncident(record, 'dead-letters', now)
      : incident.closedAt === null
        ? incident
        : { ...reopen(incident, now), state: 'dead-letters' as const }
  if (!open.told.includes('dead-letters')) kinds.push('dead-letters')
  return { ...open, deadLetters: open.deadLetters + count, lastLetterAt: record.at }
}

/** A success of one member says that the remote is well, as long as no other fails later. */
function noteSuccess(
  incident: Incident | null,
  record: FailureRecord,
  members: ConnectionBook['members'],
): Incident | null {
  if (incident === null || incident.closedAt !== null || incident.state === 'dead-letters') return incident
  const lasts = Object.values(members).some(({ lastFailedAt }) => (lastFailedAt ?? 0) > record.at)
  const isOver = record.kind === 'recovered' && !lasts
  return {
    ...incident,
    state: 'recovering',
    recoveredAt: isOver ? (incident.recoveredAt ?? record.at) : incident.recoveredAt,
  }
}

const openIncident = (record: FailureRecord, state: Incident['state'], now: Millis): Incident => ({
  id: incidentId(record),
  sequence: 0,
  state,
  since: (state === 'dead-letters' ? null : record.since) ?? record.at,
  told: [],
  toldSinceReopened: false,
  digestsFrom: now,
  digestAt: nextDigest(now, now),
  recoveredAt: null,
  closedAt: null,
  flaps: 0,
  past: NO_FIGURES,
  deadLetters: 0,
  deadLettersTold: 0,
  lastLetterAt: record.at,
  nextTryAt: null,
  reason: null,
  last: null,
  samples: [],
  letters: [],
})

/** It comes back: nobody is told at once, and the next digest is as far off as after the first mail. */
const reopen = (incident: Incident, now: Millis): Incident => ({
  ...incident,
  closedAt: null,
  recoveredAt: null,
  reason: null,
  toldSinceReopened: false,
  flaps: incident.flaps + 1,
  digestsFrom: now,
  digestAt: nextDigest(now, now),
})

/** The same for whoever reads the record again: it names the mails. */
const incidentId = ({ connection, member, run, sequence }: FailureRecord): string =>
  createHash('sha256').update(`${connection} ${member} ${run} ${sequence}`).digest('hex').slice(0, 16)

/** What the record shows of the trouble: kept when it shows none, for the recovery tells of it. */
const evidence = (incident: Incident, record: FailureRecord) => ({
  ...(record.state !== 'well' ? { nextTryAt: record.nextTryAt, reason: record.reason ?? incident.reason } : {}),
  ...(record.last && record.last.at > (incident.last?.at ?? 0) && record.last.at >= incident.since
    ? { last: record.last }
    : {}),
  samples: few(incident.samples, record.samples),
  letters: record.letters.length > 0 ? few(record.letters, incident.letters) : incident.letters,
})

/** The first ones win: who looks one up twice finds the same. */
function few<Item extends { readonly what: string; readonly id: string }>(
  first: readonly Item[],
  then: readonly Item[],
): Item[] {
  const found = new Map<string, Item>()
  for (const item of [...first, ...then]) {
    const key = `${item.what} ${item.id}`
    if (!found.has(key) && found.size < SAMPLES_LIMIT) found.set(key, item)
  }
  return [...found.values()]
}

// ── notices ───────────────────────────────────────────────────────────────────────────────────────────────────────────

function tell(book: ConnectionBook, kinds: readonly NoticeKind[], now: Millis): Decided {
  const { incident } = book
  if (incident === null || kinds.length === 0) return { book, notices: [] }
  const told: Incident = {
    ...incident,
    sequence: incident.sequence + 1,
    told: [...new Set([...incident.told, ...kinds, ...(kinds.includes('open') ? (['failing'] as const) : [])])],
    toldSinceReopened: incident.closedAt === null,
    deadLettersTold: incident.deadLetters,
  }
  const { connection, project } = book
  const facts = factsOf(book, told)
  return {
    book: { ...book, incident: told },
    notices: [{ incident: told.id, sequence: told.sequence, kinds, connection, project, at: now, facts }],
  }
}

function factsOf({ members }: ConnectionBook, incident: Incident): NoticeFacts {
  return {
    ...figuresOf(members, incident.past),
    since: incident.since,
    until: incident.closedAt === null ? null : incident.recoveredAt,
    deadLetters: incident.deadLetters,
    waiting: waitingOf(members),
    flaps: incident.flaps,
    nextTryAt: incident.closedAt === null ? incident.nextTryAt : null,
    nextDigestAt: incident.closedAt === null ? incident.digestAt : null,
    reason: incident.reason,
    last: incident.last,
    samples: incident.samples,
    letters: incident.letters,
    refusal: null,
  }
}

/** The first step that lies ahead: whoever was away for hours sends one digest, not all that were missed. */
function nextDigest(from: Millis, now: Millis): Millis {
  for (const step of DIGEST_STEPS) if (from + step > now) return from + step
  return from + DAY * (Math.floor((now - from) / DAY) + 1)
}

function forgetClosed(book: ConnectionBook, now: Millis): ConnectionBook {
  const closedAt = book.incident?.closedAt ?? null
  return closedAt !== null && now - closedAt >= FLAP_WINDOW ? { ...book, incident: null } : book
}
