// THE HUB of the notifier: records of failing connections in, mails out. One turn at a time: note what arrived, decide what is due,
// write down what changed, and only then send. Enter: `onward.failures`, outcomes of sends, time. Leave: mails, `onward.notices`.
// Never: a mail that is not written down before it is sent; a mail of a member that may have lost the partition.
//
// | killed | what the next owner does |
// |---|---|
// | before the write | reads the records again, and decides the same |
// | after the write, before the send | sends the mail that is written down |
// | after the send, before it is noted | sends it once more, by the same Message-ID |
import type { Clock, Millis } from '../shared/clock.ts'
import { errorText } from '../shared/error-text.ts'
import type { FetchedRecord, Group, GroupWork } from '../shared/kafka/group.ts'
import type { StartPosition } from '../shared/kafka/start-position.ts'
import type { Log } from '../shared/log.ts'
import { showAddress } from '../shared/notices/way.ts'
import type { SendOutcome } from '../shared/mail/send-outcome.ts'
import { readFailureRecord } from '../shared/notices/failure-record.ts'
import type { Box, PlannedMail } from '../shared/notices/notice.ts'
import { Memory, type Recipients, type Rules } from './memory.ts'
import type { NoticeStore } from './notice-store.ts'
import type { NotifierMetrics } from './notifier-metrics.ts'
import { openTenure, type Tenure } from './tenure.ts'

export type NotifierOptions = {
  readonly clock: Clock
  readonly log: Log
  readonly store: NoticeStore
  readonly recipients: Recipients
  readonly rules: Rules
  readonly metrics: NotifierMetrics
  /** Composes and sends; never throws for what a mail server may do. */
  readonly send: (box: Box, mail: PlannedMail) => Promise<SendOutcome>
  readonly fail: (error: unknown) => void
}

/** Between two looks while the group does not confirm that the partition is ours. */
const ASK_AGAIN_AFTER: Millis = 1_000
/** A partition that is given up waits so long for mails on their way: what is noted is not sent twice. */
const FINISH_WITHIN: Millis = 5_000
/** Between two looks whether they have ended. */
const FINISH_POLL: Millis = 50
/** Records held before the partition is paused. */
const ARRIVED_LIMIT = 5_000

export class Notifier implements GroupWork {
  readonly #options: NotifierOptions
  #group: Group | undefined
  #tenure: Tenure | null = null
  #turning: Promise<void> | null = null
  #woken = false
  #cancelAlarm: () => void = () => undefined

  constructor(options: NotifierOptions) {
    this.#options = options
  }

  use(group: Group): void {
    this.#group = group
    this.#wake()
  }

  /** False: another member is, or what is written down is still being read. */
  get active(): boolean {
    return this.#tenure?.restored === true
  }

  get pending(): number {
    return this.#tenure?.memory.pending ?? 0
  }

  /** How late the oldest notice is that should have been told: the daily cap is no delay. */
  get overdue(): Millis {
    return this.#tenure?.memory.overdue(this.#options.clock.now()) ?? 0
  }

  // ── the partition comes and goes ────────────────────────────────────────────────────────────────────────────────────

  assigned(positions: readonly StartPosition[]): void {
    const [position] = positions
    const { log, rules, recipients, metrics } = this.#options
    // What we have stays ours when the group shares anew.
    if (!position) return this.#tenure ? undefined : log.info('notifier-standing-by')
    const tenure = openTenure(position, new Memory(rules, recipients, metrics.ledger))
    this.#tenure = tenure
    this.#restore(tenure).catch(this.#options.fail)
  }

