// Where the repository's own things lie, whatever folder a command is called from.
import { join } from 'node:path'

export const REPOSITORY = join(import.meta.dirname, '..', '..')
/** Ignored by Git. Everything in it can be thrown away: the next run fetches it again. */
export const CACHE = join(REPOSITORY, '.cache')
