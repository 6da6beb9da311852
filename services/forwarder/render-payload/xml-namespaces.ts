// Which prefix means which namespace at an element. Enter: what its parent knows, and its attributes. Leave: what it knows.
// Never: a prefix without a namespace, or one attribute twice (Namespaces in XML 1.0, sections 4 to 6).
import { decodeReferences } from './xml-references.ts'
import { quoted } from './unrenderable.ts'

export type WrittenAttribute = {
  readonly prefix: string | undefined
  readonly name: string
  /** As written: references are still in it. */
  readonly value: string
  /** Where the name stands in the document. */
  readonly at: number
}

/** A scope and those around it. Linked, not copied: a thousand prefixes on the root would be copied for each child. */
export type Namespaces = {
  /** Prefix → namespace; the prefix '' is that of an element without one. */
  readonly declared: ReadonlyMap<string, string>
  readonly outer: Namespaces | undefined
}

const XML_NAMESPACE = 'http://www.w3.org/XML/1998/namespace'
const XMLNS_NAMESPACE = 'http://www.w3.org/2000/xmlns/'
/** What every document knows. */
export const NO_PREFIXES: Namespaces = {
  declared: new Map([
    ['', ''],
    ['xml', XML_NAMESPACE],
  ]),
  outer: undefined,
}

/** @returns undefined when nobody has declared the prefix */
export function namespaceOf(prefix: string, namespaces: Namespaces): string | undefined {
  for (let scope: Namespaces | undefined = namespaces; scope; scope = scope.outer) {
    const namespace = scope.declared.get(prefix)
    if (namespace !== undefined) return namespace
  }
  return undefined
}

export function declareNamespaces(outer: Namespaces, attributes: readonly WrittenAttribute[]): Namespaces {
  let declared: Map<string, string> | undefined
  for (const { prefix, name, value } of attributes) {
    if (prefix === 'xmlns' || (prefix === undefined && name === 'xmlns')) {
      declared ??= new Map()
      declared.set(prefix === undefined ? '' : name, decodeReferences(value))
    }
  }
  return declared ? { declared, outer } : outer
}

/** @returns the first attribute that is twice there, has an undeclared prefix, or declares what cannot be declared */
export function findAttributeFault(
  attributes: readonly WrittenAttribute[],
  namespaces: Namespaces,
): { at: number; problem: string } | undefined {
  // Most elements have none, or one without a prefix.
  if (attributes.length === 0 || (attributes.length === 1 && attributes[0]?.prefix === undefined)) return undefined
  const seen = new Set<string>()
  for (const { prefix, name, value, at } of attributes) {
    let key = name
    if (prefix === 'xmlns') {
      if (name === 'xmlns') return { at, problem: 'the prefix "xmlns" cannot be declared' }
      if (value === '') return { at, problem: `prefix ${quoted(name)} is declared without a namespace` }
      if ((name === 'xml') !== (value === XML_NAMESPACE) || value === XMLNS_NAMESPACE) {
        return { at, problem: `prefix ${quoted(name)} cannot have this namespace` }
      }
      key = `${XMLNS_NAMESPACE} ${name}`
    } else if (prefix !== undefined) {
      const namespace = namespaceOf(prefix, namespaces)
      if (namespace === undefined) return { at, problem: `prefix ${quoted(prefix)} is not declared` }
      key = `${namespace} ${name}`
    }
    if (seen.has(key)) return { at, problem: `attribute ${quoted(name)} is there twice` }
    seen.add(key)
  }
  return undefined
}
