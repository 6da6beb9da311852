// Files and the configuration in force → what `onward apply` does. Pure. Enter: what is wanted, what is there.
// Leave: every definition with its verdict, in the order in which records are written. Never: a removal unless asked for.
import type { ConfigRecord, ConfigStatement } from '../../shared/forwarding/config-record.ts'
import { renderConfigRecord } from '../../shared/forwarding/config-record.ts'
import type { Connection } from '../../shared/forwarding/connection.ts'
import type { Directory } from '../../shared/forwarding/directory.ts'
import { renderConnection, renderRepeater, type Definition } from '../../shared/forwarding/render-definition.ts'
import type { Repeater } from '../../shared/forwarding/repeater.ts'
import type { ProjectId } from '../../shared/ids.ts'

export type Wanted = {
  readonly project: ProjectId
  readonly connections: readonly Connection[]
  readonly repeaters: readonly Repeater[]
}

/** `left`: in force, in none of the files, and stays because `--prune` was not given. */
export type Action = 'added' | 'changed' | 'unchanged' | 'removed' | 'left'

export type FieldChange = { readonly path: string; readonly from: string | null; readonly to: string | null }

export type PlannedChange = {
  readonly action: Action
  readonly what: 'connection' | 'repeater'
  /** `<project>/<id>` */
  readonly id: string
  /** Of what changed; null stands where a key is absent. */
  readonly fields: readonly FieldChange[]
  /** Why the record that lies there cannot be read, when it cannot. */
  readonly repairs: string | null
  /** What is written; null when nothing is. */
  readonly record: ConfigRecord | null
}

/** Connections come before the repeaters that name them, and go after them: no repeater is ever without its own. */
export function planApply(files: readonly Wanted[], inForce: Directory, prune: boolean): readonly PlannedChange[] {
  const connections = files.flatMap((file) => file.connections.map((wanted) => planConnection(wanted, inForce)))
  const repeaters = files.flatMap((file) => file.repeaters.map((wanted) => planRepeater(wanted, inForce)))
  const wanted = new Set([...connections, ...repeaters].map(({ what, id }) => `${what}/${id}`))
  const projects = new Set<string>(files.map(({ project }) => project))
  const surplus = (what: 'connection' | 'repeater', there: readonly { readonly id: string }[]) => {
    const refused = [...inForce.rejected.keys()]
      .filter((key) => key.startsWith(`${what}/`))
      .map((key) => key.slice(what.length + 1))
    const ids = new Set([...there.map(({ id }) => id), ...refused])
    return [...ids]
      .filter((id) => projects.has(id.split('/')[0] ?? '') && !wanted.has(`${what}/${id}`))
      .map((id) => planSurplus(what, id, inForce, prune))
  }
  return [
    ...connections,
    ...repeaters,
    ...surplus('repeater', inForce.repeaters()),
    ...surplus('connection', inForce.connections()),
  ]
}

export const recordsOf = (plan: readonly PlannedChange[]): readonly ConfigRecord[] =>
  plan.map(({ record }) => record).filter((record) => record !== null)

const planConnection = (wanted: Connection, inForce: Directory): PlannedChange => {
  const there = inForce.connection(wanted.id)
  return plan(
    { kind: 'connection', connection: wanted },
    wanted.id,
    renderConnection(wanted),
    there && renderConnection(there),
    inForce,
  )
}

const planRepeater = (wanted: Repeater, inForce: Directory): PlannedChange => {
  const there = inForce.repeater(wanted.id)
  return plan(
    { kind: 'repeater', repeater: wanted },
    wanted.id,
    renderRepeater(wanted),
    there && renderRepeater(there),
    inForce,
  )
}

function plan(
  statement: Extract<ConfigStatement, { kind: 'connection' | 'repeater' }>,
  id: string,
  wanted: Definition,
  there: Definition | undefined,
  inForce: Directory,
): PlannedChange {
  const what = statement.kind
  const record = renderConfigRecord(statement)
  const repairs = inForce.rejected.get(record.key) ?? null
  if (!there) return { action: 'added', what, id, fields: [], repairs, record }
  const fields = compareFields(there, wanted)
  // The last good one may be just what is wanted: the bad record above it must still go.
  if (fields.length === 0 && repairs === null) return { action: 'unchanged', what, id, fields, repairs, record: null }
  return { action: 'changed', what, id, fields, repairs, record }
}

function planSurplus(what: 'connection' | 'repeater', id: string, inForce: Directory, prune: boolean): PlannedChange {
  const key = `${what}/${id}`
  const repairs = inForce.rejected.get(key) ?? null
  const record = prune ? { key, value: null } : null
  return { action: prune ? 'removed' : 'left', what, id, fields: [], repairs, record }
}

function compareFields(from: Definition, to: Definition): readonly FieldChange[] {
  const before = flatten(from)
  const after = flatten(to)
  const paths = new Set([...before.keys(), ...after.keys()])
  return [...paths]
    .map((path) => ({ path, from: before.get(path) ?? null, to: after.get(path) ?? null }))
    .filter((field) => field.from !== field.to)
}

/** `limits.rate` → `50/s`: lists are one value, for their order counts. */
function flatten(definition: object, prefix = ''): Map<string, string> {
  const flat = new Map<string, string>()
  for (const [name, value] of Object.entries(definition) as [string, unknown][]) {
    const path = prefix === '' ? name : `${prefix}.${name}`
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      for (const [inner, text] of flatten(value, path)) flat.set(inner, text)
    } else flat.set(path, typeof value === 'string' ? value : JSON.stringify(value))
  }
  return flat
}
