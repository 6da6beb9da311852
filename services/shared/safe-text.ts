// Foreign bytes → text that is safe in a log line, a Kafka header and a mail. Pure.
// Never: a control character, a line break, or a mark that turns the direction of the text around it.

/** Controls, line and paragraph separators, bidirectional marks and isolates, byte-order mark, lone surrogates. */
const UNSAFE = /[\p{Cc}\p{Cs}\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+/gu
/** Characters kept: what a person reads of an error; with four bytes each it fits the 1 KiB of a header. */
const LONGEST_TEXT = 256

export function safeText(bytes: Buffer | string): string {
  const text = typeof bytes === 'string' ? bytes : bytes.toString('utf8')
  const plain = text.replace(UNSAFE, ' ').replace(/ {2,}/g, ' ').trim()
  const characters = Array.from(plain)
  return characters.length <= LONGEST_TEXT ? plain : `${characters.slice(0, LONGEST_TEXT - 1).join('')}…`
}
