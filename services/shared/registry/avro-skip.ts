// Passes over the fields of a publisher's schema that we do not know.
// Enter: the writer's type. Leave: a function that moves a cursor past one value. Never: makes the value.
import { assertNever } from '../assert-never.ts'
import type { AvroCursor } from './avro-cursor.ts'
import { definitionOf, isUnion, type AvroNames, type AvroType } from './avro-schema.ts'

type Skip = (cursor: AvroCursor) => void

/** How deep a record may hold itself: far above any real tree, far below what the stack bears. */
const DEEPEST = 500

const NOTHING: Skip = () => undefined

export function compileSkip(type: AvroType, names: AvroNames): Skip {
  return new SkipCompiler(names).compile(type)
}

class SkipCompiler {
  readonly #names: AvroNames
  /** Records that were begun: one that holds itself refers to the skip that is being made. */
  readonly #records = new Map<string, Skip>()

  constructor(names: AvroNames) {
    this.#names = names
  }

  compile(type: AvroType): Skip {
    if (isUnion(type)) return this.#union(type.map((branch) => this.compile(branch)))
    const definition = definitionOf(type, this.#names)
    switch (definition.type) {
      case 'null':
        return NOTHING
      case 'boolean':
        return skipping(1)
      case 'int':
      case 'long':
      case 'enum':
        return (cursor) => cursor.skipLong()
      case 'float':
        return skipping(4)
      case 'double':
        return skipping(8)
      case 'string':
      case 'bytes':
        return (cursor) => cursor.skipBytes()
      case 'fixed':
        return skipping(definition.size)
      case 'array':
        return this.#blocks(this.compile(definition.items), this.#takesNothing(definition.items) ? 0 : 1)
      case 'map': {
        const skipValue = this.compile(definition.values)
        return this.#blocks((cursor) => {
          cursor.skipBytes()
          skipValue(cursor)
        }, 1)
      }
      case 'record':
        return this.#record(definition.name, definition.fields)
      default:
        return assertNever(definition)
    }
  }

  #union(branches: readonly Skip[]): Skip {
    return (cursor) => {
      const index = cursor.readLong()
      const skip = branches[index]
      if (!skip) throw cursor.fault('malformed-avro', `names branch ${index} of a union of ${branches.length}`)
      skip(cursor)
    }
  }

  #blocks(skipEntry: Skip, smallest: number): Skip {
    return (cursor) => cursor.skipBlocks(smallest, skipEntry)
  }

  #record(name: string, fields: readonly { readonly type: AvroType }[]): Skip {
    const begun = this.#records.get(name)
    if (begun) return begun
    const skips: Skip[] = []
    const skip: Skip = (cursor) => {
      if (++cursor.depth > DEEPEST) throw cursor.fault('too-deep', `holds ${name} more than ${DEEPEST} levels deep`)
      for (const skipField of skips) skipField(cursor)
      cursor.depth--
    }
    this.#records.set(name, skip)
    for (const field of fields) skips.push(this.compile(field.type))
    return skip
  }

  /** True for null and what is made of nothing else: only such a value takes no bytes. */
  #takesNothing(type: AvroType, inside: readonly string[] = []): boolean {
    if (isUnion(type)) return false
    const definition = definitionOf(type, this.#names)
    if (definition.type === 'null') return true
    if (definition.type === 'fixed') return definition.size === 0
    if (definition.type !== 'record' || inside.includes(definition.name)) return false
    return definition.fields.every((field) => this.#takesNothing(field.type, [...inside, definition.name]))
  }
}

const skipping =
  (length: number): Skip =>
  (cursor) =>
    cursor.skip(length)
