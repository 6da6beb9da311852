// Judges a life by what it does to the outside: requests, verdicts, commits. Enter: facts as they happen. Leave: the first promise
// that was broken, if one was. It never looks at how the forwarder came to do it (that is watch.ts).
import type { CommitEntry } from '../../services/shared/kafka/group.ts'
import { readMap } from '../../services/shared/kafka/commit-map.ts'
import { versionIn } from '../../services/shared/wire/retry-header.ts'
import type { Repeater } from '../../services/shared/forwarding/repeater.ts'
import { isCompleteIn, nameOf, type Broker, type Copy, type DeliveryName } from './broker.ts'
import type { Flavour, Topic } from './plan.ts'
import type { Broken, PromiseName } from './promises.ts'
import { isShifting, NUMBERS } from './surroundings.ts'
import type { VirtualTime } from './virtual-time.ts'

/** A record of a source topic, as whoever published it knows it. */
export type Truth = {
  readonly topic: Topic
  readonly partition: number
  readonly version: number
  readonly case: string
  readonly flavour: Flavour
}

/** A request on its way to a remote. */
export type Asked = {
  readonly delivery: DeliveryName
  /** `demo/never cases c1` */
  readonly lane: string
  readonly version: number
  /** An operator put it back: it may be older than what was sent before. */
  readonly run: string | null
}

/** How a delivery ended. */
export type Ending = 'delivered' | 'superseded' | 'dead-letter'

/** A delivery that has to end, from an instant on. */
type Owed = { readonly truth: Truth; readonly repeater: Repeater; readonly since: number }

/** The longest tier, behind a probe that is due within a minute. */
const HEALED_WITHIN = 120_000

export class Judge {
  broken: Broken | null = null
  readonly #time: VirtualTime
  readonly #broker: Broker
  /** By partition, by version. */
  readonly #truths = new Map<string, Map<number, Truth>>()
  /** What has not ended yet. */
  readonly #owed = new Map<DeliveryName, Owed>()
  readonly #parked = new Set<DeliveryName>()
  /** Records of the requeue topic whose delivery has not ended since. */
  readonly #putBack = new Map<DeliveryName, Copy>()
  readonly #verdicts = new Map<DeliveryName, Ending>()
  /** Dead letters that the brokers have; their deliveries, as an operator would list them. */
  readonly letters: DeliveryName[] = []
  readonly #lettered = new Set<DeliveryName>()
  /** Lanes of which the brokers refused a copy: it is a dead letter before its turn, so that what is older comes after it. */
  readonly #refused = new Set<string>()
  readonly #ended = new Set<string>()
  readonly #onTheWire = new Map<string, Asked>()
  readonly #seen = new Map<string, number[]>()
  /** What went with its topic: what it had superseded has no successor, and what is older and comes again is not followed by it. */
  readonly #gone = new Set<string>()
  readonly #goneLanes = new Set<string>()
  /** Lanes of which something was sent by a member that does not read their topic: what lies unread there comes after it. */
  readonly #sentUnread = new Set<string>()
  /** With how many requests had been seen of the lane by then. */
  readonly #accepted = new Map<string, { readonly version: number; readonly seen: number }[]>()
  readonly #acceptedAt = new Map<string, number[]>()

  constructor(time: VirtualTime, broker: Broker) {
    this.#time = time
    this.#broker = broker
  }

