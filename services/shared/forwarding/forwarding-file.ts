// A forwarding file → its connections and repeaters, or every mistake in it. Pure.
// Enter: the file's text, YAML or JSON. Leave: definitions with every default filled in, or problems in the order of the file.
// Never: the first mistake only, and never a part of a file that has one.
import { projectId, type ProjectId } from '../ids.ts'
import { nearest } from '../nearest.ts'
import type { Connection } from './connection.ts'
import { Fields, type KnownKeys } from './fields.ts'
import { FILE_KEYS, known, PROJECT } from './forwarding-keys.ts'
import type { Located, Report } from './located.ts'
import { inOrder, type Problem } from './problem.ts'
import { ID_SHAPE, readConnection } from './read-connection.ts'
import { readRepeater } from './read-repeater.ts'
import { textLike, wrongKind } from './read-values.ts'
import { readYaml } from './read-yaml.ts'
import type { Repeater } from './repeater.ts'

export type ForwardingFile =
  | {
      readonly kind: 'read'
      readonly project: ProjectId
      readonly connections: readonly Connection[]
      readonly repeaters: readonly Repeater[]
    }
  | { readonly kind: 'invalid'; readonly problems: readonly Problem[] }

/** @param file how problems name it */
export function readForwardingFile(text: string, file: string): ForwardingFile {
  const problems: Problem[] = []
  const report: Report = ({ line, column }, message, fix) => problems.push({ file, line, column, message, fix })
  const read = readContents(text, report)
  if (problems.length > 0 || !read) return { kind: 'invalid', problems: inOrder(problems) }
  return { kind: 'read', ...read }
}

const FILE: KnownKeys = known('a forwarding file', FILE_KEYS)
const projectName = textLike(
  new RegExp(`^${PROJECT}$`),
  'may hold only letters, digits, ".", "_" and "-", begins with a letter or digit, and has at most 100 characters',
  'demo',
)

type Definition = { readonly id: string; readonly node: Located }

function readContents(
  text: string,
  report: Report,
): Omit<Extract<ForwardingFile, { kind: 'read' }>, 'kind'> | undefined {
  const root = readYaml(text, report)
  const fields = root && Fields.of(root, FILE, report)
  if (!fields) return undefined
  const project = projectId(fields.required('project', projectName, 'demo') ?? '')
  const connections = itemsOf(fields, 'connections', report)
  const repeaters = itemsOf(fields, 'repeaters', report)
  const configured = reportTwice(connections, 'connection', report)
  reportTwice(repeaters, 'repeater', report)
  for (const { node } of repeaters) reportUnknownConnection(node, configured, report)
  return {
    project,
    connections: connections
      .map(({ node }) => readConnection(node, project, report))
      .filter((each) => each !== undefined),
    repeaters: repeaters.map(({ node }) => readRepeater(node, project, report)).filter((each) => each !== undefined),
  }
}

function itemsOf(fields: Fields, name: string, report: Report): readonly Definition[] {
  const list = fields.entry(name)
  if (!list) return []
  if (list.value.kind === 'list') return list.value.items.map((node) => ({ id: textAt(node, 'id') ?? '', node }))
  const empty = list.value.kind === 'scalar' && list.value.value === null
  wrongKind(
    empty ? { ...list.value, place: list.place } : list.value,
    name,
    'a list',
    `each as an item: "- id: …"; or ${name}: []`,
    report,
  )
  return []
}

/** @returns the ids there are */
function reportTwice(definitions: readonly Definition[], what: string, report: Report): readonly string[] {
  const lines = new Map<string, number>()
  for (const { id, node } of definitions) {
    const first = lines.get(id)
    const place = valueAt(node, 'id')?.place
    if (id === '' || !place) continue
    if (first === undefined) lines.set(id, place.line)
    else report(place, `another ${what} has the id ${id}, on line ${first}`, 'give this one an id of its own')
  }
  return [...lines.keys()]
}

function reportUnknownConnection(node: Located, configured: readonly string[], report: Report): void {
  const named = textAt(node, 'connection')
  const place = valueAt(node, 'connection')?.place
  if (named === undefined || !place || configured.includes(named)) return
  const meant = nearest(
    named,
    configured.filter((id) => ID_SHAPE.test(id)),
  )
  report(
    place,
    `this file has no connection ${named}`,
    meant === undefined
      ? `add it to connections:${configured.length > 0 ? `, or use one of ${configured.slice(0, 5).join(', ')}` : ''}`
      : `write connection: ${meant}`,
  )
}

const valueAt = (node: Located, name: string): Located | undefined =>
  node.kind === 'map' ? node.entries.find(({ key }) => key === name)?.value : undefined

function textAt(node: Located, name: string): string | undefined {
  const value = valueAt(node, name)
  return value?.kind === 'scalar' && typeof value.value === 'string' && value.value !== '' ? value.value : undefined
}
