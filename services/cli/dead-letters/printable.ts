// Foreign text → text that a terminal shows and does not obey. Pure. Nothing is lost: what is unsafe is written as its code.
// Never: a control character, a line separator, a mark that turns the direction of the text around it, half a surrogate pair.

/** The same set as the forwarder keeps out of headers and logs. */
const UNSAFE = /[\p{Cc}\p{Cs}\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu

/** One line: a line break too is written as its code, `\u000a`. */
export const printable = (text: string): string => text.replace(UNSAFE, escaped)

/** Several lines: line breaks stay, and tabs. */
export const printableLines = (text: string): string =>
  text.replace(UNSAFE, (unsafe) => (unsafe === '\n' || unsafe === '\t' ? unsafe : escaped(unsafe)))

/** One line of JSON, which reads back as the same value. */
export const jsonLine = (value: unknown): string => `${printable(JSON.stringify(value))}\n`

const escaped = (unsafe: string): string =>
  Array.from(
    { length: unsafe.length },
    (_, unit) => `\\u${unsafe.charCodeAt(unit).toString(16).padStart(4, '0')}`,
  ).join('')
