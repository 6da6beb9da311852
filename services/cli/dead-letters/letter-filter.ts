// Which letters are meant. Pure. Enter: the options that all verbs share. Leave: a filter, and whether a letter fits it.
// Values of one option are alternatives; options narrow each other. Never: a word that no letter can have, without a complaint.
import type { Millis } from '../../shared/clock.ts'
import { DEAD_LETTER_REASONS } from '../../shared/dead-letter-reason.ts'
import { didYouMean } from '../../shared/nearest.ts'
import { UsageError } from '../arguments.ts'
import { readPlace, renderPlace, type Letter, type Place } from './letter.ts'
import { readMoment } from './read-moment.ts'

export type LetterFilter = {
  readonly repeaters: readonly string[]
  readonly connections: readonly string[]
  readonly projects: readonly string[]
  readonly cases: ReadonlySet<string>
  readonly reasons: readonly string[]
  readonly statuses: readonly string[]
  /** Unix milliseconds: written then or later. */
  readonly since: Millis | null
  /** Unix milliseconds: written before. */
  readonly until: Millis | null
  readonly letters: ReadonlyMap<string, Place>
}

export const FILTER_OPTIONS = {
  repeater: { type: 'string', multiple: true },
  connection: { type: 'string', multiple: true },
  project: { type: 'string', multiple: true },
  case: { type: 'string', multiple: true },
  reason: { type: 'string', multiple: true },
  status: { type: 'string', multiple: true },
  since: { type: 'string' },
  until: { type: 'string' },
  letter: { type: 'string', multiple: true },
} as const

export const FILTER_HELP = `Which letters (an option that is given several times means any of its values; different options narrow each other):
  --repeater R       <project>/<id>, or <id> of any project; "none" for records that could not be read
  --connection C     <project>/<id>, or <id> of any project
  --project P
  --case ID          the case whose change it is
  --reason WORD      ${DEAD_LETTER_REASONS.join(', ')}
  --status S         the remote's last status: 422, 4xx, or "none"
  --since T          written at T or later: how long ago (30m, 2h, 3d) or an instant (2026-11-25, 2026-11-25T08:00Z)
  --until T          written before T
  --letter P:O       this one, as list shows it: <partition>:<offset>
`

type FilterValues = {
  readonly [Option in keyof typeof FILTER_OPTIONS]?: Option extends 'since' | 'until' ? string : string[]
}

/** What a letter lacks is asked for by this word. */
const NONE = 'none'

/** @param now Unix milliseconds @throws UsageError */
export function readLetterFilter(values: FilterValues, now: Millis): LetterFilter {
  for (const reason of values.reason ?? []) {
    if (!(DEAD_LETTER_REASONS as readonly string[]).includes(reason)) {
      const known = DEAD_LETTER_REASONS.join(', ')
      throw new UsageError(`there is no reason "${reason}"${didYouMean(reason, DEAD_LETTER_REASONS)}: ${known}`)
    }
  }
  for (const status of values.status ?? []) {
    if (!/^(?:[1-9]\d\d|[1-9]xx|none)$/.test(status))
      throw new UsageError(`--status takes a status such as 422, a class such as 4xx, or none, not "${status}"`)
  }
  const since = values.since === undefined ? null : readMoment('since', values.since, now)
  const until = values.until === undefined ? null : readMoment('until', values.until, now)
  if (since !== null && until !== null && since >= until)
    throw new UsageError('--since is not before --until: no letter is')
  return {
    repeaters: values.repeater ?? [],
    connections: values.connection ?? [],
    projects: values.project ?? [],
    cases: new Set(values.case ?? []),
    reasons: values.reason ?? [],
    statuses: values.status ?? [],
    since,
    until,
    letters: new Map((values.letter ?? []).map(readLetterPlace).map((place) => [renderPlace(place), place])),
  }
}

function readLetterPlace(text: string): Place {
  const place = readPlace(text)
  if (!place) throw new UsageError(`a letter is named <partition>:<offset>, such as 3:1042, not "${text}"`)
  return place
}

/** True when every letter fits. */
export const fitsAll = (filter: LetterFilter): boolean =>
  filter.since === null &&
  filter.until === null &&
  filter.cases.size === 0 &&
  filter.letters.size === 0 &&
  [filter.repeaters, filter.connections, filter.projects, filter.reasons, filter.statuses].every(
    ({ length }) => length === 0,
  )

/** All but the case, for which the value may have to be read. */
export const fits = (letter: Letter, filter: LetterFilter): boolean =>
  (filter.since === null || letter.writtenAt >= filter.since) &&
  (filter.until === null || letter.writtenAt < filter.until) &&
  anyOf(filter.repeaters, letter.repeater, namesId) &&
  anyOf(filter.connections, letter.connection, namesId) &&
  anyOf(filter.projects, letter.project, isSame) &&
  anyOf(filter.reasons, letter.reason, isSame) &&
  anyOf(filter.statuses, letter.status, namesStatus) &&
  (filter.letters.size === 0 || filter.letters.has(renderPlace(letter)))

const anyOf = (wanted: readonly string[], is: string | null, names: (wanted: string, is: string) => boolean): boolean =>
  wanted.length === 0 || wanted.some((each) => (is === null ? each === NONE : names(each, is)))

const isSame = (wanted: string, is: string): boolean => wanted === is
const namesId = (wanted: string, is: string): boolean => wanted === is || is.endsWith(`/${wanted}`)
const namesStatus = (wanted: string, is: string): boolean =>
  wanted === is || (wanted.endsWith('xx') && is.length === 3 && wanted[0] === is[0])
