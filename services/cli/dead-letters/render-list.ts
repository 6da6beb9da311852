// Letters → a table for a person, or objects for a program. Pure. Enter: letters and the case of each. Leave: rows, lines.
import { versionOf } from '../../shared/kafka/version-base.ts'
import type { Millis } from '../../shared/clock.ts'
import { styled, type Terminal } from '../terminal.ts'
import { fitTable } from './fit-table.ts'
import { deliveryOf } from './judge-letter.ts'
import { headerText, renderPlace, sourceOf, type Letter, type LetterSource } from './letter.ts'
import { printable } from './printable.ts'
import { didHold, type Held } from './read-held.ts'
import { renderMoment } from './tally-letters.ts'

/** Everything of a letter but its value, so that hundreds of thousands can be held. */
export type Row = {
  readonly letter: string
  readonly partition: number
  readonly offset: number
  readonly writtenAt: Millis
  readonly reason: string | null
  readonly status: string | null
  readonly repeater: string | null
  readonly connection: string | null
  readonly project: string | null
  readonly case: string | null
  readonly source: LetterSource | null
  readonly attempts: string | null
  readonly firstFailedAt: string | null
  readonly lastFailedAt: string | null
  readonly error: string | null
  /** It held its case when it was written. */
  readonly didHold: boolean
  /** Unix milliseconds since which it holds it; null when it does not, or no more. */
  readonly heldSince: Millis | null
}

export const rowOf = (letter: Letter, caseId: string | null): Row => ({
  letter: renderPlace(letter),
  partition: letter.partition,
  offset: letter.offset,
  writtenAt: letter.writtenAt,
  reason: letter.reason,
  status: letter.status,
  repeater: letter.repeater,
  connection: letter.connection,
  project: letter.project,
  case: caseId,
  source: sourceOf(letter),
  attempts: headerText(letter.record, 'onward-attempts'),
  firstFailedAt: headerText(letter.record, 'onward-first-failed-at'),
  lastFailedAt: headerText(letter.record, 'onward-last-failed-at'),
  error: headerText(letter.record, 'onward-error'),
  didHold: didHold(letter),
  heldSince: null,
})

export const withHeld = (row: Row, held: Held): Row => ({
  ...row,
  heldSince:
    row.repeater !== null && row.source ? (held.get(deliveryOf(row.repeater, row.source))?.since ?? null) : null,
})

/** Newest first; of one instant, by place. */
export const newestFirst = (one: Row, other: Row): number =>
  other.writtenAt - one.writtenAt || one.partition - other.partition || other.offset - one.offset

/** As a requeue would take them: each source partition by itself, by source offset; what has no source comes last, by place. */
export const sourceOrder = (one: Row, other: Row): number =>
  (one.source?.partition ?? Infinity) - (other.source?.partition ?? Infinity) ||
  compareText(one.source?.topic ?? '', other.source?.topic ?? '') ||
  (one.source ? versionOf(one.source) : 0) - (other.source ? versionOf(other.source) : 0) ||
  one.partition - other.partition ||
  one.offset - other.offset

const compareText = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0)

const TITLES = ['LETTER', 'WRITTEN', 'REASON', 'STATUS', 'REPEATER', 'CASE', 'ERROR']

export function renderList(rows: readonly Row[], terminal: Terminal): string {
  if (rows.length === 0) return 'No dead letters.\n'
  const cells = rows.map((row) =>
    [
      row.letter,
      renderMoment(row.writtenAt).replace(/\.\d+Z$/, 'Z'),
      row.heldSince === null ? row.reason : `${row.reason ?? '-'}, held`,
      row.status,
      row.repeater,
      row.case,
      row.error,
    ].map((cell) => printable(cell ?? '-')),
  )
  const [titles = '', ...lines] = fitTable(TITLES, cells, terminal.isTTY ? terminal.width : null)
  return `${[styled(terminal, 'bold', titles), ...lines].join('\n')}\n`
}

export const rowJson = (row: Row): unknown => ({
  letter: row.letter,
  writtenAt: renderMoment(row.writtenAt),
  reason: row.reason,
  status: row.status,
  repeater: row.repeater,
  connection: row.connection,
  project: row.project,
  case: row.case,
  source: row.source,
  attempts: row.attempts === null ? null : Number(row.attempts),
  firstFailedAt: row.firstFailedAt,
  lastFailedAt: row.lastFailedAt,
  error: row.error,
  heldSince: row.heldSince === null ? null : renderMoment(row.heldSince),
})
