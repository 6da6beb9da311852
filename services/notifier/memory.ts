// What the active notifier remembers, and what of it changed since it was written down last. Pure.
// Enter: statements of `onward.notices`, records of the forwarders, the passing of time. Leave: notices in the boxes of those who
// are to be told, and the statements to write. Every notice for an address ends in exactly one way, and each is counted.
import type { Millis } from '../shared/clock.ts'
import type { Connection } from '../shared/forwarding/connection.ts'
import type { ConnectionId, ProjectId } from '../shared/ids.ts'
import type { SendOutcome } from '../shared/mail/send-outcome.ts'
import type { FailureRecord } from '../shared/notices/failure-record.ts'
import {
  emptyBox,
  type Box,
  type ConnectionBook,
  type Notice,
  type PlannedMail,
  type Stop,
  type StopScope,
} from '../shared/notices/notice.ts'
import { stopKey, type NoticeStatement } from '../shared/notices/notice-record.ts'
import { addNotice, decideMail, dueSince, isCapped, settleMail, type MailRules } from './decide-mail.ts'
import { newBook, nextDue, noteFailure, passTime, withoutFuture, type NoticeRules } from './decide-notices.ts'

/** How a notice for an address ended without being told by itself. */
export const SUPPRESSIONS = ['digested', 'capped', 'opted-out', 'refused', 'overflow'] as const
export type Suppression = (typeof SUPPRESSIONS)[number]

export type Ledger = {
  readonly made: (notice: Notice) => void
  readonly suppressed: (why: Suppression, count: number) => void
}

export type Recipients = {
  readonly connection: (id: ConnectionId) => Connection | undefined
  readonly ofProject: (project: ProjectId) => readonly Connection[]
}

export type Rules = NoticeRules & MailRules

export class Memory {
  readonly #rules: Rules
  readonly #recipients: Recipients
  readonly #ledger: Ledger
  readonly #books = new Map<ConnectionId, ConnectionBook>()
  readonly #boxes = new Map<string, Box>()
  readonly #stops = new Map<string, Stop>()
  #changed = new Map<string, NoticeStatement>()

  constructor(rules: Rules, recipients: Recipients, ledger: Ledger) {
    this.#rules = rules
    this.#recipients = recipients
    this.#ledger = ledger
  }

