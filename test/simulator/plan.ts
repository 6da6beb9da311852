// A seed → what is going to happen in a life: a scenario, and steps in their order. Pure. What the steps meet (answers, delays,
// lost acknowledgements) is drawn by name, not in turn, so that a life with a step less is nearly the same life.
import type { Millis } from '../../services/shared/clock.ts'
import { openRandom, type Random } from '../support/random.ts'

/**
 * | scenario | what it is about |
 * |---|---|
 * | narrow | memory for a dozen records: pauses, spills |
 * | wide | memory for all: tiers, superseding, crashes in quick succession |
 * | members | up to three processes: rebalances, processes that are stopped and go on, that come and leave |
 * | operators | letters put back, repeaters removed or made to forward another kind, topics no longer read, clocks that jump |
 * | anew | a source topic that is deleted and made anew, again and again, under processes that come, go and die |
 * | healing | a remote that is dead and heals while one case changes all the time |
 */
export const SCENARIOS = ['narrow', 'wide', 'members', 'operators', 'anew', 'healing'] as const
export type Scenario = (typeof SCENARIOS)[number]

export type Topic = 'cases' | 'forms'
export type Flavour = 'open' | 'closed' | 'garbage' | 'tombstone' | 'large'

export type Step =
  | { readonly kind: 'produce'; readonly topic: Topic; readonly case: number; readonly flavour: Flavour }
  /** @property most records of a partition */
  | { readonly kind: 'fetch'; readonly most: number }
  | { readonly kind: 'pass'; readonly by: Millis }
  /** The group shares its numbers anew. @property turn 0 hands back what everybody had */
  | { readonly kind: 'rebalance'; readonly turn: number }
  /** @property who counts the members that live, round and round */
  | { readonly kind: 'crash'; readonly who: number }
  | { readonly kind: 'stop'; readonly who: number; readonly for: Millis }
  | { readonly kind: 'join' }
  | { readonly kind: 'leave'; readonly who: number }
  | { readonly kind: 'restart'; readonly forms: boolean }
  | { readonly kind: 'redirect' }
  | { readonly kind: 'slots'; readonly count: number }
  | { readonly kind: 'shift'; readonly to: Topic | 'gone' }
  | { readonly kind: 'requeue'; readonly which: number; readonly forced: boolean; readonly twice: boolean }
  | { readonly kind: 'jump'; readonly by: Millis }
  /** The topic of the cases is deleted and made anew. */
  | { readonly kind: 'anew' }
  | { readonly kind: 'die' }
  | { readonly kind: 'heal' }
  /** What was open when the remotes healed has moved on by now. */
  | { readonly kind: 'judge-healed' }

export type Plan = { readonly seed: number; readonly scenario: Scenario; readonly steps: readonly Step[] }

const SHORT = SCENARIOS.filter((scenario) => scenario !== 'healing')
/** A life that heals is twenty times as long as another. */
const HEALING_EVERY = 17
const STEPS = 60
const CASES = 5
/** Of the restoring that follows a crash: the next crash comes in the midst of it. */
const SOON: Millis = 400
/** Longer than a session, and within the lease. */
const STOPPED = { long: 22_000, short: 4_000 }
const DEAD_FOR: Millis = 100_000
const HEALED_WITHIN: Millis = 150_000
const HOT_CHANGES_EVERY: Millis = 900

export function planLife(seed: number): Plan {
  const scenario = seed % HEALING_EVERY === 0 ? 'healing' : (SHORT[seed % SHORT.length] ?? 'narrow')
  const random = openRandom(seed, 'plan')
  return { seed, scenario, steps: scenario === 'healing' ? planHealing(random) : planSteps(scenario, random) }
}

function planSteps(scenario: Exclude<Scenario, 'healing'>, random: Random): readonly Step[] {
  const steps: Step[] = []
  // Half of the lives are spared most crashes: what takes its time (schedules, tiers) comes to its end in those.
  const isCalm = random.chance(0.5)
  const longest = isCalm ? 3_000 : 1_500
  if (!isCalm && random.chance(0.2)) steps.push(...earlyCrash(scenario, random))
  while (steps.length < STEPS) {
    const luck = random.between(0, 1)
    const isSpared = isCalm && random.chance(0.7)
    if (luck < 0.33) for (let i = 0; i < 3; i++) steps.push(aChange(scenario, random))
    else if (luck < 0.58) steps.push({ kind: 'fetch', most: 1 + random.whole(6) })
    else if (luck < 0.86 || isSpared) steps.push({ kind: 'pass', by: Math.round(random.between(0, longest)) })
    else if (luck < 0.89)
      steps.push({ kind: 'rebalance', turn: scenario === 'members' || scenario === 'anew' ? random.whole(3) : 0 })
    else if (luck < 0.92) steps.push(...crashes(random))
    else if (luck < 0.94)
      steps.push(random.chance(0.5) ? { kind: 'redirect' } : { kind: 'slots', count: 1 + random.whole(4) })
    else steps.push(...special(scenario, random))
  }
  // Letters are there by then.
  if (scenario === 'operators')
    for (let i = 0; i < 4; i++) steps.push({ kind: 'pass', by: 1_000 }, aRequeue(random), { kind: 'fetch', most: 6 })
  return steps
}

