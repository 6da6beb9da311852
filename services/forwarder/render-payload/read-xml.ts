// A document as elements, when it is well-formed XML 1.0 with namespaces. Enter: its text. Leave: the root element, or the first fault.
// Never: a document type declaration, an entity of the document's own, or more levels of elements than allowed; a look at
// anything outside the text. One walk from left to right decides all that makes a document well-formed and builds the tree
// meanwhile: a form of 5 MB holds up everything else while it is read.
import { quoted } from './unrenderable.ts'
import type { XmlAttribute, XmlElement } from './xml-element.ts'
import { decodeReferences, findBadReference } from './xml-references.ts'
import { XML_NAME } from './xml-name.ts'
import {
  declareNamespaces,
  findAttributeFault,
  namespaceOf,
  NO_PREFIXES,
  type Namespaces,
  type WrittenAttribute,
} from './xml-namespaces.ts'
import { findUnholdable, unholdableCharacter } from './xml-text.ts'

/** Where a document stops being XML: an index into its text, and what is wrong there. */
type XmlFault = { readonly kind: 'malformed'; readonly at: number; readonly problem: string }
type ReadXml = { readonly kind: 'read'; readonly root: XmlElement }

/** An element whose end tag has not come. */
type OpenElement = {
  /** As written, with its prefix. */
  readonly name: string
  readonly at: number
  readonly namespaces: Namespaces
  readonly element: Growing
}
type Growing = { readonly elements: XmlElement[]; text: string } & Omit<XmlElement, 'elements' | 'text'>
type Walk = {
  readonly text: string
  readonly deepest: number
  readonly open: OpenElement[]
  root: XmlElement | undefined
}
/** Where to go on, or why not. */
type Step = number | XmlFault

const fault = (at: number, problem: string): XmlFault => ({ kind: 'malformed', at, problem })

/**
 * @param text with line feeds as its only line ends
 * @param deepest how many levels of elements may be open at once
 */
export function readXml(text: string, deepest: number): ReadXml | XmlFault {
  const bad = findUnholdable(text)
  if (bad !== -1) return fault(bad, `${unholdableCharacter(text.slice(bad, bad + 2)) ?? ''}, which XML 1.0 cannot hold`)

  const walk: Walk = { text, deepest, open: [], root: undefined }
  let at = readDeclaration(text)
  while (typeof at === 'number' && at < text.length) {
    at = text.charCodeAt(at) === LESS_THAN ? readMarkup(walk, at) : readText(walk, at)
  }
  if (typeof at !== 'number') return at
  const unclosed = walk.open.at(-1)
  if (unclosed) return fault(unclosed.at, `<${shown(unclosed.name)}> is never closed`)
  return walk.root ? { kind: 'read', root: walk.root } : fault(text.length, 'there is no element')
}

const [EXCLAMATION, SLASH, LESS_THAN, GREATER_THAN, QUESTION] = [0x21, 0x2f, 0x3c, 0x3e, 0x3f]
/** Names of a document in our errors. */
const shown = (name: string): string => quoted(name).slice(1, -1)

const DECLARATION =
  /<\?xml[ \t\n]+version[ \t\n]*=[ \t\n]*(?:"1\.\d+"|'1\.\d+')(?:[ \t\n]+encoding[ \t\n]*=[ \t\n]*(?:"([A-Za-z][\w.-]*)"|'([A-Za-z][\w.-]*)'))?(?:[ \t\n]+standalone[ \t\n]*=[ \t\n]*(?:"(?:yes|no)"|'(?:yes|no)'))?[ \t\n]*\?>/y

function readDeclaration(text: string): Step {
  if (!/^<\?xml[ \t\n]/.test(text)) return 0
  DECLARATION.lastIndex = 0
  const match = DECLARATION.exec(text)
  if (!match) return fault(0, 'the XML declaration is malformed')
  const encoding = match[1] ?? match[2] ?? 'UTF-8'
  if (!/^(utf-?8|us-ascii)$/i.test(encoding)) return fault(0, `the encoding is ${shown(encoding)}: only UTF-8 is read`)
  return DECLARATION.lastIndex
}

