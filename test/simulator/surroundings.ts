// What a life is made of, handed to each of its parts: the configuration, the topics, the sizes, and where luck comes from.
import { Tiers } from '../../services/forwarder/tiers.ts'
import type { Millis } from '../../services/shared/clock.ts'
import type { Connection } from '../../services/shared/forwarding/connection.ts'
import type { Directory } from '../../services/shared/forwarding/directory.ts'
import type { Repeater } from '../../services/shared/forwarding/repeater.ts'
import { connectionId, repeaterId } from '../../services/shared/ids.ts'
import { aRepeater } from '../forwarder/render-payload/changes.ts'
import { aConnection, demo } from '../support/changes.ts'
import type { Random } from '../support/random.ts'
import type { Broker } from './broker.ts'
import type { Coordinator } from './coordinator.ts'
import type { Judge } from './judge.ts'
import type { Member } from './member.ts'
import type { Scenario, Topic } from './plan.ts'
import type { Remotes } from './remotes.ts'
import type { VirtualTime } from './virtual-time.ts'
import type { Watch } from './watch.ts'

export const NUMBERS = [0, 1]
export const SOURCES: readonly Topic[] = ['cases', 'forms']
/** Short, so that a life meets all of them. */
export const TIERS = new Tiers('onward.', [1_000, 5_000, 30_000])
/** The brokers take no record that is longer: a few changes are. */
export const LONGEST_VALUE = 2_000

export type Surroundings = {
  readonly scenario: Scenario
  readonly time: VirtualTime
  readonly broker: Broker
  readonly judge: Judge
  readonly watch: Watch
  readonly remotes: Remotes
  readonly group: Coordinator
  readonly directory: Directory
  readonly heldBytesLimit: number
  /** How far the wall clock has jumped ahead, or back. */
  readonly wallIsAhead: () => Millis
  /** A new stream of luck: the same for the first, second, … of a name, whatever else happens. */
  readonly draw: (name: string) => Random
  /** A fetch of its retry topics is answered: all of them in one order always, as kafkajs asks for them. */
  readonly fetchRetries: (member: Member) => void
  /** Tells the story, when somebody listens. */
  readonly tells: ((line: () => string) => void) | null
}

const schedule = [500, 5_000, 60_000]
const limits = { rate: null, timeout: 30_000 }
const one = aConnection({ id: connectionId(demo, 'one'), limits: { ...limits, concurrency: 2 }, schedule })
export const two = aConnection({
  id: connectionId(demo, 'two'),
  limits: { concurrency: 3, rate: 20, timeout: 1_500 },
  schedule,
})
/** Answers everybody, always, whatever becomes of the others. */
export const healthy = aConnection({
  id: connectionId(demo, 'healthy'),
  limits: { ...limits, concurrency: 2 },
  schedule,
})

const full = { closedCase: 'full' } as const
const never = aRepeater({ id: repeaterId(demo, 'never'), connection: one.id, supersede: 'never', ...full })
const waiting = aRepeater({ id: repeaterId(demo, 'waiting'), connection: two.id, ...full })
const closing = aRepeater({ id: repeaterId(demo, 'closing'), connection: one.id, closedCase: 'close-only' })
const steady = aRepeater({ id: repeaterId(demo, 'steady'), connection: healthy.id, ...full })
const ofForms = { forward: 'forms', supersede: 'never' } as const
const forms = aRepeater({ id: repeaterId(demo, 'forms'), connection: two.id, ...ofForms })
/** Its rules change all the time: removed, made anew, another kind under the same id. */
const shifting = aRepeater({ id: repeaterId(demo, 'shifting'), connection: two.id, ...full })

export const shiftingTo = (topic: Topic): Repeater =>
  topic === 'cases' ? shifting : aRepeater({ id: shifting.id, connection: two.id, ...ofForms })
export const isShifting = ({ id }: { readonly id: string }): boolean => id === shifting.id
export const isSteady = (repeater: string): boolean => repeater === steady.id

const REPEATERS: Readonly<Record<Scenario, readonly Repeater[]>> = {
  narrow: [never, waiting, closing],
  wide: [never, waiting, closing, steady],
  members: [never, waiting, steady],
  anew: [never, waiting, closing],
  operators: [never, waiting, forms, shifting],
  healing: [waiting, closing, steady],
}

export const configured = (scenario: Scenario): readonly (Connection | Repeater)[] => [
  one,
  two,
  healthy,
  ...REPEATERS[scenario],
]
