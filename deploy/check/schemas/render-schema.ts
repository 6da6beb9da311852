// One kind's JSON Schema, whole in itself and without words: what is refused is named by its path. Pure.

export type Schema = { readonly [key: string]: unknown }
export type Definitions = Readonly<Record<string, Schema>>

const REFERENCE = /^.*#\/\$defs\//
/** Text for people; and where the schema was published, which nobody is to ask. */
const LEFT_OUT = ['description', '$schema', '$id']

/** @param definitions what the schema's references lead to @returns the schema with those of them that it needs */
export function renderSchema(schema: Schema, definitions: Definitions): Schema {
  const needed = new Map<string, unknown>()
  const rewrite = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(rewrite)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).flatMap(([key, part]) => rewriteEntry(key, part)))
  }
  const rewriteEntry = (key: string, part: unknown): [string, unknown][] => {
    // A property may be called as a keyword is: only what has a keyword's value is one.
    if (LEFT_OUT.includes(key) && typeof part === 'string') return []
    if (key !== '$ref' || typeof part !== 'string') return [[key, rewrite(part)]]
    const name = part.replace(REFERENCE, '')
    need(name)
    return [['$ref', `#/$defs/${name}`]]
  }
  const need = (name: string): void => {
    if (needed.has(name)) return
    const definition = definitions[name]
    if (definition === undefined) throw new Error(`there is no definition of ${name}`)
    needed.set(name, undefined)
    needed.set(name, rewrite(definition))
  }
  const whole = rewrite(schema) as Schema
  return {
    ...whole,
    $defs: Object.fromEntries([...needed].toSorted(([left], [right]) => (left < right ? -1 : 1))),
  }
}

/**
 * The schema of an operator's kind, as strict as those of Kubernetes: what a CRD does not list is refused.
 * @param schema `openAPIV3Schema` of one version of a CRD
 */
export function strictSchema(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(strictSchema)
  if (typeof schema !== 'object' || schema === null) return schema
  const strict = Object.fromEntries(Object.entries(schema).map(([key, part]) => [key, strictSchema(part)]))
  const lists = 'properties' in strict && !('additionalProperties' in strict)
  return lists && strict['x-kubernetes-preserve-unknown-fields'] !== true
    ? { ...strict, additionalProperties: false }
    : strict
}
