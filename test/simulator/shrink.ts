// A life that broke a promise → a shorter one that breaks the same. Enter: a plan. Leave: a plan with as few steps as can be found
// within a bounded number of lives. Leaving out is all it does: what the steps meet is drawn by name, so it hardly changes.
import { live } from './live.ts'
import type { Plan, Step } from './plan.ts'
import type { PromiseName } from './promises.ts'

/** Who waits: somebody who wants to see what happened. */
const LIVES_LIMIT = 400

/** @param promise that the life of the plan breaks */
export async function shrink(plan: Plan, promise: PromiseName): Promise<Plan> {
  let { steps } = plan
  let lives = 0
  const breaks = async (some: readonly Step[]): Promise<boolean> => {
    lives++
    const { broken } = await live({ ...plan, steps: some })
    return broken?.promise === promise
  }
  // Delta debugging: large parts first, and single steps at last, until no single step can be left out.
  for (let size = Math.ceil(steps.length / 2); size >= 1 && lives < LIVES_LIMIT;) {
    let isShorter = false
    for (let at = 0; at < steps.length && lives < LIVES_LIMIT;) {
      const without = [...steps.slice(0, at), ...steps.slice(at + size)]
      if (await breaks(without)) {
        steps = without
        isShorter = true
      } else at += size
    }
    if (size > 1) size = Math.ceil(size / 2)
    else if (!isShorter) break
  }
  return { ...plan, steps }
}