const aRequeue = (random: Random): Step => ({
  kind: 'requeue',
  which: random.whole(100),
  forced: random.chance(0.2),
  twice: random.chance(0.2),
})

function aChange(scenario: Scenario, random: Random): Step {
  const luck = random.between(0, 1)
  const flavour =
    luck < 0.03 ? 'garbage' : luck < 0.06 ? 'tombstone' : luck < 0.08 ? 'large' : luck < 0.22 ? 'closed' : 'open'
  const topic = scenario === 'operators' && random.chance(0.4) ? 'forms' : 'cases'
  return { kind: 'produce', topic, case: random.whole(CASES), flavour }
}

/** Where there is one crash the next is near, as with a machine that is out of memory, or one that is restarted with a fault. */
function crashes(random: Random): readonly Step[] {
  const steps: Step[] = [{ kind: 'crash', who: random.whole(3) }]
  while (random.chance(0.4)) {
    steps.push({ kind: 'fetch', most: 1 + random.whole(3) }, { kind: 'pass', by: Math.round(random.between(0, SOON)) })
    if (random.chance(0.5)) steps.push({ kind: 'fetch', most: 1 + random.whole(6) })
    steps.push({ kind: 'crash', who: random.whole(3) })
  }
  return steps
}

/** Before the first commit, and what is read after it is read bit by bit. */
function earlyCrash(scenario: Scenario, random: Random): readonly Step[] {
  const steps: Step[] = []
  for (let i = 0; i < 8; i++) steps.push(aChange(scenario, random))
  steps.push({ kind: 'pass', by: 60 }, { kind: 'fetch', most: 6 }, { kind: 'pass', by: random.whole(300) })
  steps.push({ kind: 'crash', who: 0 })
  for (let i = 0; i < 4; i++) steps.push({ kind: 'pass', by: 100 + random.whole(200) }, { kind: 'fetch', most: 1 })
  return steps
}

function special(scenario: Scenario, random: Random): readonly Step[] {
  if (scenario === 'anew' && random.chance(0.5)) return [{ kind: 'anew' }]
  if (scenario === 'members' || scenario === 'anew') {
    const luck = random.between(0, 1)
    if (luck < 0.3) return [{ kind: 'join' }]
    if (luck < 0.5) return [{ kind: 'leave', who: random.whole(3) }]
    return [{ kind: 'stop', who: random.whole(3), for: random.chance(0.7) ? STOPPED.long : STOPPED.short }]
  }
  if (scenario !== 'operators') return crashes(random)
  const luck = random.between(0, 1)
  if (luck < 0.35) return [{ kind: 'shift', to: random.pick(['cases', 'forms', 'gone']) }]
  if (luck < 0.75) return [aRequeue(random)]
  if (luck < 0.9) return [{ kind: 'jump', by: Math.round(random.between(-20_000, 20_000)) }]
  return [{ kind: 'restart', forms: random.chance(0.5) }]
}

/** One case changes all the while, so that its newest state is nearly always too young to be due. */
function planHealing(random: Random): readonly Step[] {
  const hot = random.whole(CASES)
  const steps: Step[] = []
  const hotFor = (length: Millis) => {
    for (let passed = 0; passed < length; passed += HOT_CHANGES_EVERY) {
      steps.push({ kind: 'produce', topic: 'cases', case: hot, flavour: 'open' })
      if (random.chance(0.1)) steps.push(aChange('healing', random))
      steps.push({ kind: 'fetch', most: 6 }, { kind: 'pass', by: HOT_CHANGES_EVERY })
    }
  }
  for (let i = 0; i < 12; i++) steps.push(aChange('healing', random))
  hotFor(5_000)
  steps.push({ kind: 'die' })
  hotFor(DEAD_FOR)
  steps.push({ kind: 'heal' })
  hotFor(HEALED_WITHIN)
  steps.push({ kind: 'judge-healed' })
  return steps
}