  async revoked(): Promise<void> {
    const tenure = this.#tenure
    if (!tenure) return
    tenure.ending = true
    const { clock } = this.#options
    const giveUpAt = clock.monotonic() + FINISH_WITHIN
    while (tenure.busy.size > 0 && clock.monotonic() < giveUpAt) await clock.sleep(FINISH_POLL)
    // What ended is noted, as long as the brokers take it.
    if (tenure.restored) await Promise.race([this.#lastTurn(tenure), clock.sleep(FINISH_WITHIN)])
    tenure.over.abort()
    this.#tenure = null
    this.#cancelAlarm()
  }

  positionOf(): number {
    return this.#tenure?.readTo ?? 0
  }

  received(_topic: string, _partition: number, records: readonly FetchedRecord[]): void {
    const tenure = this.#tenure
    if (!tenure) return
    const last = records.at(-1)
    if (last) tenure.readTo = Number(last.offset) + 1
    // Copies: what kafkajs hands over are slices of the whole answer.
    for (const record of records) {
      tenure.arrived.push({ ...record, key: null, value: record.value && Buffer.from(record.value) })
    }
    if (tenure.arrived.length >= ARRIVED_LIMIT && !tenure.paused) {
      tenure.paused = true
      this.#group?.pause(tenure.topic, tenure.partition)
    }
    this.#wake()
  }

  reached(): void {
    // Control records: nothing to note.
  }

  async #restore(tenure: Tenure): Promise<void> {
    const { store, log } = this.#options
    try {
      await store.read((statement, isNew) => {
        // What comes later is our own, except what people stop and resume.
        if (isNew && statement.kind !== 'stop' && statement.kind !== 'resume') return
        tenure.memory.restore(statement)
        if (isNew) this.#wake()
      }, tenure.over.signal)
    } catch (error) {
      if (tenure.over.signal.aborted) return
      throw error
    }
    tenure.restored = true
    log.info('notifier-active', { position: tenure.position, pending: tenure.memory.pending })
    this.#wake()
  }

  // ── turns ───────────────────────────────────────────────────────────────────────────────────────────────────────────

  #wake(): void {
    this.#woken = true
    this.#turning ??= this.#turns()
      .catch(this.#options.fail)
      .finally(() => {
        this.#turning = null
        if (this.#woken) this.#wake()
      })
  }

  async #turns(): Promise<void> {
    while (this.#woken) {
      this.#woken = false
      if (this.#tenure?.restored && !this.#tenure.ending) await this.#turn(this.#tenure)
    }
  }

  async #lastTurn(tenure: Tenure): Promise<void> {
    await this.#turning
    await this.#turn(tenure)
  }

  async #turn(tenure: Tenure): Promise<void> {
    const { clock, store, log } = this.#options
    if (!(await this.#isOurs(tenure))) return
    const { memory, busy } = tenure
    const now = clock.now()
    const position = this.#note(tenure, now)
    for (const { address, mail, outcome } of tenure.finished.splice(0))
      this.#settle(tenure, address, mail, outcome, now)
    memory.passTime(now)
    const planned = tenure.ending ? [] : memory.plan(now, busy)
    const changed = memory.takeChanged()
    if (changed.length > 0) await store.write(changed, tenure.over.signal)
    // Given up meanwhile: what is written down is sent by whoever comes next.
    if (tenure.over.signal.aborted) return
    if (position !== tenure.position) {
      tenure.position = position
      // A commit that fails is made up for by the next: the records are known by their numbers.
      await this.#commit(tenure)
    }
    for (const { box, mail } of tenure.ending ? [] : planned) {
      busy.add(box.address)
      this.#start(tenure, box, mail)
    }
    if (tenure.paused) {
      tenure.paused = false
      this.#group?.resume(tenure.topic, tenure.partition)
    }
    log.debug('notifier-turned', { changed: changed.length, mails: planned.length })
    this.#alarm(memory.nextAt(now, busy), now)
  }

  /** A commit under our generation proves it: a member that was stopped for a while learns here that another has taken over. */
  async #isOurs(tenure: Tenure): Promise<boolean> {
    if (this.#group && (await this.#commit(tenure)) === 'committed' && this.#tenure === tenure) return true
    if (this.#tenure === tenure) this.#alarm(this.#options.clock.now() + ASK_AGAIN_AFTER, this.#options.clock.now())
    return false
  }

  #commit({ topic, partition, position }: Tenure): ReturnType<Group['commit']> {
    return this.#group?.commit([{ topic, partition, offset: position, metadata: '' }]) ?? Promise.resolve('failed')
  }

  /** @returns the offset after the newest record noted */
  #note(tenure: Tenure, now: Millis): number {
    const { log, metrics } = this.#options
    let { position } = tenure
    const { arrived } = tenure
    tenure.arrived = []
    for (const record of arrived) {
      position = Number(record.offset) + 1
      const read = readFailureRecord(record.value)
      metrics.records.inc({ result: read.kind })
      if (read.kind === 'read') tenure.memory.note(read.record, now)
      else
        log.warn('failure-record-passed-over', {
          offset: record.offset,
          reason: read.kind === 'newer' ? `version ${read.version}` : read.why,
        })
    }
    return position
  }

  #start(tenure: Tenure, box: Box, mail: PlannedMail): void {
    const { send, clock, log, fail } = this.#options
    const startedAt = clock.monotonic()
    const finish = (outcome: SendOutcome) => {
      const duration = Math.round(clock.monotonic() - startedAt)
      const fields = {
        to: showAddress(box.address),
        messageId: mail.messageId,
        notices: mail.notices.length,
        outcome: outcome.kind,
        duration,
      }
      if (outcome.kind === 'accepted') log.info('mail-sent', fields)
      else log.warn('mail-failed', { ...fields, error: outcome.error })
      tenure.busy.delete(box.address)
      tenure.finished.push({ address: box.address, mail, outcome })
      if (this.#tenure === tenure) this.#wake()
    }
    // A fault of ours in composing must not make the mail go round for ever in silence.
    send(box, mail).then(finish, (error: unknown) =>
      fail(new Error(`a mail could not be made: ${errorText(error)}`, { cause: error })),
    )
  }

  #settle({ memory }: Tenure, address: string, mail: PlannedMail, outcome: SendOutcome, now: Millis): void {
    const { metrics } = this.#options
    metrics.mails.inc({ outcome: outcome.kind })
    for (const notice of memory.settle(address, mail, outcome, now)) metrics.tell(notice, address)
    if (outcome.kind === 'accepted') metrics.lastSuccess.set(now / 1_000)
  }

  #alarm(at: Millis | null, now: Millis): void {
    this.#cancelAlarm()
    this.#cancelAlarm =
      at === null ? () => undefined : this.#options.clock.after(Math.max(0, at - now), () => this.#wake())
  }

  [Symbol.dispose](): void {
    this.#cancelAlarm()
    this.#tenure?.over.abort()
    this.#tenure = null
  }
}
