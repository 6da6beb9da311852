// The partition numbers that a member works on, from one join to the next. Enter: what each join assigns. Leave: which numbers are
// new, which are to be given up, and what the member tells the group at the next join.
// MUST: a number is claimed until the work on it has ended, and told once it has: whoever shares the numbers gives it to nobody else
// until then (share-numbers.ts).
//
// | a number is | the group takes it for | leaves by |
// |---|---|---|
// | worked on | ours | another share, after a join: going. Put out of the group, or leaving: given up at once |
// | going | ours: nobody else has it | its work ends: untold. Handed straight back: its work ends first, then it is new |
// | untold | ours | the next join, which is asked for at once |
import type { TopicPartitions } from './membership.ts'
import type { Claim } from './share-numbers.ts'

type Options = {
  /** The work on these numbers ends. */
  readonly revoked: (numbers: readonly number[]) => Promise<void>
  readonly fail: (error: unknown) => void
}

export class Holdings {
  readonly #options: Options
  /** What is worked on, going or not, with the topics that have the number. */
  readonly #held = new Map<number, string>()
  readonly #going = new Set<number>()
  readonly #untold = new Set<number>()
  /** The log of one of its topics was cut under us: kept as it is, its place would be as bad after the join. */
  readonly #cut = new Set<number>()
  /** What the last join gave us, in which generation: outlasts a membership, so that we are given the same again. */
  #given: { readonly generation: number; readonly numbers: readonly number[] } | null = null
  #leaves = false
  /** Whoever shares the numbers is to do so again. */
  #asks = false
  /** One after another: a number is not given up twice. */
  #givingUp: Promise<void> = Promise.resolve()

  constructor(options: Options) {
    this.#options = options
  }

  /** It wants no more numbers: told at the next join. */
  leaveSoon(): void {
    this.#leaves = true
  }

  /** At the next join it is given up and taken anew. */
  takeAnew(number: number): void {
    this.#cut.add(number)
  }

  /** It joins again, though it has nothing to tell. */
  askAgain(): void {
    this.#asks = true
  }

  /** The group has to hear of a number that was given up, or to share the numbers again. */
  get mustTell(): boolean {
    return this.#untold.size > 0 || this.#asks
  }

  /** @param isMember false for one that was put out of the group: whatever it worked on may be another's */
  tell(isMember: boolean): Claim | null {
    this.#untold.clear()
    this.#asks = false
    if (!this.#given) return null
    const works = isMember && this.#held.size > 0
    const numbers = works ? [...this.#held.keys()] : this.#given.numbers
    return { generation: this.#given.generation, numbers, works, leaves: this.#leaves }
  }

  /** @returns partitions that are new, once nothing of an earlier stay goes on; partitions that stay; numbers that are to be given up */
  async receive(assigned: readonly TopicPartitions[], generation: number) {
    const topics = topicsByNumber(assigned)
    this.#given = { generation, numbers: [...topics.keys()] }
    // One that has other topics than before is taken anew: what is parked in them is not known.
    const stale = [...topics].filter(
      ([number, names]) => this.#going.has(number) || this.#cut.has(number) || this.#isOther(number, names),
    )
    this.#cut.clear()
    if (stale.length > 0) await this.#giveUp(stale.map(([number]) => number))
    for (const number of topics.keys()) this.#untold.delete(number)
    const isHeld = (number: number) => this.#held.has(number)
    return {
      gained: only(assigned, (number) => !isHeld(number)),
      kept: only(assigned, isHeld),
      lost: [...this.#held.keys()].filter((number) => !topics.has(number) && !this.#going.has(number)),
    }
  }

  take(gained: readonly TopicPartitions[]): void {
    for (const [number, names] of topicsByNumber(gained)) this.#held.set(number, names)
  }

  /** In the background: the others go on meanwhile. */
  letGo(numbers: readonly number[]): void {
    for (const number of numbers) this.#going.add(number)
    this.#giveUp(numbers)
      .then(() => {
        // Handed straight back meanwhile, it may be ours again.
        for (const number of numbers) if (!this.#held.has(number)) this.#untold.add(number)
      })
      .catch(this.#options.fail)
  }

  giveUpAll(): Promise<void> {
    return this.#giveUp([...this.#held.keys()])
  }

  #giveUp(numbers: readonly number[]): Promise<void> {
    this.#givingUp = this.#givingUp.then(async () => {
      const left = numbers.filter((number) => this.#held.has(number))
      if (left.length > 0) await this.#options.revoked(left)
      for (const number of left) {
        this.#held.delete(number)
        this.#going.delete(number)
      }
    })
    return this.#givingUp
  }

  #isOther(number: number, names: string): boolean {
    const before = this.#held.get(number)
    return before !== undefined && before !== names
  }
}

function topicsByNumber(assigned: readonly TopicPartitions[]): ReadonlyMap<number, string> {
  const topics = new Map<number, string[]>()
  for (const { topic, partitions } of assigned)
    for (const number of partitions) {
      const names = topics.get(number)
      if (names) names.push(topic)
      else topics.set(number, [topic])
    }
  return new Map([...topics].map(([number, names]) => [number, names.toSorted().join(' ')]))
}

const only = (assigned: readonly TopicPartitions[], wanted: (number: number) => boolean): readonly TopicPartitions[] =>
  assigned
    .map(({ topic, partitions }) => ({ topic, partitions: partitions.filter(wanted) }))
    .filter(({ partitions }) => partitions.length > 0)
