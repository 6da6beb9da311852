// An element of a form as the rooms here read it. Prefixes are resolved, references decoded, comments gone.

export type XmlAttribute = {
  /** Without prefix. */
  readonly name: string
  readonly prefix: string | undefined
  readonly value: string
}

export type XmlElement = {
  /** Without prefix. */
  readonly name: string
  /** '' for none. */
  readonly namespace: string
  /** In document order, without declarations of namespaces. */
  readonly attributes: readonly XmlAttribute[]
  /** In document order. */
  readonly elements: readonly XmlElement[]
  /** The element's own text: what stands before, between and after its elements, joined. */
  readonly text: string
}

/** The value of an attribute without prefix. */
export const attributeOf = (element: XmlElement, name: string): string | undefined =>
  element.attributes.find((attribute) => attribute.prefix === undefined && attribute.name === name)?.value
