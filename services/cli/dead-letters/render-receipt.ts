// What a requeue did, or would do → a receipt: counts that account for every letter, the run's id, what is left to do. Pure.
import type { Millis } from '../../shared/clock.ts'
import { styled, type Terminal } from '../terminal.ts'
import { placeOf } from './judge-letter.ts'
import type { RequeuePlan } from './plan-requeue.ts'
import { printable } from './printable.ts'
import { group, renderMoment } from './tally-letters.ts'

export type Refusals = ReadonlyMap<string, { count: number; readonly examples: string[] }>

export type Receipt = {
  readonly run: string
  /** Unix milliseconds. */
  readonly at: Millis
  readonly dryRun: boolean
  readonly forced: boolean
  /** Letters that fit the filters. */
  readonly found: number
  readonly plan: RequeuePlan
  readonly refused: Refusals
  readonly appended: number
  /** Planned, and taken from the topic before their turn came. */
  readonly gone: number
  /** Records that lie there twice, as read back at the end. */
  readonly copies: number
}

/** Named in a receipt; the others are counted. */
const EXAMPLES = 5
const MOST_SUPERSEDED_NAMED = 10

export function addRefusal(
  refused: Map<string, { count: number; examples: string[] }>,
  why: string,
  letter: string,
): void {
  const known = refused.get(why) ?? { count: 0, examples: [] }
  refused.set(why, known)
  known.count++
  if (known.examples.length < EXAMPLES) known.examples.push(letter)
}

/** Letters that the run would still append. */
const leftOf = ({ plan, appended, gone }: Receipt): number => plan.append.length - appended - gone

export function renderReceipt(receipt: Receipt, terminal: Terminal): string {
  const { plan, refused, dryRun } = receipt
  const left = leftOf(receipt)
  const counts: readonly (readonly [count: number, text: string])[] = [
    dryRun ? [plan.append.length, 'would be put back'] : [receipt.appended, 'put back'],
    [plan.alreadyThere.length, 'put back by this run before'],
    [plan.superseded.length, 'superseded: a newer version of the case exists (--force puts them back all the same)'],
    [plan.before.length, 'put back by another run before, and not dead again since (--again repeats it)'],
    [plan.copies, 'older letters of a delivery that died again: its newest one counts'],
    ...[...refused].map(
      ([why, { count, examples }]) =>
        [count, `refused: ${why} (${examples.join(', ')}${count > examples.length ? ', …' : ''})`] as const,
    ),
    [receipt.gone, 'no longer in the topic when their turn came'],
    ...(dryRun ? [] : [[left, 'not put back yet'] as const]),
  ]
  const shown = counts.filter(([count], index) => index === 0 || count > 0)
  const widest = Math.max(...shown.map(([count]) => group(count).length))
  const lines = shown.map(([count, text]) => `${group(count).padStart(widest)}  ${printable(text)}`)
  const named = plan.superseded
    .slice(0, MOST_SUPERSEDED_NAMED)
    .map(
      ({ candidate, by }) =>
        `  ${placeOf(candidate)}  ${printable(candidate.repeater.id)}  case ${printable(candidate.case)}  superseded by offset ${by}`,
    )
  const more = plan.superseded.length - named.length
  return [
    `${group(receipt.found)} dead ${receipt.found === 1 ? 'letter fits' : 'letters fit'}; run ${receipt.run}`,
    ...lines,
    ...(named.length > 0 ? ['', ...named, ...(more > 0 ? [`  … and ${group(more)} more`] : [])] : []),
    ...(receipt.copies > 0
      ? [
          '',
          `${group(receipt.copies)} records lie there twice: an acknowledgement was lost. Their idempotency key is the same.`,
        ]
      : []),
    '',
    styled(terminal, 'bold', whatNext(receipt)),
    '',
  ].join('\n')
}

function whatNext(receipt: Receipt): string {
  const { plan, run, dryRun } = receipt
  if (dryRun)
    return plan.append.length === 0 ? 'Nothing to do.' : 'A dry run: nothing was written. The same with --yes does it.'
  if (leftOf(receipt) === 0) return 'Done.'
  return `Not done: the same again with --run ${run} goes on where this ended, and puts nothing back twice.`
}

export const receiptJson = (receipt: Receipt): Readonly<Record<string, unknown>> => ({
  run: receipt.run,
  at: renderMoment(receipt.at),
  dryRun: receipt.dryRun,
  forced: receipt.forced,
  complete: !receipt.dryRun && leftOf(receipt) === 0,
  found: receipt.found,
  planned: receipt.plan.append.length,
  appended: receipt.appended,
  left: leftOf(receipt),
  alreadyThere: receipt.plan.alreadyThere.length,
  superseded: receipt.plan.superseded.map(({ candidate, by }) => ({
    letter: placeOf(candidate),
    repeater: candidate.repeater.id,
    case: candidate.case,
    offset: candidate.source.offset,
    by,
  })),
  putBackBefore: receipt.plan.before.map(({ candidate, run }) => ({ letter: placeOf(candidate), run })),
  olderLetters: receipt.plan.copies,
  refused: [...receipt.refused].map(([why, { count, examples }]) => ({ why, count, examples })),
  gone: receipt.gone,
  copies: receipt.copies,
})
