// The door to the yaml package for reading: text → a located tree. Enter: YAML 1.2, so JSON too. Leave: the tree, and what is
// wrong with the writing. Never: tags, anchors or several documents; what a file says is written where it says it.
import { isMap, isScalar, isSeq, LineCounter, parseAllDocuments, visit, type Document, type YAMLError } from 'yaml'
import type { Entry, Located, Place, Report, Scalar } from './located.ts'

/** Deeper than any forwarding file, and far from where recursion would end the process. */
const DEEPEST = 20

/** @returns the tree; undefined when there is none: then everything that can be said was reported */
export function readYaml(text: string, report: Report): Located | undefined {
  const lines = new LineCounter()
  const placeOf = (offset: number): Place => {
    const { line, col } = lines.linePos(offset)
    return { line: Math.max(line, 1), column: Math.max(col, 1) }
  }
  const documents = parseAllDocuments(shelter(untab(text)), {
    lineCounter: lines,
    prettyErrors: false,
    // Reported below, with the other mistakes.
    uniqueKeys: false,
    logLevel: 'silent',
  })
  const [document, second] = Array.isArray(documents) ? documents : []
  if (!document || isEmpty(document)) {
    report(
      { line: 1, column: 1 },
      'the file is empty',
      'begin with project: <your project>, then connections: and repeaters:',
    )
    return undefined
  }
  if (second) {
    const at = placeOf(second.range[0])
    report(at, 'the file holds several documents', 'put each project in a file of its own and remove the line ---')
    return undefined
  }
  if (reportBroken(document, placeOf, report)) return undefined
  return locate(document.contents, placeOf, report, 0)
}

/** A file of JSON may be indented with tabs, YAML may not. */
function untab(text: string): string {
  if (!text.includes('\t') || !/^\s*\{/.test(text)) return text
  try {
    JSON.parse(text)
    // In valid JSON a tab itself is always white space.
    return text.replaceAll('\t', ' ')
  } catch {
    return text
  }
}

/**
 * `{ password: ${env:P} }`: inside braces YAML takes those of a reference for its own. They are exchanged, one for one so that
 * places stay, for characters that no text holds (Unicode noncharacters), and changed back in what was read.
 */
const FLOW_CHARACTERS = '{}[],'
const FIRST_SHELTER = 0xfdd0
const shelter = (text: string): string =>
  text.replace(/\$\{[^}\s"']*\}/g, (reference) =>
    reference.replace(/[{}[\],]/g, (one) => String.fromCharCode(FIRST_SHELTER + FLOW_CHARACTERS.indexOf(one))),
  )
const unshelter = (text: string): string =>
  text.replace(/[\ufdd0-\ufdd4]/g, (one) => FLOW_CHARACTERS[one.charCodeAt(0) - FIRST_SHELTER] ?? one)

/** One mistake a line: those that follow on the same line are its echo. */
function reportBroken(document: Document, placeOf: (offset: number) => Place, report: Report): boolean {
  const told = new Set<number>()
  const tell = (offset: number, message: string, fix: string) => {
    const place = placeOf(offset)
    if (!told.has(place.line)) report(place, message, fix)
    told.add(place.line)
  }
  for (const error of [...document.errors, ...document.warnings]) tell(error.pos[0], ...explain(error))
  visit(document, {
    Alias: (_key, alias) => tell(alias.range?.[0] ?? 0, 'aliases are not read', 'write the value itself here'),
    Value: (_key, node) => {
      if (node.anchor !== undefined) {
        tell(
          node.range?.[0] ?? 0,
          `the anchor &${node.anchor} is not read`,
          'remove it, and write the value wherever it is needed',
        )
      }
    },
  })
  return told.size > 0
}

/** The package's types leave out that a document may have no contents. */
const isEmpty = ({ contents, errors }: { readonly contents: unknown; readonly errors: readonly unknown[] }): boolean =>
  contents === null && errors.length === 0

function explain(error: YAMLError): [message: string, fix: string] {
  switch (error.code) {
    case 'TAB_AS_INDENT':
      return ['a tab indents this line', 'indent with spaces']
    case 'MULTILINE_IMPLICIT_KEY':
      return [
        'this is no key with a value',
        'write key: value, with a space after the colon, and quote a value that holds ": "',
      ]
    case 'BAD_INDENT':
    case 'BLOCK_AS_IMPLICIT_KEY':
      if (/flow/i.test(error.message)) {
        return [
          'a brace or bracket that was opened above is not closed',
          'close it, or indent this line further than the key above',
        ]
      }
      return [
        'the indentation does not fit the lines above',
        'begin keys of one map, and items of one list, in the same column',
      ]
    case 'BAD_SCALAR_START':
      return ['a value must not begin with this character', 'put the value in quotes']
    case 'BAD_DQ_ESCAPE':
      return ['the text holds an escape that YAML does not know', 'write a backslash as \\\\, or use single quotes']
    case 'TAG_RESOLVE_FAILED':
      return ['tags are not read', 'remove the word that begins with "!", or quote the value']
    case 'MISSING_CHAR':
      return [
        `the writing breaks off: ${unshelter(error.message)}`,
        'close every quote, brace and bracket, and put a space after each colon',
      ]
    default:
      return [
        `this is not YAML: ${unshelter(error.message)}`,
        'quote the value if it is text, or correct the indentation',
      ]
  }
}

function locate(node: unknown, placeOf: (offset: number) => Place, report: Report, depth: number): Located {
  const place = placeOf(offsetOf(node))
  if (depth > DEEPEST) {
    report(place, 'the file is nested too deep', 'a forwarding file needs no more than five levels')
    return { kind: 'scalar', place, value: null, source: '' }
  }
  if (isSeq(node)) {
    return { kind: 'list', place, items: node.items.map((item) => locate(item, placeOf, report, depth + 1)) }
  }
  if (isMap(node)) {
    const entries: Entry[] = []
    for (const { key, value } of node.items) {
      const at = placeOf(offsetOf(key))
      const name = isScalar(key) ? unshelter(sourceOf(key)) : ''
      const first = entries.find((entry) => entry.key === name)
      if (!isScalar(key)) report(at, 'a key must be a word', 'write key: value')
      else if (first) report(at, `${name} is written twice`, `keep one: the first is on line ${first.place.line}`)
      else {
        const located = value === null ? missingValue(at) : locate(value, placeOf, report, depth + 1)
        entries.push({ key: name, place: at, value: located })
      }
    }
    return { kind: 'map', place, entries }
  }
  if (!isScalar(node)) return missingValue(place)
  return { kind: 'scalar', place, value: scalarOf(node.value), source: unshelter(sourceOf(node)) }
}

const missingValue = (place: Place): Located => ({ kind: 'scalar', place, value: null, source: '' })

const offsetOf = (node: unknown): number =>
  (isScalar(node) || isMap(node) || isSeq(node) ? node.range?.[0] : undefined) ?? 0

const sourceOf = (node: { readonly source?: string; readonly value: unknown }): string =>
  node.source ?? String(node.value)

function scalarOf(value: unknown): Scalar {
  if (typeof value === 'string') return unshelter(value)
  if (typeof value === 'number' || typeof value === 'boolean') return value
  // Core YAML has no other scalars; a bigint or a date would need a tag, and tags are refused.
  return null
}
