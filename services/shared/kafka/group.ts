// A member of a consumer group that owns whole partition numbers and commits for itself.
// Enter: topics, and the hooks of whoever works on the records. Leave: records as they are fetched, and positions.
// Never: a wait inside the fetch loop. kafkajs fetches nothing more until every handler of the last response has returned.
import type { Consumer, ConsumerRunConfig } from 'kafkajs'
import type { Clock, Millis } from '../clock.ts'
import type { Log } from '../log.ts'
import { explainSharing, openCoPartitionAssigner } from './co-partition-assigner.ts'
import { CONSUMER, LEASE_PART, SESSION_TIMEOUT } from './consumer-settings.ts'
import { DoubtedPartitions } from './doubted-partitions.ts'
import { errorText } from '../error-text.ts'
import type { KafkaClient } from './kafka.ts'
import { Holdings } from './holdings.ts'
import {
  commitOnce,
  countPartitions,
  fetchEdge,
  hookMembership,
  lastCountedAt,
  type Membership,
  type TopicPartitions,
} from './membership.ts'
import { byTopic, endsOf, meetTopics, offsetIn, readPositions, type VersionBook } from './read-positions.ts'
import type { StartPosition } from './start-position.ts'

/** A record as kafkajs hands it over: `key`, `value` and header values are slices of the whole fetch response. */
export type FetchedRecord = {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly offset: string
  readonly timestamp: string
  readonly headers?: Readonly<Record<string, Buffer | string | (Buffer | string)[] | undefined>>
}

export type CommitEntry = {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly metadata: string
}

/** The next offset that will be written. */
export type LogEnd = { readonly topic: string; readonly partition: number; readonly end: number }

export type GroupWork = {
  /**
   * After each join: the partitions that are new; nothing is fetched before it returns. What we own already stays.
   * @param numbers how many partition numbers the whole group shares
   */
  assigned(positions: readonly StartPosition[], numbers: number): void
  /** Awaited while these numbers are still ours and `commit` is still accepted, unless we were put out of the group. The others go on. */
  revoked(numbers: readonly number[]): Promise<void>
  /** Where reading goes on in a partition that we own: kafkajs forgets it with each join. */
  positionOf(topic: string, partition: number): number
  /** Synchronous, and never throws for a record's content. */
  received(topic: string, partition: number, records: readonly FetchedRecord[], highWatermark: number): void
  /**
   * From `from` up to `to`, exclusive, nothing is handed over: control records and aborted ones, or nothing at all. Told in the
   * same turn as the records before it, so that nothing can have been put off between.
   */
  reached(topic: string, partition: number, from: number, to: number): void
}

export type Group = AsyncDisposable & {
  pause(topic: string, partition: number): void
  resume(topic: string, partition: number): void
  seek(topic: string, partition: number, offset: number): void
  /** The end of what can be read now; undefined while the brokers are away, or when the partition is not ours. */
  endOf(topic: string, partition: number): Promise<number | undefined>
  /**
   * False when the coordinator may have given our partitions to another without our knowing: a process that was stopped and
   * goes on, or one that reaches no broker. Nothing may start then.
   */
  holdsLease(): boolean
  /**
   * One request for everything, under the generation in force. Never throws: a failure is tried again by the next commit.
   * `not-a-member`: nothing of it is ours to commit any more.
   */
  commit(entries: readonly CommitEntry[]): Promise<'committed' | 'failed' | 'not-a-member'>
  /** We are going to leave: the group gives us nothing more, and takes nothing from us until then. */
  leaveSoon(): void
}

/** What whoever looks after the consumer needs beside that. */
export type JoinedGroup = Group & {
  /** The version book hears which topics there are now. Nothing while the brokers are away, or we are no member. */
  meetTopics(): Promise<void>
  /** The numbers are shared again, and these, if they are ours, taken anew: where reading goes on there is asked for again. */
  joinAgain(numbers: readonly number[]): void
  /** Of all that is ours, asked for in one go; undefined while the brokers are away, or nothing is ours. */
  ends(): Promise<readonly LogEnd[] | undefined>
  /**
   * Gives up all that is ours in good order, leaves the group and joins anew. Resolves when it has joined. It may never do so:
   * kafkajs waits for what hangs.
   */
  restart(): Promise<void>
}

type GroupOptions = {
  readonly kafka: KafkaClient
  readonly groupId: string
  readonly topics: readonly string[]
  /** By topic. */
  readonly startFrom: (topic: string) => 'earliest' | 'latest'
  /** Absent: no topic has versions, and every partition is read. */
  readonly versions?: VersionBook
  /** A member that was not heard for so long has lost its partitions. Absent: long enough for a busy event loop. */
  readonly sessionTimeout?: Millis
  readonly work: GroupWork
  readonly log: Log
  readonly clock: Clock
  /** The client gave up for good (a right was taken away, a password changed): a process that reads nothing must not look alive. */
  readonly fail: (error: unknown) => void
}

