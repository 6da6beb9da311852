// Random values come from a seed that is printed, so that any run can be had again: TEST_SEED=<seed>.
import type { TestContext } from 'node:test'
import fc, { type IProperty } from 'fast-check'

/** What TEST_SEED says, for the one run that somebody looks at again; else undefined. */
export function askedSeed(): number | undefined {
  const asked = process.env['TEST_SEED']
  return asked === undefined ? undefined : Number(asked)
}

/** The seed of this run, printed. */
export function seedOf(t: TestContext): number {
  const seed = askedSeed() ?? Math.floor(Math.random() * 0x7fffffff)
  t.diagnostic(`TEST_SEED=${seed}`)
  return seed
}

export function holdsFor<Values>(t: TestContext, property: IProperty<Values>, runs = 300): void {
  fc.assert(property, { seed: seedOf(t), numRuns: runs })
}
