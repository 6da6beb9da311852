// A record of the configuration topic: key `connection/<project>/<id>` or `repeater/<project>/<id>`, value the definition as
// JSON with every default written out, no value when it was removed; and key `source/<topic>`, which the services write. Pure.
// Enter and leave: both ways. What comes in is checked as a file is: other hands may write to the topic.
import { assertNever } from '../assert-never.ts'
import { connectionId, projectId, repeaterId, type ConnectionId, type ProjectId, type RepeaterId } from '../ids.ts'
import { ID, PROJECT } from './forwarding-keys.ts'
import { locateJson, type Located, type Report } from './located.ts'
import type { Connection } from './connection.ts'
import { readConnection } from './read-connection.ts'
import { readRepeater } from './read-repeater.ts'
import { localPart, renderConnection, renderRepeater } from './render-definition.ts'
import type { Repeater } from './repeater.ts'
import { readVersions, renderVersions, type TopicVersions } from './topic-versions.ts'

/** As it lies in the topic. */
export type RawConfigRecord = { readonly key: Buffer | null; readonly value: Buffer | null }
/** As it is written. */
export type ConfigRecord = { readonly key: string; readonly value: string | null }

export type ReadConfigRecord =
  | (ConfigStatement & { readonly key: string })
  | { readonly kind: 'bad'; readonly key: string; readonly reason: string }
  /** A key of another shape: another part of Onward writes and reads it. */
  | { readonly kind: 'foreign'; readonly key: string }

const KEY = new RegExp(`^(connection|repeater)/(${PROJECT})/(${ID})$`)
const SOURCE_KEY = /^source\/([\w.-]{1,249})$/

/** What a record says. */
export type ConfigStatement =
  | { readonly kind: 'connection'; readonly connection: Connection }
  | { readonly kind: 'repeater'; readonly repeater: Repeater }
  | { readonly kind: 'connection-removed'; readonly id: ConnectionId }
  | { readonly kind: 'repeater-removed'; readonly id: RepeaterId }
  | { readonly kind: 'source'; readonly versions: TopicVersions }

const connectionKey = (id: ConnectionId): string => `connection/${id}`
export const repeaterKey = (id: RepeaterId): string => `repeater/${id}`
export const sourceKey = (topic: string): string => `source/${topic}`

export function renderConfigRecord(statement: ConfigStatement): ConfigRecord {
  switch (statement.kind) {
    case 'connection': {
      const { connection } = statement
      const definition = { project: connection.project, ...renderConnection(connection) }
      return { key: connectionKey(connection.id), value: JSON.stringify(definition) }
    }
    case 'repeater': {
      const { repeater } = statement
      const definition = { project: repeater.project, ...renderRepeater(repeater) }
      return { key: repeaterKey(repeater.id), value: JSON.stringify(definition) }
    }
    case 'connection-removed':
      return { key: connectionKey(statement.id), value: null }
    case 'repeater-removed':
      return { key: repeaterKey(statement.id), value: null }
    case 'source':
      return { key: sourceKey(statement.versions.topic), value: renderVersions(statement.versions) }
    default:
      return assertNever(statement)
  }
}

export function readConfigRecord(record: RawConfigRecord): ReadConfigRecord {
  const key = record.key?.toString('utf8') ?? ''
  const [what] = key.split('/')
  if (what === 'source') return readSource(key, record.value)
  if (what !== 'connection' && what !== 'repeater') return { kind: 'foreign', key }
  const [, , project = '', id = ''] = KEY.exec(key) ?? []
  if (id === '') return { kind: 'bad', key, reason: `the key is not ${what}/<project>/<id>` }
  if (record.value === null) {
    return what === 'connection'
      ? { kind: 'connection-removed', key, id: connectionId(projectId(project), id) }
      : { kind: 'repeater-removed', key, id: repeaterId(projectId(project), id) }
  }
  return readDefinition(key, what, projectId(project), id, record.value)
}

/** Removed, or beyond reading, it would have versions begin again: what was known of the topic stays in force. */
function readSource(key: string, value: Buffer | null): ReadConfigRecord {
  const [, topic] = SOURCE_KEY.exec(key) ?? []
  if (topic === undefined) return { kind: 'bad', key, reason: 'the key is not source/<topic>' }
  const versions = value === null ? undefined : readVersions(topic, value)
  if (!versions) return { kind: 'bad', key, reason: value === null ? 'it was removed' : 'the value is not one of ours' }
  return { kind: 'source', key, versions }
}

function readDefinition(
  key: string,
  what: 'connection' | 'repeater',
  project: ProjectId,
  id: string,
  value: Buffer,
): ReadConfigRecord {
  const mistakes: string[] = []
  const report: Report = (_place, message, fix) => mistakes.push(`${message}: ${fix}`)
  const node = readNode(value, project, report)
  const read =
    node && (what === 'connection' ? readConnection(node, project, report) : readRepeater(node, project, report))
  if (mistakes.length > 0 || !read) return { kind: 'bad', key, reason: mistakes.join('; ') }
  if (localPart(read.id) !== id)
    return { kind: 'bad', key, reason: `the value's id is ${localPart(read.id)}, and the key's is ${id}` }
  return 'url' in read ? { kind: 'connection', key, connection: read } : { kind: 'repeater', key, repeater: read }
}

/** The definition without `project`, which a file writes once for all. */
function readNode(value: Buffer, project: ProjectId, report: Report): Located | undefined {
  const node = parse(value)
  if (node?.kind !== 'map') {
    report(HERE, 'the value is no JSON object', 'apply the file again')
    return undefined
  }
  const stated = node.entries.find((entry) => entry.key === 'project')?.value
  if (stated?.kind !== 'scalar' || stated.value !== project) {
    report(HERE, `the value's project is not ${project}, as the key's is`, 'apply the file again')
  }
  return { ...node, entries: node.entries.filter((entry) => entry.key !== 'project') }
}

const HERE = { line: 1, column: 1 }

function parse(value: Buffer): Located | undefined {
  try {
    return locateJson(JSON.parse(value.toString('utf8')))
  } catch {
    return undefined
  }
}
