// A connection or repeater → the words of a forwarding file, with every default written out. Pure.
// What is rendered here is read back as the same connection or repeater: records, `onward get` and differences use it.
// Never: a secret's value; there is none in a definition.
import { renderDuration } from '../duration.ts'
import type { ConnectionId, RepeaterId } from '../ids.ts'
import type { Connection, SuccessWhen } from './connection.ts'
import { renderRate } from './rate.ts'
import type { Filters, Repeater } from './repeater.ts'

export type Definition = Readonly<Record<string, unknown>>

/** `demo/registry` → `registry`: as the file of its project writes it. */
export const localPart = (id: ConnectionId | RepeaterId): string => id.slice(id.indexOf('/') + 1)

export const renderConnection = (connection: Connection): Definition => ({
  id: localPart(connection.id),
  name: connection.name,
  url: connection.url,
  auth: written(connection.auth),
  ...(connection.tls === null ? {} : { tls: written(connection.tls) }),
  ...(connection.signing === null ? {} : { signing: connection.signing }),
  headers: connection.headers,
  notify: connection.notify,
  limits: {
    concurrency: connection.limits.concurrency,
    rate: connection.limits.rate === null ? 'none' : renderRate(connection.limits.rate),
    timeout: renderDuration(connection.limits.timeout),
  },
  schedule: connection.schedule.map(renderDuration),
  retryOn: connection.retryOn,
  rejectOn: connection.rejectOn,
  ...(connection.successWhen === null ? {} : { successWhen: renderSuccess(connection.successWhen) }),
  maxAge: renderDuration(connection.maxAge),
})

/** Without the keys that are not there: null is no value that a file may hold. */
const written = (part: object): Definition =>
  Object.fromEntries(Object.entries(part).filter(([, value]) => value !== null))

/** `exists` has no say where `equals` has: the reader refuses both. */
const renderSuccess = ({ exists, ...rest }: SuccessWhen): Definition =>
  written(rest.equals === null ? { ...rest, exists } : rest)

/** Without the keys that do nothing for what the repeater forwards: the reader refuses them. */
export function renderRepeater(repeater: Repeater): Definition {
  const { forward, format } = repeater
  return {
    id: localPart(repeater.id),
    connection: localPart(repeater.connection),
    forward,
    ...(forward === 'forms' || forward === 'cases' ? { format } : {}),
    method: repeater.method,
    supersede: repeater.supersede,
    onDeadLetter: repeater.onDeadLetter,
    ...(forward === 'apps' ? {} : { filters: renderFilters(forward, repeater.filters) }),
    ...(forward === 'forms' ? { includeAppId: repeater.includeAppId } : {}),
    ...(forward === 'cases' && format === 'xml' ? { closedCase: repeater.closedCase, version: repeater.version } : {}),
    ...(repeater.contentType === null ? {} : { contentType: repeater.contentType }),
  }
}

const renderFilters = (forward: Repeater['forward'], filters: Filters): Definition =>
  forward === 'cases'
    ? { caseTypes: filters.caseTypes, excludeUsers: filters.excludeUsers, on: filters.on }
    : { formXmlns: filters.formXmlns, excludeUsers: filters.excludeUsers }
