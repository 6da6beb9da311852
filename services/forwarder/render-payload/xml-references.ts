// References in XML text: `&amp;`, `&#233;`, `&#xE9;`. Enter: text as the document writes it. Leave: the first wrong one, or plain text.
// Never: an entity of the document's own making, so a text never grows: XML's five and character references are all there is.
import { codePointLabel } from './unrenderable.ts'
import { findUnholdable } from './xml-text.ts'
import { XML_NAME } from './xml-name.ts'

const ONE_REFERENCE = '&(?:(amp|lt|gt|quot|apos)|#([0-9]{1,9})|#x([0-9A-Fa-f]{1,8}));'
const REFERENCE = new RegExp(ONE_REFERENCE, 'g')
const REFERENCE_HERE = new RegExp(ONE_REFERENCE, 'y')
const NAMED_HERE = new RegExp(`&(${XML_NAME});`, 'uy')

const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

/** @returns where in `text` the first `&` stands that begins no reference, or a wrong one, and what is wrong with it */
export function findBadReference(text: string): { at: number; problem: string } | undefined {
  for (let at = text.indexOf('&'); at !== -1; at = text.indexOf('&', at + 1)) {
    const problem = problemAt(text, at)
    if (problem !== undefined) return { at, problem }
  }
  return undefined
}

function problemAt(text: string, at: number): string | undefined {
  REFERENCE_HERE.lastIndex = at
  const match = REFERENCE_HERE.exec(text)
  if (!match) {
    NAMED_HERE.lastIndex = at
    const name = NAMED_HERE.exec(text)?.[1]
    if (name === undefined) return '"&" begins no reference (it is written "&amp;")'
    return `entity "&${name.slice(0, 40)};" is not one of XML's five`
  }
  if (match[1] !== undefined) return undefined
  const codePoint = codePointOf(match[2], match[3])
  const holdable = codePoint <= 0x10ffff && findUnholdable(String.fromCodePoint(codePoint)) === -1
  return holdable ? undefined : `reference to ${codePointLabel(codePoint)}, which XML 1.0 cannot hold`
}

/** Text in which {@link findBadReference} finds nothing, with each reference replaced by what it stands for, once. */
export const decodeReferences = (text: string): string =>
  text.includes('&')
    ? text.replace(REFERENCE, (_reference, name?: string, decimal?: string, hex?: string) =>
        name === undefined ? String.fromCodePoint(codePointOf(decimal, hex)) : (NAMED[name] ?? ''),
      )
    : text

const codePointOf = (decimal: string | undefined, hex: string | undefined): number =>
  decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number.parseInt(decimal, 10)