export async function joinGroup(options: GroupOptions): Promise<JoinedGroup> {
  const { kafka, groupId, topics, work, log, fail, sessionTimeout = SESSION_TIMEOUT } = options
  let membership: Membership | undefined
  /** Under which the numbers that we hold were given to us. */
  let memberId: string | null = null
  let joining: Membership | undefined
  const holdings = new Holdings({ revoked: (numbers) => work.revoked(numbers), fail })
  /** Put out of the group: what we held may be another's, so nothing of it is committed. */
  const lapse = async () => {
    membership = undefined
    await holdings.giveUpAll()
  }
  const leaving = new AbortController()
  const doubted = new DoubtedPartitions()
  const meet = async (of: Membership | undefined) => {
    if (of && options.versions) await meetTopics(of, options.versions, log)
  }
  const joinAgain = (numbers: readonly number[]) => {
    for (const number of numbers) holdings.takeAnew(number)
    holdings.askAgain()
  }
  const countRead = (topic: string) => options.versions?.countOf(topic) ?? Infinity

  const consumer: Consumer = kafka.consumer({
    groupId,
    sessionTimeout,
    ...CONSUMER,
    partitionAssigners: [
      (context) => {
        hookMembership(context.cluster, {
          mustTell: () => holdings.mustTell,
          onCut: ({ topic, partition }) => {
            doubted.cut(topic, partition, work.positionOf(topic, partition))
            holdings.takeAnew(partition)
          },
          onUncoordinated: (error) => log.warn('coordinator-unknown', { error: errorText(error) }),
          beforeJoining: async (joins) => {
            joining = joins
            if (membership && joins.memberId !== memberId) await lapse()
          },
          afterReceiving: async (joined) => {
            // Put out, and taken in again under another name, in the midst of the join.
            if (membership && joined.memberId !== memberId) await lapse()
            memberId = joined.memberId
            // The deletion of a topic ends its fetches, and with them we join: what we have of it is taken anew before we fetch again.
            await meet(joined)
            const { gained, kept, lost } = await holdings.receive(joined.assigned(), joined.generationId ?? 0)
            const positions = await readPositions(joined, gained, { ...options, doubted }, leaving.signal)
            if (!positions) return 'over'
            membership = joined
            for (const { topic, partition, offset } of [...positions, ...whereKept(kept, work)])
              joined.seek({ topic, partition, offset: String(offset) })
            // A partition that comes back is still paused from its last stay here.
            consumer.resume(gained.map(({ topic, partitions }) => ({ topic, partitions: [...partitions] })))
            consumer.pause(doubted.leaveOut(gained, positions))
            holdings.take(gained)
            work.assigned(positions, countPartitions(joined, topics, countRead))
            holdings.letGo(lost)
            return 'owned'
          },
          beforeLeaving: async () => {
            if (membership) await holdings.giveUpAll()
            membership = undefined
          },
        })
        const claim = () => holdings.tell(joining?.memberId === memberId && memberId !== null)
        return openCoPartitionAssigner(claim, countRead)(context)
      },
    ],
  })
  consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) => {
    // eachBatch is not called where nothing is left to hand over.
    if (payload.batchSize === 0) work.reached(payload.topic, payload.partition, ...filteredRange(payload))
  })
  consumer.on(consumer.events.CRASH, ({ payload }) =>
    payload.restart
      ? log.warn('consumer-restarted', { error: payload.error.message })
      : fail(explainSharing(payload.error)),
  )

  await consumer.connect()
  await consumer.subscribe({ topics: [...topics], fromBeginning: true })
  const running: ConsumerRunConfig = {
    autoCommit: false,
    eachBatch: async (fetched) => {
      // Fetched before the last seek or assignment: what comes before it has not been handed over yet.
      if (fetched.isStale()) return
      const { batch } = fetched
      const { topic, partition, messages } = batch
      work.received(topic, partition, messages, Number(batch.highWatermark))
      work.reached(topic, partition, Number(messages.at(-1)?.offset) + 1, Number(batch.lastOffset()) + 1)
    },
  }
  await consumer.run(running)

  return {
    pause: (topic, partition) => consumer.pause([{ topic, partitions: [partition] }]),
    resume: (topic, partition) => consumer.resume([{ topic, partitions: [partition] }]),
    seek: (topic, partition, offset) => consumer.seek({ topic, partition, offset: String(offset) }),
    holdsLease: () =>
      membership !== undefined && options.clock.monotonic() - lastCountedAt(membership) < LEASE_PART * sessionTimeout,
    async endOf(topic, partition) {
      try {
        const asked = [{ topic, partitions: [partition] }]
        return membership && offsetIn(await fetchEdge(membership, asked, false), topic, partition)
      } catch (error) {
        log.warn('log-end-unknown', { topic, partition, error: errorText(error) })
        return undefined
      }
    },
    async ends() {
      try {
        return membership && (await fetchEdge(membership, membership.assigned(), false)).flatMap(endsOf)
      } catch (error) {
        log.warn('log-end-unknown', { error: errorText(error) })
        return undefined
      }
    },
    async meetTopics() {
      await meet(membership)
      const known = doubted.known(options.versions)
      if (known.length > 0) joinAgain(known)
    },
    joinAgain,
    async restart() {
      await consumer.stop()
      if (!leaving.signal.aborted) await consumer.run(running)
    },
    async commit(entries) {
      if (!membership) return 'not-a-member'
      if (entries.length === 0) return 'committed'
      try {
        await commitOnce(membership, byTopic(entries))
        return 'committed'
      } catch (error) {
        log.warn('commit-failed', { error: errorText(error) })
        return 'failed'
      }
    },
    leaveSoon: () => holdings.leaveSoon(),
    async [Symbol.asyncDispose]() {
      // kafkajs waits for a join that is under way.
      leaving.abort()
      await consumer.disconnect()
    },
  }
}

/** kafkajs's types leave out that there may be no first offset: between compacted records it goes on by one. */
const filteredRange = ({
  firstOffset,
  lastOffset,
}: {
  readonly firstOffset: string | null
  readonly lastOffset: string
}): [from: number, to: number] => [Number(firstOffset ?? lastOffset), Number(lastOffset) + 1]

function* whereKept(kept: readonly TopicPartitions[], work: Pick<GroupWork, 'positionOf'>) {
  for (const { topic, partitions } of kept)
    for (const partition of partitions) yield { topic, partition, offset: work.positionOf(topic, partition) }
}
