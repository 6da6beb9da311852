// What somebody probably meant. Pure. Enter: a word nobody knows and the words that are known. Leave: the nearest, or nothing
// when none is near: a far-fetched guess misleads more than it helps.

/** A third of the word may be wrong, and never more than this: beyond it any word is near any other. */
const MOST_EDITS = 4

export function nearest<Word extends string>(word: string, known: Iterable<Word>): Word | undefined {
  const asked = plain(word)
  let best: Word | undefined
  let fewest = Math.min(MOST_EDITS, Math.max(1, Math.floor(asked.length / 3))) + 1
  for (const candidate of known) {
    const edits = editsBetween(asked, plain(candidate))
    if (edits < fewest) {
      fewest = edits
      best = candidate
    }
  }
  return best
}

/** ` (did you mean X?)`, or nothing: to be put behind the word that is not known. */
export function didYouMean(word: string, known: Iterable<string>): string {
  const meant = nearest(word, known)
  return meant === undefined ? '' : ` (did you mean ${meant}?)`
}

/** Case and separators are what people mix up most: `case_types` is `caseTypes`. */
const plain = (word: string): string => word.toLowerCase().replace(/[-_ ]/g, '')

/** Insertions, deletions, replacements, and swaps of neighbours (optimal string alignment). */
export function editsBetween(from: string, to: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let i = 1; i <= from.length; i++) {
    const row = [i]
    for (let j = 1; j <= to.length; j++) {
      const replaced = at(last, j - 1) + (from[i - 1] === to[j - 1] ? 0 : 1)
      let edits = Math.min(replaced, at(last, j) + 1, at(row, j - 1) + 1)
      if (i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]) {
        edits = Math.min(edits, at(beforeLast, j - 2) + 1)
      }
      row.push(edits)
    }
    beforeLast = last
    last = row
  }
  return at(last, to.length)
}

const at = (row: readonly number[], index: number): number => row[index] ?? 0
