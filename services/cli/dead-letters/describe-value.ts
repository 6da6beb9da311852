// A letter's value → text that a person can read. Pure. Enter: the bytes, and the change where they can be read as one.
// Leave: a name for what it is, and the text: JSON by lines, a form's XML as it was submitted, else the bytes in hexadecimal.
import { isUtf8 } from 'node:buffer'
import { renderWireDocument } from '../../shared/wire/render-document.ts'
import type { LetterChange } from './letter-case.ts'
import { printableLines } from './printable.ts'

export type DescribedValue = {
  readonly form: 'none' | 'json' | 'avro' | 'text' | 'bytes'
  readonly text: string
  /** The document of a form, which is a text of its own. */
  readonly xml: string | null
}

/** As far as a person reads on; `export` has all of it. */
const LONGEST_HEX = 4_096

export function describeValue(value: Buffer | null, change: LetterChange): DescribedValue {
  if (value === null) return { form: 'none', text: '', xml: null }
  if (isUtf8(value)) {
    const text = value.toString('utf8')
    const parsed = parseObject(text)
    return parsed
      ? { form: 'json', ...describeDocument(parsed) }
      : { form: 'text', text: printableLines(text), xml: null }
  }
  if (change.kind === 'read') {
    // As JSON of the same shape, which any client writes.
    const document = parseObject(JSON.stringify(renderWireDocument(change.change)))
    if (document) return { form: 'avro', ...describeDocument(document) }
  }
  return { form: 'bytes', text: hexLines(value), xml: null }
}

type Document = Readonly<Record<string, unknown>>

function parseObject(text: string): Document | undefined {
  try {
    const parsed: unknown = JSON.parse(text)
    return typeof parsed === 'object' && parsed !== null ? (parsed as Document) : undefined
  } catch {
    return undefined
  }
}

function describeDocument(document: Document): { readonly text: string; readonly xml: string | null } {
  const { xml } = document
  const shown = typeof xml === 'string' ? { ...document, xml: `(${Buffer.byteLength(xml)} bytes, below)` } : document
  return {
    text: printableLines(JSON.stringify(shown, null, 2)),
    xml: typeof xml === 'string' ? printableLines(xml) : null,
  }
}

const BYTES_A_LINE = 16

/** Offset, bytes, and what of them is ASCII: as hexdump -C has it. */
function hexLines(value: Buffer): string {
  const shown = value.subarray(0, LONGEST_HEX)
  const lines: string[] = []
  for (let start = 0; start < shown.length; start += BYTES_A_LINE) {
    const bytes = shown.subarray(start, start + BYTES_A_LINE)
    const hex = bytes.toString('hex').replace(/(..)(?=.)/g, '$1 ')
    const ascii = bytes.toString('latin1').replace(/[^\x20-\x7e]/g, '.')
    lines.push(`${start.toString(16).padStart(8, '0')}  ${hex.padEnd(BYTES_A_LINE * 3 - 1)}  ${ascii}`)
  }
  const left = value.length - shown.length
  return [...lines, ...(left > 0 ? [`… and ${left} bytes more: export has them all`] : [])].join('\n')
}
