// A plan → a life, from its first step until all is calm and ended. Enter: a plan. Leave: the first promise that was broken, if one was,
// and figures. Never: anything of the machine's own time or luck, so that a plan has one life only.
import type { Plan, Step } from './plan.ts'
import type { Broken } from './promises.ts'
import { World } from './world.ts'

/** Everything is parked at most twice behind each other in the longest tier by then. */
const CALM_ROUNDS = 400
const ROUND = 2_000

export type Life = {
  readonly broken: Broken | null
  /** Steps that were taken before it was. */
  readonly steps: number
  /** What was written to the retry topics. */
  readonly copies: number
}

export async function live(plan: Plan, tells: ((at: number, line: string) => void) | null = null): Promise<Life> {
  const world = new World(plan, tells)
  let taken = 0
  const ended = (): Life => ({ broken: world.broken, steps: taken, copies: world.copies })
  for (const step of [...plan.steps, ...calmOf(plan)]) {
    await world.take(step)
    taken++
    if (world.broken) return ended()
  }
  for (let round = 0; round < CALM_ROUNDS && !world.isQuiet && !world.broken; round++) {
    await world.take({ kind: 'fetch', most: 6 })
    await world.pass(ROUND)
  }
  if (!world.broken) await world.end()
  return ended()
}

/** Who was stopped goes on before that, and every topic is read again. */
const calmOf = ({ scenario }: Plan): readonly Step[] => [
  { kind: 'heal' },
  ...(scenario === 'operators' ? ([{ kind: 'restart', forms: true }] as const) : []),
  ...(scenario === 'members' || scenario === 'operators' || scenario === 'anew'
    ? ([{ kind: 'pass', by: 25_000 }] as const)
    : []),
]