const NOT_WHITE_SPACE = /[^ \t\n]/g

function readText({ text, open }: Walk, from: number): Step {
  const next = text.indexOf('<', from)
  const to = next === -1 ? text.length : next
  const parent = open.at(-1)
  if (!parent) {
    NOT_WHITE_SPACE.lastIndex = from
    const found = NOT_WHITE_SPACE.exec(text)
    return found && found.index < to ? fault(found.index, 'text outside the root element') : to
  }
  const piece = text.slice(from, to)
  const end = piece.indexOf(']]>')
  if (end !== -1) return fault(from + end, '"]]>" in text (it is written "]]&gt;")')
  const reference = findBadReference(piece)
  if (reference) return fault(from + reference.at, reference.problem)
  parent.element.text += decodeReferences(piece)
  return to
}

function readMarkup(walk: Walk, at: number): Step {
  switch (walk.text.charCodeAt(at + 1)) {
    case SLASH:
      return readEndTag(walk, at)
    case EXCLAMATION:
      return readDeclared(walk, at)
    case QUESTION:
      return readInstruction(walk.text, at)
    default:
      return readStartTag(walk, at)
  }
}

function readDeclared({ text, open }: Walk, at: number): Step {
  if (text.startsWith('<!--', at)) return readComment(text, at)
  if (text.startsWith('<![CDATA[', at)) {
    const parent = open.at(-1)
    if (!parent) return fault(at, 'a CDATA section outside the root element')
    const end = text.indexOf(']]>', at)
    if (end === -1) return fault(at, 'a CDATA section is never closed')
    parent.element.text += text.slice(at + '<![CDATA['.length, end)
    return end + 3
  }
  if (text.startsWith('<!DOCTYPE', at)) return fault(at, 'a document type declaration is not accepted')
  return fault(at, '"<!" begins neither a comment nor a CDATA section')
}

function readComment(text: string, at: number): Step {
  const end = text.indexOf('--', at + 4)
  if (end === -1) return fault(at, 'a comment is never closed')
  return text[end + 2] === '>' ? end + 3 : fault(end, '"--" within a comment')
}

const INSTRUCTION = new RegExp(`<\\?(${XML_NAME})(?=[ \\t\\n]|\\?>)`, 'uy')

function readInstruction(text: string, at: number): Step {
  INSTRUCTION.lastIndex = at
  const target = INSTRUCTION.exec(text)?.[1]
  if (target === undefined) return fault(at, '"<?" begins no processing instruction')
  if (target.toLowerCase() === 'xml') return fault(at, 'an XML declaration is accepted only at the very start')
  const end = text.indexOf('?>', at)
  return end === -1 ? fault(at, 'a processing instruction is never closed') : end + 2
}

const END_TAG = new RegExp(`</(${XML_NAME}(?::${XML_NAME})?)[ \\t\\n]*>`, 'uy')

function readEndTag({ text, open }: Walk, at: number): Step {
  const opened = open.pop()
  if (opened) {
    const end = at + 2 + opened.name.length
    if (text.charCodeAt(end) === GREATER_THAN && text.startsWith(opened.name, at + 2)) return end + 1
  }
  END_TAG.lastIndex = at
  const name = END_TAG.exec(text)?.[1]
  if (name === undefined) return fault(at, 'an end tag is malformed')
  if (!opened) return fault(at, `</${shown(name)}> closes nothing`)
  if (opened.name !== name) return fault(at, `<${shown(opened.name)}> is closed by </${shown(name)}>`)
  return END_TAG.lastIndex
}

