// What fast-xml-parser reads in a document, as elements like ours: another mind that ours must agree with.
// It takes much for XML that is none, so it judges only documents that are well-formed, without processing instructions (it
// looks for quotes in them).
import { XMLParser } from 'fast-xml-parser'
import type { XmlAttribute, XmlElement } from '../../../services/forwarder/render-payload/xml-element.ts'

/** Marks element names: the parser refuses `constructor` and `__proto__` as they stand, and no XML name begins so. */
const MARK = '>'

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  cdataPropName: '#cdata',
  trimValues: false,
  parseTagValue: false,
  parseAttributeValue: false,
  processEntities: false,
  // The parser asks twice for an empty element.
  transformTagName: (name) => (name.startsWith(MARK) ? name : MARK + name),
  jPath: false,
})

type Node = Readonly<Record<string, unknown>>
type Scope = Readonly<Record<string, string>>

export function judgeXml(text: string): XmlElement {
  const [root] = content(parser.parse(text) as readonly Node[], {
    '': '',
    xml: 'http://www.w3.org/XML/1998/namespace',
  }).elements
  if (!root) throw new Error('the parser found no element')
  return root
}

/** The parser hands out an array of nodes: `{ name: nodes, ':@': attributes }`, `{ '#text': … }`, `{ '#cdata': nodes }`. */
function content(nodes: readonly Node[], scope: Scope): Pick<XmlElement, 'elements' | 'text'> {
  const elements: XmlElement[] = []
  let text = ''
  for (const node of nodes) {
    for (const [key, value] of Object.entries(node)) {
      if (key === '#text') text += decoded(String(value))
      else if (key === '#cdata') text += (value as readonly Scope[])[0]?.['#text'] ?? ''
      else if (key.startsWith(MARK)) elements.push(element(key.slice(1), value as readonly Node[], node[':@'], scope))
    }
  }
  return { elements, text }
}

function element(written: string, nodes: readonly Node[], pairs: unknown, outer: Scope): XmlElement {
  const attributes: XmlAttribute[] = []
  const declared: Record<string, string> = {}
  for (const [key, value] of Object.entries((pairs ?? {}) as Scope)) {
    const { prefix, name } = parts(key.slice(1))
    const plain = decoded(value.replaceAll(/[\t\n]/g, ' '))
    if (prefix === 'xmlns') declared[name] = plain
    else if (key === '@xmlns') declared[''] = plain
    else attributes.push({ name, prefix, value: plain })
  }
  const scope = { ...outer, ...declared }
  const { prefix, name } = parts(written)
  return { name, namespace: scope[prefix ?? ''] ?? '', attributes, ...content(nodes, scope) }
}

function parts(written: string): { prefix: string | undefined; name: string } {
  const [first = '', second] = written.split(':')
  return second === undefined ? { prefix: undefined, name: first } : { prefix: first, name: second }
}

const FIVE: Scope = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

const decoded = (text: string): string =>
  text.replaceAll(
    /&(?:#x([0-9A-Fa-f]+)|#([0-9]+)|([a-z]+));/g,
    (_all, hex?: string, decimal?: string, name?: string) =>
      name === undefined
        ? String.fromCodePoint(hex === undefined ? Number(decimal) : Number.parseInt(hex, 16))
        : (FIVE[name] ?? ''),
  )
