// Why a payload cannot be rendered: an expected answer of every room here, and the text of the dead letter.
// Enter: our own words, and names out of the change. Leave: a tagged value. Never: a value of the change, which may be private.

export type Unrenderable = { readonly kind: 'unrenderable'; readonly error: string }

export const unrenderable = (error: string): Unrenderable => ({ kind: 'unrenderable', error })

/** What is shown of a name: the dead letter's error has 1 KiB, and a name can be as long as its record. */
const LONGEST_NAME = 80

/** A name out of a change, in quotes, with what cannot be printed written as escapes. */
export function quoted(name: string): string {
  const characters = Array.from(name)
  const shown = characters.length <= LONGEST_NAME ? name : `${characters.slice(0, LONGEST_NAME).join('')}…`
  return JSON.stringify(shown)
}

/** `U+0001`, for a character that cannot be shown. */
export const codePointLabel = (codePoint: number): string =>
  `U+${codePoint.toString(16).toUpperCase().padStart(4, '0')}`
