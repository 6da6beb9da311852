// One letter, whole → text, or an object. Pure. Enter: the letter, its change as far as it can be read.
// Leave: what died and why, every header, the value readable, and the line that puts this one back.
import type { Millis } from '../../shared/clock.ts'
import { styled, type Terminal } from '../terminal.ts'
import { describeValue } from './describe-value.ts'
import { encodeBytes } from './export-letter.ts'
import type { LetterChange } from './letter-case.ts'
import { headerText, renderPlace, sourceOf, type Letter } from './letter.ts'
import { printable } from './printable.ts'
import { didHold } from './read-held.ts'
import { renderMoment } from './tally-letters.ts'

const MEANINGS: Readonly<Record<string, string>> = {
  rejected: 'the remote refused it for good',
  exhausted: 'the schedule ended, or maxAge',
  redirected: 'the remote answered with a redirect, which is never followed',
  unreadable: 'the record cannot be read',
  payload: 'the change can be read, and its payload cannot be rendered',
  cancelled: 'its repeater was removed from the configuration while it waited',
}

/**
 * @param note why the value could not be read as a change, in words; null when it could
 * @param since Unix milliseconds since which it holds its case; undefined when it does not
 */
export function renderLetter(
  letter: Letter,
  change: LetterChange,
  note: string | null,
  since: Millis | undefined,
  terminal: Terminal,
): string {
  const { record } = letter
  const source = sourceOf(letter)
  const value = describeValue(record.value, change)
  const caseId = change.kind === 'schema-needed' ? keyText(record.key) : change.case
  const meaning = letter.reason === null ? undefined : MEANINGS[letter.reason]
  const facts: readonly (readonly [name: string, text: string | null])[] = [
    ['written', renderMoment(letter.writtenAt)],
    ['reason', letter.reason && `${letter.reason}${meaning === undefined ? '' : `: ${meaning}`}`],
    ['the remote said', headerText(record, 'onward-error')],
    ['last status', letter.status],
    ['repeater', letter.repeater],
    ['connection', letter.connection],
    ['project', letter.project],
    ['case', caseId],
    ...(didHold(letter) ? [['held', since === undefined ? 'no more' : heldText(since)] as const] : []),
    ['key', keyText(record.key)],
    [
      'source record',
      source &&
        `${source.topic}, partition ${source.partition}, offset ${source.offset}, of ${renderMoment(source.timestamp)}`,
    ],
    ['attempts', headerText(record, 'onward-attempts')],
    ['first failed', headerText(record, 'onward-first-failed-at')],
    ['last failed', headerText(record, 'onward-last-failed-at')],
    ...otherHeaders(letter),
  ]
  const widest = Math.max(...facts.map(([name]) => name.length))
  const lines = facts.map(
    ([name, text]) => `${styled(terminal, 'dim', name.padEnd(widest))}  ${printable(text ?? '-')}`,
  )
  const title = (text: string) => styled(terminal, 'bold', text)
  const size = record.value === null ? 'no value' : `${record.value.length} bytes`
  return [
    title(`Dead letter ${renderPlace(letter)}`),
    ...lines,
    '',
    title(`Value: ${value.form === 'none' ? 'none' : `${size}, ${FORMS[value.form]}`}`),
    ...(note === null ? [] : [styled(terminal, 'yellow', printable(note))]),
    ...(value.text === '' ? [] : [value.text]),
    ...(value.xml === null ? [] : ['', title('XML:'), value.xml]),
    '',
    ...(since === undefined
      ? []
      : ['To let the later changes of its case go on without it:', `  ${cancelLine(letter)}`, '']),
    letter.repeater === null
      ? 'It has no repeater, so it cannot be put back.'
      : since === undefined
        ? 'To put just this one back:'
        : 'To send it after all, and the later ones after it:',
    ...(letter.repeater === null ? [] : [`  ${requeueLine(letter)}`]),
    '',
  ].join('\n')
}

const heldText = (since: Millis): string => `since ${renderMoment(since)}: later changes of the case wait`

const FORMS = { json: 'JSON', avro: 'Avro, shown as JSON', text: 'text', bytes: 'hexadecimal' } as const

const requeueLine = (letter: Letter): string => `onward dead-letters requeue --letter ${renderPlace(letter)} --yes`

const cancelLine = (letter: Letter): string => `onward dead-letters cancel --letter ${renderPlace(letter)} --yes`

export const letterJson = (
  letter: Letter,
  change: LetterChange,
  note: string | null,
  since: Millis | undefined,
): unknown => {
  const { form, text, xml } = describeValue(letter.record.value, change)
  const document: unknown = form === 'json' || form === 'avro' ? JSON.parse(text) : text
  return {
    letter: renderPlace(letter),
    writtenAt: renderMoment(letter.writtenAt),
    case: change.kind === 'schema-needed' ? keyText(letter.record.key) : change.case,
    key: encodeBytes(letter.record.key),
    headers: Object.fromEntries(
      Object.keys(letter.record.headers).map((name) => [name, headerText(letter.record, name)]),
    ),
    form,
    value: form === 'none' ? null : document,
    ...(xml === null ? {} : { xml }),
    ...(note === null ? {} : { note }),
    heldSince: since === undefined ? null : renderMoment(since),
    requeue: letter.repeater === null ? null : requeueLine(letter),
    ...(since === undefined ? {} : { cancel: cancelLine(letter) }),
  }
}

const keyText = (key: Buffer | null): string | null => key?.toString('utf8') ?? null

const SHOWN = [
  'reason',
  'error',
  'status',
  'repeater',
  'connection',
  'project',
  'source-topic',
  'source-partition',
  'source-offset',
  'source-base',
  'source-timestamp',
  'attempts',
  'first-failed-at',
  'last-failed-at',
  'held',
].map((name) => `onward-${name}`)

const otherHeaders = ({ record }: Letter): readonly (readonly [string, string | null])[] =>
  Object.keys(record.headers)
    .filter((name) => !SHOWN.includes(name))
    .map((name) => [printable(name), headerText(record, name)])
