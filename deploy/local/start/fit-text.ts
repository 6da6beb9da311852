// Text made to fit a terminal's columns. Pure. Enter: text of any origin. Leave: one line, never longer than asked for.
// Never: a control character, for what a remote API answered must not steer somebody's terminal.

/** C0, DEL and C1: whatever could move the cursor, ring or colour. */
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/g
const SURROGATES = /\p{Surrogate}/gu

/** One line without control characters: line ends and tabs become spaces, what else there is becomes `·`. */
const plainLine = (text: string): string =>
  text
    .replace(/\s*[\r\n\t]+\s*/g, ' ')
    .replace(CONTROL, '·')
    .replace(SURROGATES, '·')

/** The beginning of the text, with `…` as its last character where something was cut. */
export function fitText(text: string, columns: number): string {
  const characters = Array.from(plainLine(text))
  if (characters.length <= columns) return characters.join('')
  return columns <= 0 ? '' : `${characters.slice(0, columns - 1).join('')}…`
}

/** Words on as many lines as they need; a word that is longer than a line stays whole, so that it can be copied. */
export function wrapText(text: string, columns: number): readonly string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > columns) {
      lines.push(line)
      line = ''
    }
    line = line === '' ? word : `${line} ${word}`
  }
  return line === '' ? lines : [...lines, line]
}
