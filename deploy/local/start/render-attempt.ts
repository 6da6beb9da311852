// What the forwarder tells of an attempt or of trouble → lines for a person. Pure. Enter: an event of its log.
// Leave: one line, and below it the remote's own words when it refused. Empty for what nobody needs to see.
import { fitText } from './fit-text.ts'
import { fieldText, type LogEvent } from './log-event.ts'
import type { Paint } from './screen.ts'

/** Under the status. */
const INDENT = ' '.repeat(12)
/** The client's own complaints while a broker comes up: it goes on by itself. */
const UNTOLD = new Set(['kafka-client-warned'])

export function renderEvent(event: LogEvent, width: number, paint: Paint): readonly string[] {
  if (event.event === 'attempted') return renderAttempt(event, width, paint)
  if (event.event === 'dead-lettered') return renderDeadLetter(event, width, paint)
  const loud = event.level === 'warn' || event.level === 'error'
  if (!loud || UNTOLD.has(event.event)) return []
  const words = [fieldText(event, 'error'), fieldText(event, 'reason')].filter((word) => word !== '').join(': ')
  return [`  ${paint('red', fitText(`${event.event} ${words}`, width - 2))}`]
}

function renderAttempt(event: LogEvent, width: number, paint: Paint): readonly string[] {
  const { fields } = event
  const status = fieldText(event, 'status')
  const accepted = fields['verdict'] === 'delivered'
  const mark = paint(accepted ? 'green' : 'red', status === '' ? '✗ none' : `← ${status} `)
  const told = [
    fieldText(event, 'repeater'),
    fieldText(event, 'case'),
    `version ${fieldText(event, 'version')}`,
    `attempt ${fieldText(event, 'attempt')}`,
    follows(event),
  ].join('  ')
  const line = `  ${timeOf(event)}  ${mark} ${fitText(told, width - 19)}`
  const error = fieldText(event, 'error')
  if (accepted || error === '') return [line]
  return [
    line,
    `${INDENT}${paint('red', fitText(`${whose(event)}${error}`, width - INDENT.length))}`,
    ...renderAdvice(event, width),
  ]
}

function follows({ fields }: LogEvent): string {
  if (fields['verdict'] === 'delivered') return `${String(fields['duration'])} ms`
  return typeof fields['wait'] === 'number' ? `again in ${renderWait(fields['wait'])}` : ''
}

function whose(event: LogEvent): string {
  return fieldText(event, 'status') === '' ? `${fieldText(event, 'connection')}: ` : ''
}

/** The first thing to look at, where there is one. */
function renderAdvice(event: LogEvent, width: number): readonly string[] {
  const status = fieldText(event, 'status')
  const outcome = fieldText(event, 'outcome')
  // Once is enough: the later attempts stand below it.
  if (fieldText(event, 'attempt') !== '1') return []
  const advice =
    outcome === 'unreachable'
      ? "Does the endpoint run, and is the connection's url right?"
      : outcome === 'address-not-allowed'
        ? 'Set ONWARD_ALLOW_ADDRESSES to its network, as in 10.0.0.0/8.'
        : outcome === 'unsendable'
          ? 'A secret or header of the connection cannot be sent.'
          : status === '401' || status === '403'
            ? "Are the connection's credentials right?"
            : ''
  return advice === '' ? [] : [`${INDENT}${fitText(advice, width - INDENT.length)}`]
}

function renderDeadLetter(event: LogEvent, width: number, paint: Paint): readonly string[] {
  const repeater = fieldText(event, 'repeater')
  const what = repeater === '' ? `a record of ${fieldText(event, 'topic')}` : repeater
  const place = `offset ${fieldText(event, 'offset')} of ${fieldText(event, 'topic')}-${fieldText(event, 'partition')}`
  return [
    `${INDENT}${paint('red', fitText(`DEAD LETTER: ${what}, ${fieldText(event, 'reason')}, ${place}`, width - INDENT.length))}`,
    // A rejected one was told with its attempt.
    ...(repeater === '' ? [`${INDENT}${fitText(fieldText(event, 'error'), width - INDENT.length)}`] : []),
  ]
}

/** By the clock of whoever looks. */
const timeOf = ({ at }: LogEvent): string => new Date(at).toTimeString().slice(0, 8)

export function renderWait(millis: number): string {
  const seconds = millis / 1_000
  if (seconds < 60) return `${seconds.toFixed(1)} s`
  return seconds < 3_600 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3_600).toFixed(1)} h`
}
