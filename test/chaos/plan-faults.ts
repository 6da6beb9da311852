// The schedule of faults: for each track what happens one after another, how long it lasts, and how long it is quiet before it.
// Enter: a seed and how long the run is to be. Leave: the same plan for the same seed. Pure. What the machine makes of it differs:
// a broker that starts slowly moves what comes behind it on its track.
import type { Millis } from '../../services/shared/clock.ts'
import type { Point } from './points.ts'
import { openRandom, type Random } from '../support/random.ts'

export type MemberFault =
  /** kill -9, and started again after `lasts`. */
  | 'kill'
  /** All of them at once. */
  | 'kill-all'
  /** SIGSTOP, SIGCONT after `lasts`. */
  | 'stop'
  /** SIGTERM, awaited, and started again after `lasts`. */
  | 'term'
  /** Two further members come and go for as long as it lasts. */
  | 'storm'
  /** A further member leaves as soon as it has joined: what was to move to it is handed straight back. */
  | 'hand-back'
export type BrokerFault =
  /** kill -9 of one, and started again. */
  | 'kill'
  /** Of all of them, and started again. */
  | 'kill-all'
export type Mood = 'well' | 'slow' | 'refuse' | 'hang' | 'drip' | 'reset' | 'cut' | 'flap' | 'unavailable' | 'busy'

export type Step<Fault> = {
  readonly fault: Fault
  /** Which one it is for, from 0; the doer takes it modulo how many there are. */
  readonly whom: number
  readonly lasts: Millis
  readonly rest: Millis
}

export type Plan = {
  readonly members: readonly Step<MemberFault>[]
  readonly points: readonly Step<Point>[]
  readonly broker: readonly Step<BrokerFault>[]
  /** For each remote a track of its own. */
  readonly remotes: readonly (readonly Step<Mood>[])[]
}

export const planFaults = (seed: number, length: Millis, remotes: number): Plan => ({
  members: fill(length, memberSteps(openRandom(seed, 'members'))),
  points: fill(length, pointSteps(openRandom(seed, 'points'))),
  broker: fill(length, brokerSteps(openRandom(seed, 'broker'), length)),
  remotes: Array.from({ length: remotes }, (_, place) =>
    fill(length, remoteSteps(openRandom(seed, `remote ${place}`))),
  ),
})

function fill<Fault>(length: Millis, next: (at: Millis) => Step<Fault>): readonly Step<Fault>[] {
  const steps: Step<Fault>[] = []
  for (let at = 0; at < length;) {
    const step = next(at)
    steps.push(step)
    at += step.lasts + step.rest
  }
  return steps
}

/** Every one comes once before any comes again: a run of two minutes has room for little more than one of each. */
function dealer<Fault>(all: readonly [Fault, ...Fault[]], random: Random): () => Fault {
  let left: Fault[] = []
  return () => {
    if (left.length === 0) left = [...all]
    return left.splice(random.whole(left.length), 1)[0] ?? all[0]
  }
}

function memberSteps(random: Random): () => Step<MemberFault> {
  const deal = dealer<MemberFault>(['kill', 'stop', 'term', 'storm', 'kill-all', 'hand-back'], random)
  return () => {
    const fault = deal()
    return { fault, whom: random.whole(1_000), lasts: lengthOf(fault, random), rest: random.between(4_000, 10_000) }
  }
}

function lengthOf(fault: MemberFault, random: Random): Millis {
  if (fault === 'stop') return random.between(20_000, 60_000)
  if (fault === 'storm') return random.between(8_000, 14_000)
  return random.between(200, 3_000)
}

function pointSteps(random: Random): () => Step<Point> {
  const deal = dealer<Point>(['after-response', 'before-parked-ack', 'before-commit', 'mid-restore'], random)
  return () => ({
    fault: deal(),
    whom: random.whole(1_000),
    lasts: random.between(200, 3_000),
    rest: random.between(4_000, 10_000),
  })
}

/** A run that is long enough loses all of them once, for a minute. */
const LONG_RUN: Millis = 5 * 60_000
const ALL_DOWN: Millis = 60_000

function brokerSteps(random: Random, length: Millis): (at: Millis) => Step<BrokerFault> {
  let isDue = length >= LONG_RUN
  return (at) => {
    const rest = random.between(25_000, 45_000)
    if (isDue && at >= length / 3) {
      isDue = false
      return { fault: 'kill-all', whom: 0, lasts: ALL_DOWN, rest }
    }
    return { fault: 'kill', whom: random.whole(1_000), lasts: random.between(0, 5_000), rest }
  }
}

const MOODS: readonly [Mood, ...Mood[]] = [
  'slow',
  'refuse',
  'hang',
  'drip',
  'reset',
  'cut',
  'flap',
  'unavailable',
  'busy',
]

function remoteSteps(random: Random): () => Step<Mood> {
  const deal = dealer(MOODS, random)
  return () => ({ fault: deal(), whom: 0, lasts: random.between(1_000, 9_000), rest: random.between(1_000, 8_000) })
}
