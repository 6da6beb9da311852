// Text as XML 1.0 can hold it. Enter: any text. Leave: the same text escaped, or the first character that cannot be there.
// Never: a replaced or dropped character. What XML cannot hold even as a reference is found, and the caller refuses it.
import { codePointLabel } from './unrenderable.ts'

const IN_TEXT = /[&<>\r]/g
const IN_ATTRIBUTE = /[&<>"\t\n\r]/g
// A parser turns a bare carriage return into a line feed, and white space of an attribute into spaces: references survive.
const ESCAPED: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
}
const escaped = (character: string): string => ESCAPED[character] ?? character

export const escapeText = (text: string): string => text.replace(IN_TEXT, escaped)
export const escapeAttribute = (text: string): string => text.replace(IN_ATTRIBUTE, escaped)

/** Everything outside the production Char of XML 1.0, section 2.2: with the flag `u`, \p{Cs} is a lone surrogate. */
const UNHOLDABLE = /[\0-\x08\x0b\x0c\x0e-\x1f\p{Cs}\ufffe\uffff]/u

/** @returns where the first character is that XML 1.0 cannot hold, in UTF-16 units, or -1 */
export const findUnholdable = (text: string): number => text.search(UNHOLDABLE)

/** @returns `U+0001` for the first character that XML 1.0 cannot hold, or undefined */
export function unholdableCharacter(text: string): string | undefined {
  const at = findUnholdable(text)
  return at === -1 ? undefined : codePointLabel(text.codePointAt(at) ?? 0)
}

/** `<name>text</name>`, or `<name/>` when there is no text. The name MUST be an XML name. */
export const renderElement = (name: string, text: string): string =>
  text === '' ? `<${name}/>` : `<${name}>${escapeText(text)}</${name}>`
