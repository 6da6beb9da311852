// Forwarders' failure books and the notifier's memory in virtual time, with a mail server that does as it is told. Everything that
// passes between them passes as bytes, as it would through the topics. Enter: failures, successes, time. Leave: mails.
import { FailureBook } from '../../services/forwarder/failure-book.ts'
import { dayOf } from '../../services/notifier/decide-mail.ts'
import { Memory, type Rules, type Suppression } from '../../services/notifier/memory.ts'
import type { Connection } from '../../services/shared/forwarding/connection.ts'
import { connectionId } from '../../services/shared/ids.ts'
import { composeMail } from '../../services/shared/mail/compose-mail.ts'
import type { SendOutcome } from '../../services/shared/mail/send-outcome.ts'
import { readMailTemplates } from '../../services/shared/mail/read-templates.ts'
import { readFailureRecord, renderFailureRecord, sampleOf } from '../../services/shared/notices/failure-record.ts'
import type { Notice, PlannedMail } from '../../services/shared/notices/notice.ts'
import {
  readNoticeRecord,
  renderNoticeRecord,
  type NoticeStatement,
} from '../../services/shared/notices/notice-record.ts'
import { aConnection, demo } from './changes.ts'

const START = Date.UTC(2026, 0, 2, 3, 4, 5)
export const MINUTE = 60_000
export const HOUR = 60 * MINUTE

export type SentMail = {
  readonly at: number
  readonly to: string
  readonly messageId: string
  readonly notices: readonly Notice[]
  readonly subject: string
  readonly text: string
}

const RULES: Rules = { quiet: 2 * MINUTE, gather: 10_000, cap: 50, domain: 'onward.example' }
const templates = readMailTemplates(null)

export const remote = (name: string, ...notify: readonly string[]): Connection =>
  aConnection({
    id: connectionId(demo, name),
    name: `Remote ${name}`,
    url: `https://${name}.example/api?token=hunter2`,
    notify,
  })

/** How a delivery fails. */
type Failing = {
  readonly member?: string
  readonly text?: string
  readonly status?: number | null
  readonly id?: string
  readonly wait?: number
  readonly delivery?: object
}

type Options = {
  readonly rules?: Partial<Rules>
  /** How the mail server answers. */
  readonly smtp?: (mail: PlannedMail, to: string, at: number) => SendOutcome
}

