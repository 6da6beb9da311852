// A form's XML as elements. Enter: the submitted bytes. Leave: the root element, or what is wrong with line and column.
// Never: a throw, an expanded entity, a lookup of anything outside the bytes.
import { isUtf8 } from 'node:buffer'
import { readXml } from './read-xml.ts'
import type { XmlElement } from './xml-element.ts'

export type MalformedForm = { readonly kind: 'malformed'; readonly error: string }
type ReadForm = { readonly kind: 'read'; readonly root: XmlElement } | MalformedForm

/** Bounds one parse: it takes about twelve times the document in memory, and holds up the event loop. A form of this size is an upstream's mistake. */
const MOST_BYTES = 10 * 1024 * 1024
/** Bounds the stack of what walks the tree. Forms are nested about ten levels deep. */
const MOST_LEVELS = 100

export function readForm(xml: Buffer): ReadForm {
  if (xml.length > MOST_BYTES) return malformed(`the form has ${xml.length} bytes; at most ${MOST_BYTES} are read`)
  const whole = xml.toString('utf8')
  // A byte order mark is allowed, says nothing in UTF-8, and is no character of the document.
  const marked = whole.startsWith('\ufeff') ? whole.slice(1) : whole
  if (!isUtf8(xml)) return malformedAt(marked, firstReplaced(marked, xml), 'the bytes are not UTF-8')
  // Every line end reads as a line feed (XML 1.0, section 2.11).
  const text = marked.includes('\r') ? marked.replace(/\r\n?/g, '\n') : marked
  const read = readXml(text, MOST_LEVELS)
  return read.kind === 'malformed' ? malformedAt(text, read.at, read.problem) : read
}

const malformed = (error: string): MalformedForm => ({ kind: 'malformed', error })

function malformedAt(text: string, at: number, problem: string): MalformedForm {
  const lines = text.slice(0, at).split(/\r\n|\r|\n/)
  return malformed(`line ${lines.length}, column ${Array.from(lines.at(-1) ?? '').length + 1}: ${problem}`)
}

const REPLACEMENT = Buffer.from('\ufffd')

/** Where the decoder first put U+FFFD for bytes that say something else. */
function firstReplaced(text: string, xml: Buffer): number {
  let bytes = xml.length >= 3 && xml.readUIntBE(0, 3) === 0xefbbbf ? 3 : 0
  let from = 0
  for (;;) {
    const at = text.indexOf('\ufffd', from)
    if (at === -1) return text.length
    bytes += Buffer.byteLength(text.slice(from, at))
    if (!xml.subarray(bytes, bytes + REPLACEMENT.length).equals(REPLACEMENT)) return at
    bytes += REPLACEMENT.length
    from = at + 1
  }
}
