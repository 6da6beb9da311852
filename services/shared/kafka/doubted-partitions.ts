// Partitions of which a member cannot say where their reading goes on: their log did not have its place any more, or their base is not
// on record. Enter: what it hears of them. Leave: what is to be asked at the next join, and when to join for it.
import type { Millis } from '../clock.ts'
import type { TopicPartitions } from './membership.ts'
import type { VersionBook } from './read-positions.ts'
import type { StartPosition } from './start-position.ts'

type Place = { readonly topic: string; readonly partition: number }

/**
 * How long it must be so that a log ends before where somebody was. A leader that was deposed and has not heard of it ends there, too,
 * and to believe it would send all that the log holds once more.
 */
const BELIEVED_AFTER: Millis = 5_000

export class DoubtedPartitions {
  readonly #bases = new Map<string, number>()
  readonly #cuts = new Map<string, { readonly readTo: number; readonly base: number }>()
  readonly #shorterSince = new Map<string, Millis>()
  #leftOut: readonly Place[] = []

  /** The log of the partition did not have the place up to which it was read. */
  cut(topic: string, partition: number, readTo: number): void {
    const name = nameOf({ topic, partition })
    this.#cuts.set(name, { readTo, base: this.#bases.get(name) ?? 0 })
  }

  /** How far the log that has this base was read when it was cut, until it has a new position; 0 for one that was not. */
  readTo(place: Place, base: number): number {
    const cut = this.#cuts.get(nameOf(place))
    return cut && base <= cut.base ? cut.readTo : 0
  }

  /** @throws Error while a log is not believed yet to have been cut: then its leader is looked for anew */
  async believe(positions: readonly StartPosition[], now: Millis, lookForLeaders: () => Promise<void>): Promise<void> {
    const shorter = new Set(positions.filter(({ found }) => found.kind === 'log-shorter').map(nameOf))
    for (const name of this.#shorterSince.keys()) if (!shorter.has(name)) this.#shorterSince.delete(name)
    for (const name of shorter) if (!this.#shorterSince.has(name)) this.#shorterSince.set(name, now)
    const doubtful = [...this.#shorterSince].filter(([, since]) => now - since < BELIEVED_AFTER).map(([name]) => name)
    if (doubtful.length === 0) return
    await lookForLeaders()
    throw new Error(`the brokers say that ${doubtful.join(', ')} ends before where it was read`)
  }

  /** @returns those that were given to us and have no position, as they are to be paused: read now, their versions could fall */
  leaveOut(gained: readonly TopicPartitions[], positions: readonly StartPosition[]) {
    for (const position of positions) {
      this.#bases.set(nameOf(position), position.base)
      this.#cuts.delete(nameOf(position))
    }
    const known = new Set(positions.map(nameOf))
    const places = gained.flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })))
    const numbers = new Set(places.map(({ partition }) => partition))
    const left = places.filter((place) => !known.has(nameOf(place)))
    this.#leftOut = [...this.#leftOut.filter(({ partition }) => !numbers.has(partition)), ...left]
    return left.map(({ topic, partition }) => ({ topic, partitions: [partition] }))
  }

  /** Numbers with a partition that was left out, and need not be any more. */
  known(versions: VersionBook | undefined): readonly number[] {
    const known = this.#leftOut.filter(({ topic, partition }) => versions?.baseOf(topic, partition) !== undefined)
    this.#leftOut = this.#leftOut.filter((place) => !known.includes(place))
    return [...new Set(known.map(({ partition }) => partition))]
  }
}

const nameOf = ({ topic, partition }: Place): string => `${topic}[${partition}]`
