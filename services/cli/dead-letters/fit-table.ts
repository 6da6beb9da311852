// Rows → a table that is not wider than the terminal. Pure. Enter: titles, cells of printable text, the width there is.
// Leave: lines. The widest column gives way first; what is cut ends in `…`. Never: a line that is wider than asked for.

/** Below this a column says nothing: from here on the others are cut, then the line. */
const NARROWEST = 6
const GAP = '  '

/** @param width columns; null: as wide as it gets, for what is piped stays whole */
export function fitTable(
  titles: readonly string[],
  rows: readonly (readonly string[])[],
  width: number | null,
): readonly string[] {
  const widths = titles.map((title, column) =>
    Math.max(columnsOf(title), ...rows.map((row) => columnsOf(row[column] ?? ''))),
  )
  if (width !== null) shrink(widths, width - GAP.length * (titles.length - 1))
  const line = (cells: readonly string[]): string => {
    const text = cells
      .map((cell, column) => pad(cut(cell, widths[column] ?? 0), widths[column] ?? 0))
      .join(GAP)
      .trimEnd()
    return width === null ? text : cut(text, width)
  }
  return [titles, ...rows].map(line)
}

/** Takes from the widest until the sum fits, or none has anything left to give. */
function shrink(widths: number[], most: number): void {
  let surplus = widths.reduce((sum, width) => sum + width, 0) - most
  while (surplus > 0) {
    const widest = Math.max(...widths)
    if (widest <= NARROWEST) return
    const second = Math.max(NARROWEST, ...widths.filter((width) => width < widest))
    const column = widths.indexOf(widest)
    // Down to the next one in a step, for a row may hold a kilobyte; of equals, each in turn.
    const taken = Math.max(1, Math.min(surplus, widest - second))
    widths[column] = widest - taken
    surplus -= taken
  }
}

const pad = (text: string, width: number): string => text + ' '.repeat(Math.max(0, width - columnsOf(text)))

/** @returns the text, or its beginning and `…`, in at most so many columns */
export function cut(text: string, width: number): string {
  if (columnsOf(text) <= width) return text
  if (width < 1) return ''
  let taken = ''
  let columns = 0
  for (const character of text) {
    columns += columnsOf(character)
    if (columns > width - 1) break
    taken += character
  }
  return `${taken}…`
}

/** Joined to the character before it. */
const COMBINING = /^[\p{M}\ufe0f]$/u
/** Two columns in a terminal: East Asian wide and full-width characters, and emoji (Unicode Annex 11). */
const WIDE =
  /^[\u1100-\u115f\u2329\u232a\u2e80-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]$/u
const PLAIN = /^[\x20-\x7e]*$/

/** How many columns of a terminal the text takes. */
export function columnsOf(text: string): number {
  if (PLAIN.test(text)) return text.length
  let columns = 0
  for (const character of text) columns += COMBINING.test(character) ? 0 : WIDE.test(character) ? 2 : 1
  return columns
}
