// A record of a source topic → the deliveries made of it. Enter: a fetched record of a partition we own. Leave: deliveries for
// their lanes, or why there are none. It starts nothing and writes nothing: the hub acts on what it hands back.
import { assertNever } from '../shared/assert-never.ts'
import type { Change } from '../shared/change.ts'
import type { Directory } from '../shared/forwarding/directory.ts'
import type { Repeater } from '../shared/forwarding/repeater.ts'
import type { FetchedRecord } from '../shared/kafka/group.ts'
import { versionOf } from '../shared/kafka/version-base.ts'
import type { Books } from './books.ts'
import { copyRecord, type CopiedRecord } from './copy-record.ts'
import { newDelivery, type Delivery, type LaneName, type SourceRecord } from './delivery.ts'
import type { CaseId, RepeaterId } from '../shared/ids.ts'
import { laneCase } from '../shared/lane-case.ts'
import { matchRepeaters } from '../shared/forwarding/match-repeaters.ts'
import type { PartitionTask, SourceProgress } from './partition-task.ts'
import type { ReadChange } from '../shared/read-change/read-change.ts'
import type { RecentChange } from './recent-change.ts'
import { isFullState } from '../shared/forwarding/is-full-state.ts'
import type { Tell } from './tell.ts'

export type Received =
  | {
      readonly kind: 'taken'
      /** None where nothing matched, or where all of it is settled or parked. */
      readonly deliveries: readonly Delivery[]
      /** Older ones that a copy of this one, which is parked, replaces. */
      readonly replaced: readonly Delivery[]
    }
  /** It has no repeater: its one dead letter carries the source's bytes. */
  | { readonly kind: 'unreadable'; readonly record: SourceRecord; readonly error: string }
  | Extract<ReadChange, { kind: 'schema-needed' }>

const NONE: readonly Delivery[] = []
const NOTHING: Received = { kind: 'taken', deliveries: NONE, replaced: NONE }

type Options = {
  readonly directory: Directory
  readonly changes: RecentChange
  readonly books: Books
  readonly tell: Pick<Tell, 'consumed' | 'keyless'>
}

export class Reception {
  readonly #options: Options

  constructor(options: Options) {
    this.#options = options
  }

  /** @param finishedBefore an earlier owner settled it for every repeater, and it is read again on the way to the horizon */
  receive(task: PartitionTask, source: SourceProgress, fetched: FetchedRecord, finishedBefore: boolean): Received {
    const { changes, books, tell } = this.#options
    const copied = copyRecord(fetched)
    const read = changes.read(source.kind, copied.value)
    if (finishedBefore && read.kind !== 'schema-needed') return this.#recall(task, source, copied, read)
    switch (read.kind) {
      case 'schema-needed':
        return read
      case 'tombstone':
        source.offsets.skip(copied.offset)
        tell.consumed(source, copied, 'tombstone')
        return NOTHING
      case 'unreadable': {
        tell.consumed(source, copied, 'unreadable')
        const record = books.open(task, source, copied, 1)
        return { kind: 'unreadable', record, error: `${read.cause}: ${read.error}` }
      }
      case 'read':
        return this.#match(task, source, copied, read.change)
      default:
        return assertNever(read)
    }
  }

  #match(task: PartitionTask, source: SourceProgress, copied: CopiedRecord, change: Change): Received {
    const { directory, tell } = this.#options
    if (copied.key === null || copied.key.length === 0) tell.keyless(source.topic)
    const repeaters = matchRepeaters(change, directory.repeatersOf(change.project))
    tell.consumed(source, copied, repeaters.length === 0 ? 'unmatched' : 'matched')
    if (repeaters.length === 0) {
      source.offsets.skip(copied.offset)
      return NOTHING
    }
    return this.#deliver(task, source, copied, change, repeaters)
  }

  /** What was settled goes again only where an older one of its lane does, so that the newest is also the last to arrive. */
  #recall(task: PartitionTask, source: SourceProgress, copied: CopiedRecord, read: ReadChange): Received {
    const repeaters =
      read.kind === 'read' ? matchRepeaters(read.change, this.#options.directory.repeatersOf(read.change.project)) : []
    if (read.kind !== 'read' || repeaters.length === 0) {
      source.offsets.skip(copied.offset)
      return NOTHING
    }
    const name = namesOf(source, laneCase(read.change, copied.key))
    const version = versionAt(source, copied)
    const behindOlder = repeaters.filter(
      ({ id }) => task.lanes.find(name(id)) !== undefined || task.parked.holdsOlder(name(id), version),
    )
    return this.#deliver(task, source, copied, read.change, behindOlder)
  }

  #deliver(
    task: PartitionTask,
    source: SourceProgress,
    copied: CopiedRecord,
    change: Change,
    repeaters: readonly Repeater[],
  ): Received {
    const caseOfLane = laneCase(change, copied.key)
    const version = versionAt(source, copied)
    // What has a copy in a retry topic is that copy's matter. It may have been sent, so that older states must not follow it.
    // So is what has died and holds its lane.
    const name = namesOf(source, caseOfLane)
    const isElsewhere = ({ id }: Repeater) => task.parked.has(name(id), version) || task.held.has(name(id), version)
    const copies = task.parked.isEmpty && task.held.isEmpty ? [] : repeaters.filter(isElsewhere)
    const replaced =
      copies.length === 0
        ? NONE
        : copies
            .filter((repeater) => replacesOlder(change, repeater))
            .flatMap(({ id }) => task.lanes.replaceOlder(name(id), version))
    const open = copies.length === 0 ? repeaters : repeaters.filter((repeater) => !copies.includes(repeater))
    if (open.length === 0) {
      source.offsets.skip(copied.offset)
      return replaced.length === 0 ? NOTHING : { kind: 'taken', deliveries: NONE, replaced }
    }
    const record = this.#options.books.open(task, source, copied, open.length)
    return {
      kind: 'taken',
      replaced,
      deliveries: open.map((repeater) => {
        const lane = task.lanes.laneOf(repeater.id, caseOfLane, source)
        return newDelivery(record, repeater.project, lane, replacesOlder(change, repeater))
      }),
    }
  }
}

const versionAt = ({ base }: SourceProgress, { offset }: CopiedRecord): number => versionOf({ base, offset })

const namesOf =
  ({ topic }: SourceProgress, caseOfLane: CaseId) =>
  (repeater: RepeaterId): LaneName => ({ repeater, topic, caseId: caseOfLane })

export const replacesOlder = (change: Change, repeater: Repeater): boolean =>
  repeater.supersede === 'waiting' && isFullState(change, repeater)