  /** Only the first counts: what follows it may follow from it. */
  breaks(promise: PromiseName, seen: string): void {
    this.broken ??= { promise, seen, at: this.#time.now }
  }

  holds(condition: boolean, promise: PromiseName, seen: () => string): void {
    if (!condition) this.breaks(promise, seen())
  }

  // ── what is owed ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** @param repeaters that it will go to whenever it is read */
  produced(truth: Truth, repeaters: readonly Repeater[]): void {
    const name = nameOf(truth.topic, truth.partition)
    const truths = this.#truths.get(name) ?? new Map<number, Truth>()
    this.#truths.set(name, truths.set(truth.version, truth))
    for (const repeater of repeaters) this.#owe(truth, repeater)
  }

  /** A member read it, and it goes to the repeaters that forward its kind now: what an earlier reading made of it counts no more. */
  taken(topic: Topic, partition: number, version: number, repeater: Repeater, matches: boolean): void {
    const truth = this.truthOf(topic, partition, version)
    if (!truth || this.#broker.isComplete(topic, partition, version)) return
    const delivery = deliveryOf(repeater, truth)
    if (!matches) this.#owed.delete(delivery)
    else if (!this.#verdicts.has(delivery)) this.#owe(truth, repeater)
  }

  putBack(copy: Copy): void {
    this.#putBack.set(copy.delivery, copy)
  }

  /** Its owner was told that the brokers have a copy. */
  parked(delivery: DeliveryName): void {
    this.#parked.add(delivery)
  }

  /** The topic was deleted: what was not parked by then went with it. */
  gone(topic: Topic, repeaters: readonly Repeater[]): void {
    const truths = [...this.#truths.values()].flatMap((ofPartition) => [...ofPartition.values()])
    for (const truth of truths.filter((each) => each.topic === topic))
      for (const repeater of repeaters) {
        const delivery = deliveryOf(repeater, truth)
        // A copy that nobody was told of is a ghost once it is written anew, and then that may not be written any more.
        if (this.#parked.has(delivery) && this.#isCopied(delivery)) continue
        this.#owed.delete(delivery)
        this.#gone.add(delivery)
        this.#goneLanes.add(laneOf(repeater.id, truth))
      }
  }

  #isGone(lane: string, version: number | undefined): boolean {
    const [repeater = '', topic = '', caseOf = ''] = lane.split(' ')
    const partition = Number(caseOf.slice(1)) % NUMBERS.length
    return version !== undefined && this.#gone.has(`${repeater}:${topic}:${partition}:${version}`)
  }

  truthOf(topic: string, partition: number, version: number): Truth | undefined {
    return this.#truths.get(nameOf(topic, partition))?.get(version)
  }

  truthsOf(topic: string, partition: number): readonly Truth[] {
    return [...(this.#truths.get(nameOf(topic, partition))?.values() ?? [])]
  }

  get open(): readonly DeliveryName[] {
    return [...this.#owed.keys(), ...this.#putBack.keys()]
  }

  #owe(truth: Truth, repeater: Repeater): void {
    if (isSilent(truth)) return
    this.#owed.set(deliveryOf(repeater, truth), { truth, repeater, since: this.#time.now })
  }

  // ── requests ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** @param isRead the member reads the topic: else only what is parked of it is sent */
  starts(asked: Asked, reaches: boolean, isRead: boolean): void {
    const other = this.#onTheWire.get(asked.lane)
    this.holds(
      !other,
      'one-at-a-time',
      () => `${asked.delivery} starts while ${String(other?.delivery)} is on the wire`,
    )
    this.#onTheWire.set(asked.lane, asked)
    if (reaches && asked.run === null) push(this.#seen, asked.lane, asked.version)
    if (!isRead) this.#sentUnread.add(asked.lane)
  }

  accepts(asked: Asked): void {
    push(this.#acceptedAt, asked.lane, this.#time.now)
    const { lane, version } = asked
    if (asked.run === null) push(this.#accepted, lane, { version, seen: this.#seen.get(lane)?.length ?? 0 })
  }

  leavesTheWire(asked: Asked): void {
    if (this.#onTheWire.get(asked.lane) === asked) this.#onTheWire.delete(asked.lane)
  }

  /** @returns lanes that have something open now, and since when */
  lanesOwed(): ReadonlyMap<string, number> {
    const lanes = new Map<string, number>()
    for (const { truth, repeater, since } of this.#owed.values()) {
      const lane = laneOf(repeater.id, truth)
      lanes.set(lane, Math.min(since, lanes.get(lane) ?? since))
    }
    return lanes
  }

  /**
   * @param lanes that had something open when all remotes healed
   * @param healedAt when they did
   */
  judgeHealed(lanes: ReadonlyMap<string, number>, healedAt: number): void {
    const open = this.lanesOwed()
    const { now } = this.#time
    for (const lane of lanes.keys()) {
      const acceptedAt = this.#acceptedAt.get(lane)?.find((at) => at >= healedAt) ?? Infinity
      this.holds(
        acceptedAt < Infinity || now - healedAt < HEALED_WITHIN || (open.get(lane) ?? healedAt) >= healedAt,
        'healed-go-on',
        () => `${lane} was sent nothing in ${Math.round((now - healedAt) / 1_000)} s`,
      )
    }
  }

  // ── ends ────────────────────────────────────────────────────────────────────────────────────────────────────────────

  acknowledged(delivery: DeliveryName): void {
    this.letters.push(delivery)
    this.#lettered.add(delivery)
    const [id = '', topic = '', partition = '', version = ''] = delivery.split(':')
    const truth = this.truthOf(topic, Number(partition), Number(version))
    if (truth?.flavour === 'large') this.#refused.add(laneOf(id, truth))
  }

  /** @param owner who owns the partition, and since when: nothing may end twice in one ownership */
  ends(
    owner: string,
    delivery: DeliveryName,
    run: string | null,
    repeater: Repeater | undefined,
    verdict: Ending,
  ): void {
    const what = `${owner} ${delivery} ${run ?? ''}`
    // What was put back twice, since an acknowledgement was lost, may be passed over twice.
    const isTwice = run !== null && verdict === 'superseded'
    this.holds(
      isTwice || !this.#ended.has(what),
      'ends-once',
      () => `${delivery} ended twice with one owner, now ${verdict}`,
    )
    this.#ended.add(what)
    if (verdict === 'dead-letter')
      this.holds(this.#lettered.has(delivery), 'letter-first', () => `${delivery} ended before its letter was there`)
    if (verdict === 'superseded') {
      // Whose rules change may have had others when it was superseded.
      const isEvent = delivery.includes(':forms:') || (repeater?.supersede === 'never' && !isShifting(repeater))
      this.holds(!isEvent, 'events-stay', () => `${delivery} was superseded`)
    }
    this.#owed.delete(delivery)
    this.#putBack.delete(delivery)
    this.#verdicts.set(delivery, verdict)
  }

  // ── commits ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Looks at the entries of one request, and has them take hold. */
  commits(entries: readonly CommitEntry[]): void {
    for (const entry of entries) {
      const before = this.#broker.committed(entry)
      this.holds(
        entry.offset >= before,
        'commits-rise',
        () => `${nameOf(entry.topic, entry.partition)} falls from ${before} to ${entry.offset}`,
      )
      this.#broker.commit(entry)
    }
    for (const [delivery, { truth }] of this.#owed) {
      if (!this.#broker.isComplete(truth.topic, truth.partition, truth.version)) continue
      this.holds(
        this.#isCopied(delivery),
        'nothing-lost',
        () => `${delivery} is shown as complete, has not ended, and no retry topic has a copy that counts`,
      )
    }
    for (const [delivery, { topic, partition, offset, header }] of this.#putBack)
      this.holds(
        // Its source record may be open again, when no commit showed its end: then that is the one that ends.
        this.#isCopied(delivery) || !this.#broker.isComplete(header.topic, header.partition, versionIn(header)),
        'nothing-lost',
        () => `${delivery}, put back at ${topic}/${partition}@${offset}, is shown as complete and has not ended`,
      )
  }

  #isCopied(delivery: DeliveryName): boolean {
    return this.#broker.copiesOf(delivery).some((copy) => this.#broker.counts(copy))
  }

  // ── at the end of a life ────────────────────────────────────────────────────────────────────────────────────────────

  judgeLanes(repeaterOf: (lane: string) => Repeater | undefined): void {
    for (const [lane, versions] of this.#seen) {
      const first = [...new Set(versions)]
      // What was read while its rules were others is sent late, when it is read again.
      const isShifted = isShifting({ id: lane.split(' ')[0] ?? '' })
      this.holds(
        isShifted ||
          this.#refused.has(lane) ||
          this.#sentUnread.has(lane) ||
          first.every(
            (version, at) => at === 0 || version > (first[at - 1] ?? -1) || this.#isGone(lane, first[at - 1]),
          ),
        'in-order',
        () => `${lane} was sent ${first.join(', ')}`,
      )
    }
    for (const [lane, accepted] of this.#accepted) {
      const newest = Math.max(...accepted.map(({ version }) => version))
      const last = accepted.at(-1)
      // Nobody can send it once more behind an older one that came again: it went with its topic.
      const isGone = this.#isGone(lane, newest)
      // Sent again, it may have been refused this time.
      const sentSince = this.#seen.get(lane)?.slice(last?.seen) ?? []
      this.holds(
        isGone || this.#refused.has(lane) || last?.version === newest || sentSince.some((version) => version >= newest),
        'newest-last',
        () => `${lane} accepted ${accepted.map(({ version }) => version).join(', ')}`,
      )
    }
    this.#judgeSuperseded(repeaterOf)
  }

  #judgeSuperseded(repeaterOf: (id: string) => Repeater | undefined): void {
    const ended = [...this.#verdicts].flatMap(([delivery, verdict]) => {
      const [id = '', topic = '', partition = '', version = ''] = delivery.split(':')
      const truth = this.truthOf(topic, Number(partition), Number(version))
      const repeater = repeaterOf(id)
      // Whose rules change is owed nothing of what was read while they were others.
      if (!truth || !repeater || isShifting(repeater)) return []
      return [{ delivery, verdict, truth, lane: laneOf(id, truth), isFull: isFull(repeater, truth) }]
    })
    const newest = new Map<string, number>()
    for (const { verdict, truth, lane, isFull: says } of ended)
      if (verdict !== 'superseded' && says) newest.set(lane, Math.max(truth.version, newest.get(lane) ?? -1))
    for (const { delivery, verdict, truth, lane } of ended)
      this.holds(
        verdict !== 'superseded' || this.#goneLanes.has(lane) || (newest.get(lane) ?? -1) > truth.version,
        'newer-instead',
        () => `${delivery} was superseded, and no newer full state was delivered`,
      )
  }
}

const deliveryOf = ({ id }: Pick<Repeater, 'id'>, { topic, partition, version }: Truth): DeliveryName =>
  `${id}:${topic}:${partition}:${version}`

const laneOf = (repeater: string, { topic, case: caseOf }: Truth): string => `${repeater} ${topic} ${caseOf}`

/** It leads to no delivery. */
const isSilent = ({ flavour }: Truth): boolean => flavour === 'garbage' || flavour === 'tombstone'

export const isFull = (repeater: Repeater, { topic, flavour }: Truth): boolean =>
  topic === 'cases' &&
  repeater.supersede === 'waiting' &&
  !(flavour === 'closed' && repeater.format === 'xml' && repeater.closedCase === 'close-only')

/** Of a commit that is about to be sent. */
export function readCommit({ offset, metadata }: CommitEntry): (at: number) => boolean {
  const { finished } = readMap(offset, metadata)
  return (at) => isCompleteIn(offset, finished, at)
}

function push<Key, Value>(lists: Map<Key, Value[]>, key: Key, value: Value): void {
  const list = lists.get(key)
  if (list) list.push(value)
  else lists.set(key, [value])
}
