// A broken promise → what somebody reads who wants to know why: the promise, what was seen, and what happened until then. Pure.
import { PROMISES, type Broken } from './promises.ts'
import type { Plan } from './plan.ts'

export type Line = { readonly at: number; readonly text: string }

export type Failure = {
  readonly seed: number
  readonly scenario: Plan['scenario']
  readonly broken: Broken
  /** Steps of the whole plan. */
  readonly steps: number
  /** Those that are left once the others are known not to matter. */
  readonly shrunk: Plan['steps']
  readonly story: readonly Line[]
}

const LINES_LIMIT = 250

export function renderFailure({ seed, scenario, broken, steps, shrunk, story }: Failure): string {
  const shown = story.slice(-LINES_LIMIT)
  const left = story.length - shown.length
  return [
    `seed ${seed} (${scenario}) broke ${broken.promise}: ${PROMISES[broken.promise]}`,
    `  ${broken.seen.replaceAll('\n', '\n  ')}`,
    '',
    `  ${shrunk.length} of its ${steps} steps suffice:`,
    ...(left > 0 ? [`    … ${left} lines before`] : []),
    ...shown.map(({ at, text }) => `    ${(at / 1_000).toFixed(3).padStart(9)} s  ${text}`),
    '',
    `  To see it again: npm run simulate -- --seed ${seed}`,
  ].join('\n')
}