const START_TAG = new RegExp(`<(?:(${XML_NAME}):)?(${XML_NAME})`, 'uy')
const ATTRIBUTE = new RegExp(
  `[ \\t\\n]+(?:(${XML_NAME}):)?(${XML_NAME})[ \\t\\n]*=[ \\t\\n]*(?:"([^"]*)"|'([^']*)')`,
  'uy',
)
const TAG_END = /[ \t\n]*(\/?)>/y

function readStartTag(walk: Walk, at: number): Step {
  const { text, open } = walk
  START_TAG.lastIndex = at
  const tag = START_TAG.exec(text)
  if (!tag) return fault(at, '"<" begins no tag (in text it is written "&lt;")')
  const [written, prefix, localName = ''] = tag
  const name = prefix === undefined ? localName : written.slice(1)
  if (open.length === 0 && walk.root) return fault(at, `<${shown(name)}> is a second root element`)
  if (open.length >= walk.deepest) return fault(at, `elements are nested more than ${walk.deepest} levels deep`)

  const attributes: WrittenAttribute[] = []
  const next = readAttributes(text, at + written.length, name, attributes)
  if (typeof next !== 'number') return next

  const parent = open.at(-1)
  const namespaces = declareNamespaces(parent?.namespaces ?? NO_PREFIXES, attributes)
  const namespace = namespaceOf(prefix ?? '', namespaces)
  if (namespace === undefined) return fault(at, `prefix "${shown(prefix ?? '')}" is not declared`)
  const wrong = findAttributeFault(attributes, namespaces)
  if (wrong) return fault(wrong.at, wrong.problem)

  const element: Growing = { name: localName, namespace, attributes: readable(attributes), elements: [], text: '' }
  if (parent) parent.element.elements.push(element)
  else walk.root = element
  if (text.charCodeAt(next) === GREATER_THAN) {
    open.push({ name, at, namespaces, element })
    return next + 1
  }
  TAG_END.lastIndex = next
  if (TAG_END.exec(text)?.[1] !== '/') open.push({ name, at, namespaces, element })
  return TAG_END.lastIndex
}

/** @returns where the tag's end stands: `>` or `/>`, with the white space before it */
function readAttributes(text: string, from: number, element: string, attributes: WrittenAttribute[]): Step {
  let at = from
  while (text.charCodeAt(at) !== GREATER_THAN) {
    ATTRIBUTE.lastIndex = at
    const match = ATTRIBUTE.exec(text)
    if (!match) break
    const [whole, prefix, name = ''] = match
    const value = match[3] ?? match[4] ?? ''
    const nameAt = at + whole.search(NOT_SPACE)
    at += whole.length
    const valueAt = at - 1 - value.length
    const lessThan = value.indexOf('<')
    if (lessThan !== -1) return fault(valueAt + lessThan, '"<" in an attribute (it is written "&lt;")')
    const reference = findBadReference(value)
    if (reference) return fault(valueAt + reference.at, reference.problem)
    attributes.push({ prefix, name, value, at: nameAt })
  }
  TAG_END.lastIndex = at
  if (TAG_END.test(text)) return at
  const rest = text.slice(at).search(NOT_SPACE)
  return fault(rest === -1 ? text.length : at + rest, `the tag <${shown(element)}> is malformed here`)
}

const NOT_SPACE = /[^ \t\n]/
const NONE: readonly XmlAttribute[] = []

/** Without the declarations of namespaces. White space reads as spaces (XML 1.0, section 3.3.3); what a reference stands for does not. */
function readable(written: readonly WrittenAttribute[]): readonly XmlAttribute[] {
  if (written.length === 0) return NONE
  const attributes: XmlAttribute[] = []
  for (const { prefix, name, value } of written) {
    if (prefix === 'xmlns' || (prefix === undefined && name === 'xmlns')) continue
    attributes.push({ name, prefix, value: decodeReferences(OTHER_SPACE.test(value) ? spaced(value) : value) })
  }
  return attributes
}

const OTHER_SPACE = /[\t\n]/
const spaced = (value: string): string => value.replace(/[\t\n]/g, ' ')
