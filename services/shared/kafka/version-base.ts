// The bases of versions: version = base + offset. Pure.
// A topic that is made anew begins its offsets again, a log that was cut gives the last ones anew, and added partitions begin theirs
// while cases move to them. Then a base is raised by a whole step, which no log is long enough to use up: so nobody has to know how
// far the versions had come, and no write comes before a version is given.

/** A log of a thousand changes a second is as long after five hundred years. 127 steps stay below `LIMIT`. */
const STEP = 2 ** 44
/** Of versions: with two bits beside them they are whole numbers that a double holds (lane-table.ts). */
const LIMIT = 2 ** 51

/** The order of a case's changes, for good: whatever becomes of its topic, a later change has a higher one. */
export const versionOf = ({ base, offset }: { readonly base: number; readonly offset: number }): number => base + offset

/** @returns a base above every version of logs that have these: a step above the highest */
export const baseAbove = (bases: readonly number[]): number => Math.max(0, ...bases) + STEP

export const isBase = (value: unknown): value is number =>
  Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) + STEP <= LIMIT

/** Of commits that name no base, since it is 0. */
const PLAIN = '1:'
const MARK = /^2:(\d{1,16}):/
/** Bytes. */
export const LONGEST_MARK = '2:'.length + 16 + ':'.length

/**
 * The metadata of a commit names the base that its offset goes with: what was committed for a topic of this name that is no more
 * says nothing about the one that is there now.
 * @param map the rest of what the metadata says
 */
export const markBase = (base: number, map: string): string => (base === 0 ? `${PLAIN}${map}` : `2:${base}:${map}`)

/** @returns null for metadata that is not ours, or none: somebody set the offset by hand */
export function readMark(metadata: string | null): { readonly base: number; readonly map: string } | null {
  if (metadata?.startsWith(PLAIN)) return { base: 0, map: metadata.slice(PLAIN.length) }
  const mark = metadata === null ? null : MARK.exec(metadata)
  const base = Number(mark?.[1])
  return mark && isBase(base) ? { base, map: mark.input.slice(mark[0].length) } : null
}
