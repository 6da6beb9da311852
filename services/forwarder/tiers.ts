// The retry tiers: topics whose records all wait the same time, so that due times rise along a partition. Pure.
// Enter: how long a delivery has to wait. Leave: the tier it waits in, or none when memory will do.
import type { Millis } from '../shared/clock.ts'
import { renderDuration } from '../shared/duration.ts'
import { ownTopic, retryTopic } from '../shared/kafka/plan-topics.ts'
import { tierWhileOpen } from './breaker.ts'

export type Tier = {
  /** `1m`: what its topic's name ends in, and its label in metrics. */
  readonly name: string
  readonly topic: string
  readonly delay: Millis
}

/** Who feels it: the memory bound, which holds what waits so short. */
const SHORT_WAIT: Millis = 35_000

export class Tiers {
  /** Shortest first; at least one. */
  readonly all: readonly Tier[]
  readonly shortest: Tier
  /** Where operators put deliveries back: due at once, and written by others than a partition's owner. */
  readonly requeue: Tier

  /** @param delays in any order */
  constructor(prefix: string, delays: readonly Millis[]) {
    const sorted = delays.toSorted((one, other) => one - other)
    this.all = sorted.map((delay) => ({ name: renderDuration(delay), topic: retryTopic(prefix, delay), delay }))
    const [shortest] = this.all
    if (!shortest) throw new Error('there is no retry tier')
    this.shortest = shortest
    this.requeue = { name: 'requeue', topic: ownTopic(prefix, 'requeue'), delay: 0 }
  }

  /** Every topic that copies are read from. */
  get read(): readonly Tier[] {
    return [...this.all, this.requeue]
  }

  get longest(): Tier {
    return this.all.at(-1) ?? this.shortest
  }

  /** A failed attempt that waits no longer than this waits in memory: most trouble is over by then, and a copy costs. */
  get shortWait(): Millis {
    return Math.min(SHORT_WAIT, this.shortest.delay)
  }

  /** What remains of a wait in the retry topics, up to this, is waited in memory: no tier is shorter. */
  get nearWait(): Millis {
    return this.shortest.delay
  }

  /**
   * The longest that is not above the wait: what remains is waited in another, or in memory.
   * @param openFor how long the connection's breaker has been open; undefined while it is closed
   */
  of(wait: Millis, openFor: Millis | undefined): Tier {
    const least = openFor === undefined ? 0 : tierWhileOpen(openFor)
    return this.all.findLast(({ delay }) => delay <= Math.max(wait, least)) ?? this.shortest
  }
}