  /** A statement that lies in the topic already. */
  restore(statement: NoticeStatement): void {
    switch (statement.kind) {
      case 'book':
        this.#books.set(statement.book.connection, statement.book)
        return
      case 'box':
        this.#boxes.set(statement.box.address, statement.box)
        // A stop may have been restored before the box that it takes something out of.
        for (const stop of [...this.#stops.values()]) if (stop.address === statement.box.address) this.#stop(stop)
        return
      case 'stop':
        this.#stop(statement.stop)
        return
      case 'resume':
        this.#stops.delete(stopKey(statement.scope, statement.address))
    }
  }

  /** @param now a record from a clock that runs ahead counts as of now */
  note(record: FailureRecord, now: Millis): void {
    const at = Math.min(record.at, now)
    const known = withoutFuture(this.#books.get(record.connection) ?? newBook(record), now)
    // What was due before it happened is decided before, also when a backlog is read; what is due with it is told with its counts.
    const passed = passTime(known, at - 1, this.#rules)
    this.#keep(known, passed)
    this.#keep(passed.book, noteFailure(passed.book, { ...record, at }))
  }

  passTime(now: Millis): void {
    for (const book of this.#books.values()) this.#keep(book, passTime(book, now, this.#rules))
  }

  /** Mails to be sent now. Write down what changed before sending them. @param busy addresses with a mail on its way */
  plan(now: Millis, busy: ReadonlySet<string>): readonly { readonly box: Box; readonly mail: PlannedMail }[] {
    const planned: { box: Box; mail: PlannedMail }[] = []
    for (const known of this.#boxes.values()) {
      if (busy.has(known.address)) continue
      const box = this.#withoutStoppedMail(known)
      const decided = decideMail(box, now, this.#rules)
      if (decided.kind !== 'send') continue
      if (decided.box !== box) this.#put(decided.box)
      planned.push({ box: decided.box, mail: decided.mail })
    }
    return planned
  }

  /** @returns the notices that the mail told */
  settle(address: string, mail: PlannedMail, outcome: SendOutcome, now: Millis): readonly Notice[] {
    const box = this.#boxes.get(address)
    if (box?.mail?.messageId !== mail.messageId) return []
    const settled = settleMail(box, mail, outcome, now)
    this.#put(settled)
    const before = box.pending.length + mail.notices.length
    if (outcome.kind === 'not-sent') {
      const counted = settled.surplus - box.surplus - mail.surplus
      this.#ledger.suppressed('overflow', counted)
      this.#ledger.suppressed('digested', before - settled.pending.length - counted)
    }
    if (outcome.kind === 'refused') {
      this.#ledger.suppressed('refused', before)
      this.#refuse(address, outcome.error, mail, now)
    }
    return outcome.kind === 'accepted' ? mail.notices : []
  }

  /** When there is something to do again, if nothing comes before; null when never. */
  nextAt(now: Millis, busy: ReadonlySet<string>): Millis | null {
    let next: Millis | null = null
    const consider = (at: Millis | null) => {
      if (at !== null && (next === null || at < next)) next = at
    }
    for (const book of this.#books.values()) consider(nextDue(book, this.#rules))
    for (const box of this.#boxes.values()) {
      if (busy.has(box.address)) continue
      const decided = decideMail(box, now, this.#rules)
      if (decided.kind === 'wait') consider(decided.until)
      if (decided.kind === 'send') consider(now)
    }
    return next
  }

  /** What must be written down; the caller writes all of it, in this order, or ends. */
  takeChanged(): readonly NoticeStatement[] {
    const changed = [...this.#changed.values()]
    this.#changed = new Map()
    return changed
  }

  /** Notices that wait, those of mails on their way too. */
  get pending(): number {
    let count = 0
    for (const { pending, mail } of this.#boxes.values()) count += pending.length + (mail?.notices.length ?? 0)
    return count
  }

  /** How late what should have been told longest is. */
  overdue(now: Millis): Millis {
    let late = 0
    for (const box of this.#boxes.values()) late = Math.max(late, now - (dueSince(box, now, this.#rules) ?? now))
    return late
  }

  #keep(
    before: ConnectionBook,
    { book, notices }: { readonly book: ConnectionBook; readonly notices: readonly Notice[] },
  ): void {
    if (book === before && notices.length === 0) return
    this.#books.set(book.connection, book)
    const connection = this.#recipients.connection(book.connection)
    for (const notice of notices) for (const address of connection?.notify ?? []) this.#address(address, notice)
    // Behind the boxes: a crash in between then decides again, and the boxes know what they hold.
    this.#change(`connection/${book.connection}`, { kind: 'book', book })
  }

  #address(address: string, notice: Notice): void {
    const stop = this.#stopOf(address, notice)
    if (stop) {
      this.#ledger.made(notice)
      return this.#ledger.suppressed(stop.by === 'refused' ? 'refused' : 'opted-out', 1)
    }
    const box = this.#boxes.get(address) ?? emptyBox(address)
    const added = addNotice(box, notice)
    if (added.became === 'known') return
    this.#ledger.made(notice)
    if (added.became === 'counted') this.#ledger.suppressed('overflow', 1)
    if (added.became === 'merged') {
      this.#ledger.suppressed(isCapped(box, notice.at, this.#rules) ? 'capped' : 'digested', 1)
    }
    this.#put(added.box)
  }

  /** A mail that hangs is not sent again to somebody who has stopped all that it tells. */
  #withoutStoppedMail(box: Box): Box {
    const { mail, address } = box
    if (!mail?.notices.every((notice) => this.#stopOf(address, notice) !== undefined)) return box
    this.#ledger.suppressed('opted-out', mail.notices.length)
    const dropped: Box = { ...box, mail: null, tries: 0, retryAt: 0 }
    this.#put(dropped)
    return dropped
  }

  #stopOf(address: string, { connection, project }: Notice): Stop | undefined {
    const scopes: readonly StopScope[] = [
      { kind: 'all' },
      { kind: 'project', project },
      { kind: 'connection', connection },
    ]
    for (const scope of scopes) {
      const stop = this.#stops.get(stopKey(scope, address))
      if (stop) return stop
    }
    return undefined
  }

  /** Also takes out what waits: whoever asked for none must not get one more. */
  #stop(stop: Stop): void {
    this.#stops.set(stopKey(stop.scope, stop.address), stop)
    const box = this.#boxes.get(stop.address)
    if (!box) return
    const pending = box.pending.filter((notice) => this.#stopOf(stop.address, notice) === undefined)
    if (pending.length === box.pending.length) return
    this.#ledger.suppressed(stop.by === 'refused' ? 'refused' : 'opted-out', box.pending.length - pending.length)
    this.#put({ ...box, pending, surplus: pending.length === 0 ? 0 : box.surplus })
  }

  /** The address gets no mail any more, and those who share its projects hear of it. */
  #refuse(address: string, why: string, mail: PlannedMail, now: Millis): void {
    const stop: Stop = { address, scope: { kind: 'all' }, at: now, by: 'refused', why }
    this.#stop(stop)
    this.#change(stopKey(stop.scope, address), { kind: 'stop', stop })
    const told = new Set<string>([address])
    for (const notice of mail.notices) {
      for (const connection of this.#recipients.ofProject(notice.project)) {
        for (const other of connection.notify) {
          if (told.has(other) || notice.facts.refusal !== null) continue
          told.add(other)
          this.#address(other, refusalNotice(notice, address, why, mail, now))
        }
      }
    }
  }

  #put(box: Box): void {
    this.#boxes.set(box.address, box)
    this.#change(`address/${box.address}`, { kind: 'box', box })
  }

  #change(key: string, statement: NoticeStatement): void {
    // A later change of the same is behind what changed meanwhile.
    this.#changed.delete(key)
    this.#changed.set(key, statement)
  }
}

const refusalNotice = (notice: Notice, address: string, text: string, mail: PlannedMail, now: Millis): Notice => ({
  incident: `refused-${mail.messageId.slice(1, 40)}`,
  sequence: 1,
  kinds: ['address-refused'],
  connection: notice.connection,
  project: notice.project,
  at: now,
  facts: {
    failed: 0,
    affected: 0,
    delivered: 0,
    since: now,
    until: null,
    deadLetters: 0,
    waiting: 0,
    flaps: 0,
    nextTryAt: null,
    nextDigestAt: null,
    reason: null,
    last: null,
    samples: [],
    letters: [],
    refusal: { address, text },
  },
})