export function noticeWorld(
  connections: readonly Connection[],
  { rules = {}, smtp = () => ({ kind: 'accepted' }) }: Options = {},
) {
  const byId = new Map(connections.map((connection) => [connection.id, connection]))
  const books = new Map<string, FailureBook>()
  const waiting = new Map<string, number>()
  const sent: SentMail[] = []
  const counts = { made: 0, told: 0, suppressed: new Map<Suppression, number>() }
  /** What lies in `onward.notices`. */
  const topic = new Map<string, { key: string; value: string | null }>()
  let now = START
  let records = 0
  let recordedAt = 0
  const allRules = { ...RULES, ...rules }
  const open = () =>
    new Memory(
      allRules,
      {
        connection: (id) => byId.get(id),
        ofProject: (project) => connections.filter((connection) => connection.project === project),
      },
      {
        made: () => {
          counts.made++
        },
        suppressed: (why, count) => void counts.suppressed.set(why, (counts.suppressed.get(why) ?? 0) + count),
      },
    )
  let memory = open()

  const bookOf = (member: string): FailureBook => {
    let book = books.get(member)
    if (!book) books.set(member, (book = new FailureBook(member, now, 35_000)))
    return book
  }
  let largest = 0
  const write = (statements: readonly NoticeStatement[]) => {
    for (const statement of statements) {
      const record = renderNoticeRecord(statement)
      largest = Math.max(largest, Buffer.byteLength(record.value ?? ''))
      topic.set(record.key, record)
    }
  }
  const send = () => {
    const planned = memory.plan(now, new Set())
    write(memory.takeChanged())
    for (const { box, mail } of planned) {
      const outcome = smtp(mail, box.address, now)
      if (outcome.kind === 'accepted') {
        const composed = composeMail(
          {
            address: box.address,
            notices: mail.notices,
            surplus: mail.surplus,
            cap: mail.lastOfDay ? allRules.cap : null,
            now,
            connection: (id) => byId.get(id) ?? null,
            stopLink: () => null,
          },
          templates,
        )
        const { subject, text } = composed
        sent.push({ at: now - START, to: box.address, messageId: mail.messageId, notices: mail.notices, subject, text })
      }
      counts.told += memory.settle(box.address, mail, outcome, now).length
    }
    write(memory.takeChanged())
  }
  const tick = () => {
    for (const book of books.values()) {
      for (const record of book.take(now, () => waiting)) {
        records++
        recordedAt = now
        const read = readFailureRecord(Buffer.from(renderFailureRecord(record).value))
        if (read.kind !== 'read') throw new Error(JSON.stringify(read))
        memory.note(read.record, now)
        // Read once more, as after a crash before the commit.
        memory.note(read.record, now)
      }
    }
    memory.passTime(now)
    send()
  }

  return {
    sent,
    counts,
    get records() {
      return records
    },
    /** Bytes of the largest value of `onward.notices` so far. */
    get largest() {
      return largest
    },
    /** When the newest record was made. */
    get recordedAt() {
      return recordedAt
    },
    get pending() {
      return memory.pending
    },
    get overdue() {
      return memory.overdue(now)
    },
    get elapsed() {
      return now - START
    },
    get day() {
      return dayOf(now)
    },
    statements: (...statements: readonly NoticeStatement[]): void => {
      for (const statement of statements) memory.restore(statement)
      write(statements)
    },
    /** Another member takes over, from what is written down. */
    takeOver: (): void => {
      memory = open()
      for (const { key, value } of topic.values()) {
        const read = readNoticeRecord({ key: Buffer.from(key), value: value === null ? null : Buffer.from(value) })
        if (read.kind === 'unreadable' || read.kind === 'newer') throw new Error(JSON.stringify(read))
        if (read.kind !== 'gone') memory.restore(read)
      }
    },
    waits: (connection: Connection, count: number): void => void waiting.set(connection.id, count),
    fail: (
      connection: Connection,
      {
        member = 'host:1',
        text = '503: the database is restarting',
        status = 503,
        id = 'case-1',
        wait = 1_000,
        delivery = {},
      }: Failing = {},
    ): void =>
      bookOf(member).failed({
        connection: connection.id,
        project: connection.project,
        words: { outcome: status === null ? 'unreachable' : 'answered', status, text, at: now },
        wait,
        sample: () => sampleOf('case', id, 'demo/all'),
        delivery,
        firstFailedAt: null,
      }),
    succeed: (connection: Connection, member = 'host:1'): void =>
      bookOf(member).succeeded(connection.id, connection.project),
    letter: (connection: Connection, id: string, member = 'host:1'): void =>
      bookOf(member).deadLettered(connection.id, connection.project, {
        ...sampleOf('case', id, 'demo/all'),
        reason: 'rejected',
        text: '422: height is not a number',
      }),
    breaker: (connection: Connection, to: 'open' | 'recovering' | 'recovered', reason: string | null = null): void =>
      bookOf('host:1').breaker(connection.id, connection.project, to, now, { reason }),
    /** Every clock is put back. */
    putBack: (by: number): void => void (now -= by),
    /** @param meanwhile called each step @param step milliseconds */
    pass: (by: number, meanwhile: () => void = () => undefined, step = 1_000): void => {
      for (const until = now + by; now < until;) {
        now = Math.min(until, now + step)
        meanwhile()
        tick()
      }
    },
    /** `minutes:kinds` of every mail, in order. */
    story: (): readonly string[] =>
      sent.map(
        ({ at, notices }) => `${Math.floor(at / MINUTE)}m ${notices.map(({ kinds }) => kinds.join('+')).join(', ')}`,
      ),
  }
}
