// The notifier's memory as records of `onward.notices`, both ways. Pure. Keys: `connection/<project>/<id>`, `address/<address>`,
// `stop/<scope>/<address>`; a stop that was taken back has no value. Never: a throw for what another hand wrote.
import { connectionId, projectId } from '../ids.ts'
import type { Box, ConnectionBook, Notice, Stop, StopScope } from './notice.ts'

export type NoticeRecord = { readonly key: string; readonly value: string | null }

/** What a record says. */
export type NoticeStatement =
  | { readonly kind: 'book'; readonly book: ConnectionBook }
  | { readonly kind: 'box'; readonly box: Box }
  | { readonly kind: 'stop'; readonly stop: Stop }
  | { readonly kind: 'resume'; readonly address: string; readonly scope: StopScope }

export type ReadNotice =
  | NoticeStatement
  /** Nothing is remembered under its key any more. */
  | { readonly kind: 'gone'; readonly key: string }
  /** A later version wrote it, and only that knows what it says. A stop is never one: its key says all of it. */
  | { readonly kind: 'newer'; readonly key: string; readonly version: number }
  | { readonly kind: 'unreadable'; readonly key: string; readonly why: string }

const VERSION = 1

export function renderNoticeRecord(statement: NoticeStatement): NoticeRecord {
  switch (statement.kind) {
    case 'book':
      return { key: `connection/${statement.book.connection}`, value: render(statement.book) }
    case 'box':
      return { key: `address/${statement.box.address}`, value: render(statement.box) }
    case 'stop':
      return { key: stopKey(statement.stop.scope, statement.stop.address), value: render(statement.stop) }
    case 'resume':
      return { key: stopKey(statement.scope, statement.address), value: null }
  }
}

/** Names a stop: the same for the same address and scope. */
export const stopKey = (scope: StopScope, address: string): string => `stop/${renderScope(scope)}/${address}`

/** `all`, `project/<project>`, `connection/<project>/<id>`: in keys, in links, on the command line. */
export function renderScope(scope: StopScope): string {
  switch (scope.kind) {
    case 'all':
      return 'all'
    case 'project':
      return `project/${scope.project}`
    case 'connection':
      return `connection/${scope.connection}`
  }
}

export function readScope(text: string): StopScope | undefined {
  const [kind, project, id, ...rest] = text.split('/')
  if (kind === 'all' && project === undefined) return { kind: 'all' }
  if (kind === 'project' && project && id === undefined) return { kind: 'project', project: projectId(project) }
  if (kind === 'connection' && project && id && rest.length === 0) {
    return { kind: 'connection', connection: connectionId(projectId(project), id) }
  }
  return undefined
}

export function readNoticeRecord(record: { readonly key: Buffer | null; readonly value: Buffer | null }): ReadNotice {
  const key = record.key?.toString('utf8') ?? ''
  const [, what = '', rest = ''] = /^(connection|address|stop)\/(.+)$/s.exec(key) ?? []
  const bad = (why: string): ReadNotice => ({ kind: 'unreadable', key, why })
  if (what === '') return bad('the key is none of ours')
  const stopped = what === 'stop' ? readStopKey(rest) : undefined
  if (what === 'stop' && !stopped) return bad('the key names no scope and address')
  if (record.value === null) return stopped ? { kind: 'resume', ...stopped } : { kind: 'gone', key }
  const parsed = parse(record.value)
  if (parsed === undefined) return bad('no JSON object')
  const { v: version, ...value } = parsed
  if (stopped) return readStop(stopped, value)
  if (typeof version === 'number' && version > VERSION) return { kind: 'newer', key, version }
  if (version !== VERSION) return bad('no version')
  if (what === 'address')
    return isBox(value) && value.address === rest ? { kind: 'box', box: value } : bad('no box of this address')
  return isBook(value) && value.connection === rest ? { kind: 'book', book: value } : bad('no book of this connection')
}

function readStopKey(rest: string): { address: string; scope: StopScope } | undefined {
  const [, written = '', address = ''] = /^(all|project\/[^/]+|connection\/[^/]+\/[^/]+)\/(.+)$/s.exec(rest) ?? []
  const scope = readScope(written)
  return scope && { scope, address }
}

