// What the notifier remembers → text for a person, or JSON. Pure. Never: a control character of a record on the terminal.
import type { Millis } from '../../shared/clock.ts'
import { renderMoment, renderSpan } from '../../shared/mail/render-moment.ts'
import { renderScope } from '../../shared/notices/notice-record.ts'
import { safeText } from '../../shared/safe-text.ts'
import { printableLines } from '../dead-letters/printable.ts'
import { styled, type Terminal } from '../terminal.ts'
import type { Remembered } from './read-notices.ts'

export function renderNotices(
  { books, boxes, stops, unreadable }: Remembered,
  now: Millis,
  terminal: Terminal,
): string {
  const incidents = books.flatMap(({ connection, incident }) => {
    if (incident === null) return []
    const state = incident.closedAt === null ? incident.state : 'over'
    const span = renderSpan((incident.closedAt ?? now) - incident.since)
    const letters = incident.deadLetters === 0 ? '' : `, ${incident.deadLetters} dead letters`
    return [`  ${safeText(connection)}  ${state} since ${renderMoment(incident.since)} (${span}${letters})`]
  })
  const waiting = boxes
    .filter(({ pending, mail }) => pending.length > 0 || mail !== null)
    .map(({ address, pending, mail, tries }) => {
      const count = pending.length + (mail?.notices.length ?? 0)
      return `  ${safeText(address)}  ${count === 1 ? '1 notice' : `${count} notices`}${tries > 0 ? `, ${tries} sends failed` : ''}`
    })
  const stopped = stops.map(
    ({ address, scope, at, by, why }) =>
      `  ${safeText(address)}  ${safeText(renderScope(scope))}  by ${by} at ${renderMoment(at)}${why === '' ? '' : `: ${safeText(why)}`}`,
  )
  const part = (title: string, none: string, lines: readonly string[]) =>
    lines.length === 0 ? `${none}\n` : `${styled(terminal, 'bold', title)}\n${lines.toSorted().join('\n')}\n`
  return [
    part('Incidents', 'No incident is open.', incidents),
    part('Waiting', 'No notice waits.', waiting),
    part('Stopped', 'Nobody stopped notices.', stopped),
    unreadable === 0 ? '' : `${unreadable} records of the topic cannot be read.\n`,
  ].join('')
}

export const renderNoticesJson = ({ books, boxes, stops, unreadable }: Remembered): string =>
  `${printableLines(JSON.stringify({ connections: books, addresses: boxes, stops, unreadable }, null, 2))}\n`
