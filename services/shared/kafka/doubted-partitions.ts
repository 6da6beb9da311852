// Partitions of which a member cannot say where their reading goes on: their log did not have its place any more, or their base is not
// on record. Enter: what it hears of them. Leave: what is to be asked at the next join, and when to join for it.
import type { TopicPartitions } from './membership.ts'
import type { VersionBook } from './read-positions.ts'
import type { StartPosition } from './start-position.ts'

type Place = { readonly topic: string; readonly partition: number }

export class DoubtedPartitions {
  readonly #readTo = new Map<string, number>()
  #leftOut: readonly Place[] = []

  /** The log of the partition did not have the place up to which it was read. */
  cut(topic: string, partition: number, readTo: number): void {
    this.#readTo.set(nameOf({ topic, partition }), readTo)
  }

  /** How far it was read when it was cut, until it has a new position; 0 for one that was not. */
  readTo(place: Place): number {
    return this.#readTo.get(nameOf(place)) ?? 0
  }

  /** @returns those that were given to us and have no position, as they are to be paused: read now, their versions could fall */
  leaveOut(gained: readonly TopicPartitions[], positions: readonly StartPosition[]) {
    for (const position of positions) this.#readTo.delete(nameOf(position))
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
