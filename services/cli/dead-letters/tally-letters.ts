// How many letters there are, by what. Pure. Enter: letters one by one. Leave: counts, and tables of them.
import type { Millis } from '../../shared/clock.ts'
import { styled, type Terminal } from '../terminal.ts'
import { columnsOf, cut } from './fit-table.ts'
import type { Letter } from './letter.ts'
import { printable } from './printable.ts'
import { deliveryHeldBy, type Held } from './read-held.ts'

/** What letters are counted by; `day` is of UTC. */
export const ASPECTS = ['repeater', 'connection', 'reason', 'day'] as const
export type Aspect = (typeof ASPECTS)[number]

export class LetterTally {
  total = 0
  oldestAt: Millis | null = null
  newestAt: Millis | null = null
  /** Deliveries (see `deliveryOf`) whose letters held their cases when they were written. */
  readonly didHold = new Set<string>()
  /** Cases that are held now by one of the letters. */
  held = 0
  readonly #counts: Readonly<Record<Aspect, Map<string, number>>> = {
    repeater: new Map(),
    connection: new Map(),
    reason: new Map(),
    day: new Map(),
  }
  /** Letters come in the order of time, so the day is mostly the one before: writing it costs more than all the rest. */
  #day = { begins: 0, text: '' }

  add(letter: Letter): void {
    const { writtenAt } = letter
    this.total++
    this.oldestAt = Math.min(this.oldestAt ?? Infinity, writtenAt)
    this.newestAt = Math.max(this.newestAt ?? -Infinity, writtenAt)
    const delivery = deliveryHeldBy(letter)
    if (delivery !== undefined) this.didHold.add(delivery)
    this.#count('repeater', letter.repeater ?? NONE)
    this.#count('connection', letter.connection ?? NONE)
    this.#count('reason', letter.reason ?? NONE)
    this.#count('day', this.#dayOf(writtenAt))
  }

  countHeld(held: Held): void {
    for (const delivery of this.didHold) if (held.has(delivery)) this.held++
  }

  /** Most first; days in their order. */
  counts(aspect: Aspect): readonly (readonly [value: string, count: number])[] {
    const entries = [...this.#counts[aspect]]
    const byName = (one: string, other: string) => (one < other ? -1 : 1)
    return entries.sort(([one, few], [other, many]) => (aspect === 'day' ? 0 : many - few) || byName(one, other))
  }

  #count(aspect: Aspect, value: string): void {
    const counts = this.#counts[aspect]
    counts.set(value, (counts.get(value) ?? 0) + 1)
  }

  #dayOf(at: Millis): string {
    const begins = Math.floor(at / DAY)
    if (this.#day.begins !== begins) this.#day = { begins, text: renderDay(begins) }
    return this.#day.text
  }
}

const DAY: Millis = 86_400_000
const NONE = 'none'

/** Whoever wrote the record chose its timestamp: it may be no date at all. */
function renderDay(days: number): string {
  const date = new Date(days * DAY)
  return Number.isNaN(date.getTime()) ? NONE : date.toISOString().slice(0, 10)
}

export function renderTally(tally: LetterTally, terminal: Terminal): string {
  if (tally.total === 0) return 'No dead letters.\n'
  const tables = ASPECTS.map((aspect) => {
    const rows = tally.counts(aspect).map(([value, count]) => [group(count), printable(value)] as const)
    const widest = Math.max(...rows.map(([count]) => columnsOf(count)))
    const lines = rows.map(([count, value]) => fitted(`${count.padStart(widest)}  ${value}`, terminal))
    return [styled(terminal, 'bold', `BY ${aspect.toUpperCase()}`), ...lines].join('\n')
  })
  const letters = tally.total === 1 ? '1 dead letter' : `${group(tally.total)} dead letters`
  const written = `written from ${renderMoment(tally.oldestAt)} to ${renderMoment(tally.newestAt)}`
  return `${letters}, ${written}\n${heldLine(tally, terminal)}\n${tables.join('\n\n')}\n`
}

const heldLine = ({ held }: LetterTally, terminal: Terminal): string =>
  held === 0
    ? ''
    : `${styled(terminal, 'yellow', held === 1 ? '1 case is held by its letter' : `${group(held)} cases are held by their letters`)}: their later changes wait for onward dead-letters requeue or cancel\n`

export const tallyJson = (tally: LetterTally): Readonly<Record<string, unknown>> => ({
  total: tally.total,
  oldestAt: tally.oldestAt === null ? null : renderMoment(tally.oldestAt),
  newestAt: tally.newestAt === null ? null : renderMoment(tally.newestAt),
  held: tally.held,
  ...Object.fromEntries(ASPECTS.map((aspect) => [aspect, Object.fromEntries(tally.counts(aspect))])),
})

const fitted = (line: string, terminal: Terminal): string => (terminal.isTTY ? cut(line, terminal.width) : line)

/** ISO 8601, UTC; what is no instant as the number it is. */
export function renderMoment(at: Millis | null): string {
  const date = new Date(at ?? Number.NaN)
  return Number.isNaN(date.getTime()) ? String(at) : date.toISOString()
}

/** 100000 → 100,000, whatever the machine's language. */
export const group = (count: number): string => String(count).replace(/\B(?=(\d{3})+$)/g, ',')
