// A document whose every part knows where it is written: what the readers of this folder walk over, wherever it came from.
// Enter: a JSON value (a record) here, YAML text in read-yaml.ts. Leave: a tree. Never: a judgement of what the parts mean.

/** Both count from 1; a tab is one column. */
export type Place = { readonly line: number; readonly column: number }

export type Located =
  | { readonly kind: 'map'; readonly place: Place; readonly entries: readonly Entry[] }
  | { readonly kind: 'list'; readonly place: Place; readonly items: readonly Located[] }
  | { readonly kind: 'scalar'; readonly place: Place; readonly value: Scalar; readonly source: string }

export type Entry = { readonly key: string; readonly place: Place; readonly value: Located }

/** `source` beside it is the text as written: `2.0` is the number 2. */
export type Scalar = string | number | boolean | null

/** Tells of one mistake: where it is, what is wrong, and what to write instead. */
export type Report = (place: Place, message: string, fix: string) => void

/** Records have no lines; their mistakes are told by the names of the keys. */
const NOWHERE: Place = { line: 1, column: 1 }

/** @param value what JSON.parse gave */
export function locateJson(value: unknown): Located {
  if (Array.isArray(value)) return { kind: 'list', place: NOWHERE, items: value.map(locateJson) }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(([key, part]) => ({ key, place: NOWHERE, value: locateJson(part) }))
    return { kind: 'map', place: NOWHERE, entries }
  }
  const scalar = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null
  return { kind: 'scalar', place: NOWHERE, value: scalar, source: String(scalar) }
}