function readStop(named: { address: string; scope: StopScope }, value: Fields): ReadNotice {
  const by = (['link', 'operator', 'refused'] as const).find((word) => word === value['by']) ?? 'operator'
  const why = typeof value['why'] === 'string' ? value['why'] : ''
  return { kind: 'stop', stop: { ...named, at: Number(value['at']) || 0, by, why } }
}

type Fields = Readonly<Record<string, unknown>>

const render = (value: object): string => JSON.stringify({ v: VERSION, ...value })

function parse(value: Buffer): Fields | undefined {
  try {
    const parsed: unknown = JSON.parse(value.toString('utf8'))
    return isMap(parsed) ? parsed : undefined
  } catch {
    return undefined
  }
}

// What is looked at here is what would make a reader throw, were it otherwise.

const isMap = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value)
const hasNumbers = (value: unknown, ...names: readonly string[]): boolean =>
  isMap(value) && names.every((name) => typeof value[name] === 'number')
const isListOf = (value: unknown, holds: (item: unknown) => boolean): boolean =>
  Array.isArray(value) && value.every(holds)
const isText = (value: unknown): boolean => typeof value === 'string'

const hasTexts = (value: unknown, ...names: readonly string[]): boolean =>
  isMap(value) && names.every((name) => isText(value[name]))
const isNullOr = (value: unknown, holds: (value: unknown) => boolean): boolean => value === null || holds(value)

const isEvidence = ({ last, samples, letters, reason }: Fields): boolean =>
  isNullOr(reason, isText) &&
  isNullOr(last, (words) => hasTexts(words, 'outcome', 'text') && hasNumbers(words, 'at')) &&
  isListOf(samples, (sample) => hasTexts(sample, 'what', 'id', 'repeater')) &&
  isListOf(letters, (letter) => hasTexts(letter, 'what', 'id', 'repeater', 'reason', 'text'))

const isNotice = (value: unknown): value is Notice =>
  isMap(value) &&
  isText(value['incident']) &&
  isText(value['connection']) &&
  isText(value['project']) &&
  isListOf(value['kinds'], isText) &&
  hasNumbers(value, 'sequence', 'at') &&
  hasNumbers(value['facts'], 'since', 'failed', 'affected', 'delivered', 'deadLetters', 'waiting', 'flaps') &&
  isMap(value['facts']) &&
  isEvidence(value['facts']) &&
  isNullOr(value['facts']['refusal'], (refusal) => hasTexts(refusal, 'address', 'text'))

const isBox = (value: unknown): value is Box =>
  isMap(value) &&
  isText(value['address']) &&
  isText(value['day']) &&
  hasNumbers(value, 'sent', 'tries', 'retryAt', 'surplus') &&
  isListOf(value['pending'], isNotice) &&
  isMap(value['threads']) &&
  Object.values(value['threads']).every(
    (thread) => hasNumbers(thread, 'sequence', 'at') && hasTexts(thread, 'root', 'newest'),
  ) &&
  (value['mail'] === null ||
    (isMap(value['mail']) &&
      isText(value['mail']['messageId']) &&
      hasNumbers(value['mail'], 'plannedAt', 'againAt', 'surplus') &&
      isListOf(value['mail']['notices'], isNotice)))

const isBook = (value: unknown): value is ConnectionBook =>
  isMap(value) &&
  isText(value['connection']) &&
  isText(value['project']) &&
  hasNumbers(value, 'wellAt') &&
  isMap(value['members']) &&
  Object.values(value['members']).every((member) => hasNumbers(member, 'sequence', 'at', 'waiting', 'deadLettered')) &&
  (value['incident'] === null ||
    (hasNumbers(value['incident'], 'sequence', 'since', 'digestsFrom', 'digestAt', 'deadLetters') &&
      isMap(value['incident']) &&
      isEvidence(value['incident']) &&
      isListOf(value['incident']['told'], isText) &&
      hasNumbers(value['incident']['past'], 'failed', 'affected', 'delivered')))
