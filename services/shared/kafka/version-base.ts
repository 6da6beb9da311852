// The bases of versions: version = base + offset. Pure.
// A topic that is made anew begins its offsets again, and added partitions begin theirs while cases move to them; their base is
// raised above every version given so far by a whole step, which no log is long enough to use up. So nobody has to know how far
// the versions had come, and no write has to come before them.
//
// | raised | when | kept in |
// |---|---|---|
// | by a step | a source topic was made anew; added partitions are accepted | a record of `onward.config` (topic-versions.ts) |
// | by a small step | a log ends before what was committed: its offsets are given anew | the commits of that partition |

/** Offsets of one log stay below a small step: a million records a second, for twelve days; ten thousand, for three years. */
const SMALL_STEP = 2 ** 40
/** Sixteen cuts of a log. 128 steps stay below 2^51, with two bits beside a version (lane-table.ts). */
const STEP = 2 ** 44

/** @returns a base above every version of logs that have these */
export const baseAbove = (bases: readonly number[]): number => Math.max(0, ...bases.map(stepOf)) + STEP

/** @returns above every version that the same partition was given before its log was cut */
export const baseAfterCut = (base: number): number => base + SMALL_STEP

/** Two bases of one step are of one log, which may have been cut between. */
export const areOfOneLog = (one: number, other: number): boolean => stepOf(one) === stepOf(other)

const stepOf = (base: number): number => base - (base % STEP)

/** Of commits that name no base, since it is 0. */
const PLAIN = '1:'
const MARK = /^2:(\d{1,16}):/
export const LONGEST_MARK = '2:'.length + 16 + ':'.length

/**
 * The metadata of a commit names the base that its offset goes with: what was committed for a topic of this name that is no more
 * says nothing about the one that is there now.
 * @param map the rest of what the metadata says
 */
export const markBase = (base: number, map: string): string => (base === 0 ? `${PLAIN}${map}` : `2:${base}:${map}`)

/** @returns null for metadata that is not ours, or none: somebody set the offset by hand */
export function readMetadata(metadata: string | null): { readonly base: number; readonly map: string } | null {
  if (metadata?.startsWith(PLAIN)) return { base: 0, map: metadata.slice(PLAIN.length) }
  const mark = metadata === null ? null : MARK.exec(metadata)
  const base = Number(mark?.[1])
  return mark && Number.isSafeInteger(base) ? { base, map: mark.input.slice(mark[0].length) } : null
}
