// Avro's schema notation as avsc exports it: valid, with full names. Types of the notation and the few questions asked of it.

/** Named types are defined where they first occur and referred to by name after. */
export type AvroType = string | readonly AvroType[] | AvroDefinition
export type AvroRecord = {
  readonly type: 'record'
  readonly name: string
  readonly fields: readonly { readonly name: string; readonly type: AvroType }[]
}
export type AvroDefinition =
  | AvroRecord
  | { readonly type: 'array'; readonly items: AvroType }
  | { readonly type: 'map'; readonly values: AvroType }
  | { readonly type: 'enum'; readonly name: string }
  | { readonly type: 'fixed'; readonly name: string; readonly size: number }
  | { readonly type: AvroPrimitive; readonly logicalType?: string }
type AvroPrimitive = 'null' | 'boolean' | 'int' | 'long' | 'float' | 'double' | 'string' | 'bytes'

/** Every named type of a schema by its full name. */
export type AvroNames = ReadonlyMap<string, AvroDefinition>

/** Why a writer's type cannot be read as ours. The message follows a field's path: `is int, not a string`. */
export class AvroMismatchError extends Error {
  readonly code = 'AVRO_MISMATCH'
  override readonly name = 'AvroMismatchError'
}

export function nameTypes(schema: AvroType): AvroNames {
  const names = new Map<string, AvroDefinition>()
  const visit = (type: AvroType): void => {
    if (typeof type === 'string') return
    if (isUnion(type)) return type.forEach(visit)
    if ('name' in type) names.set(type.name, type)
    if (type.type === 'record') type.fields.forEach((field) => visit(field.type))
    else if (type.type === 'array') visit(type.items)
    else if (type.type === 'map') visit(type.values)
  }
  visit(schema)
  return names
}

export const isUnion = (type: AvroType): type is readonly AvroType[] => Array.isArray(type)

/** @returns what a name stands for; a primitive's name in its long form */
export const definitionOf = (type: AvroDefinition | string, names: AvroNames): AvroDefinition =>
  // The schema was checked when it was parsed: a name that it does not define is a primitive's.
  typeof type === 'string' ? (names.get(type) ?? { type: type as AvroPrimitive }) : type
