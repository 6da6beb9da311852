// Notices → a mail that somebody is glad to get: what is wrong, since when, in whose words, what happens next, what to run, and
// how to stop it. Pure. Enter: a planned mail, what is known of its connections, links, templates. Leave: subject, text, HTML.
// Never: a secret, a line break that a remote, a name or an address brought along, a value that is taken for markup.
import type { Millis } from '../clock.ts'
import type { ConnectionId } from '../ids.ts'
import { causeOf } from '../notices/cause.ts'
import type { Notice, StopScope } from '../notices/notice.ts'
import { safeText } from '../safe-text.ts'
import { describeNotice } from './describe-notice.ts'
import type { Template, Values } from './render-template.ts'
import { renderMoment } from './render-moment.ts'

export type MailTemplates = {
  readonly subject: Template
  readonly text: Template
  readonly html: Template
  readonly brief: Template
}

/** As the configuration has it; null when the connection is gone from it. */
export type KnownConnection = { readonly name: string; readonly url: string } | null

export type MailContent = {
  readonly address: string
  readonly notices: readonly Notice[]
  /** Notices beyond those: told as a count. */
  readonly surplus: number
  /** The cap of the day when this is its last mail; null else. */
  readonly cap: number | null
  /** When the mail is made. */
  readonly now: Millis
  readonly connection: (id: ConnectionId) => KnownConnection
  /** Where a click stops the notices of a scope; null when there is no page. */
  readonly stopLink: (scope: StopScope) => string | null
}

export type ComposedMail = {
  readonly subject: string
  readonly text: string
  readonly html: string
  /** A few lines, for a webhook. */
  readonly brief: string
  /** Stops all that this mail is about: for `List-Unsubscribe`. */
  readonly stopLink: string | null
}

/** Incidents told in full; the others are a line each, for a mail of a megabyte is read by nobody. */
const DETAILED = 20
/** Longer subjects are cut by whoever shows them. */
const LONGEST_SUBJECT = 150

export function composeMail(content: MailContent, templates: MailTemplates): ComposedMail {
  const values = valuesOf(content)
  return {
    subject: safeText(templates.subject(values)).slice(0, LONGEST_SUBJECT),
    text:
      templates
        .text(values)
        .replace(/\n{3,}/g, '\n\n')
        .trim() + '\n',
    html: templates.html(values),
    brief: templates.brief(values).trim(),
    stopLink: content.stopLink(widestScope(content.notices)),
  }
}

function valuesOf({ address, notices, surplus, cap, now, connection, stopLink }: MailContent): Values {
  const described = notices.map((notice) => describeNotice(notice, connection(notice.connection), now))
  const incidents = described.slice(0, DETAILED)
  const projects = [...new Set(notices.map(({ project }) => safeText(project)))]
  const [first] = incidents
  const count = notices.length + surplus
  return {
    address: safeText(address),
    now: renderMoment(now),
    projects: projects.join(', '),
    single: count === 1 ? (first ?? null) : null,
    many: count > 1,
    count,
    manyStates: manyStates(notices, surplus),
    commonCause: commonCause(notices),
    incidents,
    others: described.slice(DETAILED).map(({ connection: id, state }) => ({ id, state })),
    unlisted: surplus || null,
    cap,
    stops: stopsOf(notices, connection).map(({ label, scope }) => ({
      label,
      url: stopLink(scope),
      command: stopCommand(scope, address),
    })),
  }
}

/** In a few words, what several incidents have come to. */
function manyStates(notices: readonly Notice[], surplus: number): string {
  const over = notices.filter(({ kinds }) => kinds.at(-1) === 'recovered').length
  const given = notices.filter(({ kinds }) => kinds.at(-1) === 'dead-letters').length
  const failing = notices.length - over - given
  const parts = [
    failing > 0 ? `${failing} failing` : '',
    given > 0 ? `${given} with dead letters` : '',
    over > 0 ? `${over} back to normal` : '',
    surplus > 0 ? `${surplus} more` : '',
  ]
  return parts.filter((part) => part !== '').join(', ')
}

function commonCause(notices: readonly Notice[]): string | null {
  const causes = new Set(notices.map(({ facts }) => causeOf(facts)))
  const [cause] = causes
  return notices.length > 1 && causes.size === 1 && cause !== undefined && cause !== 'unknown' ? safeText(cause) : null
}

function stopsOf(
  notices: readonly Notice[],
  connection: MailContent['connection'],
): readonly { readonly label: string; readonly scope: StopScope }[] {
  const connections = new Map(notices.map((notice) => [notice.connection, notice]))
  const projects = new Set(notices.map(({ project }) => project))
  // A mail about many connections would end in a page of links: their projects are enough.
  const single = connections.size > 3 ? [] : [...connections.keys()]
  return [
    ...single.map((id) => ({
      label: `notices about ${safeText(connection(id)?.name ?? id)}`,
      scope: { kind: 'connection', connection: id } as const,
    })),
    ...[...projects].map((project) => ({
      label: `all notices of project ${safeText(project)}`,
      scope: { kind: 'project', project } as const,
    })),
  ]
}

function stopCommand(scope: StopScope, address: string): string {
  const what =
    scope.kind === 'connection'
      ? `--connection ${scope.connection}`
      : scope.kind === 'project'
        ? `--project ${scope.project}`
        : '--all'
  return `npx onward notices stop ${safeText(address)} ${what}`
}

/** The least that takes in everything the mail is about. */
function widestScope(notices: readonly Notice[]): StopScope {
  const [first] = notices
  if (first && notices.every(({ connection }) => connection === first.connection)) {
    return { kind: 'connection', connection: first.connection }
  }
  if (first && notices.every(({ project }) => project === first.project))
    return { kind: 'project', project: first.project }
  return { kind: 'all' }
}
