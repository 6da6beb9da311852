// What kafkajs keeps to itself and an ordered consumer needs: awaited hooks around a join and before a departure, joins that we
// ask for, and commits that carry metadata and the generation they belong to.
// kafkajs has no such hooks (tulios/kafkajs#922), but its frozen source can be wrapped: `joinAndSync` runs for every join,
// `leave` before every departure, a crash's included. The private names are checked when the hooks are installed.
//
// | state | we own | kafkajs fetches | leaves by |
// |---|---|---|---|
// | member | what it was given | yes | the group rebalances, or a fetch asks for a join: all fetches end, then: joining |
// | joining | what it had: work on it goes on | no: whoever asked waits for the join | received: member; anything else: owing |
// | owing | what it had | no: it asks for a join | the runner joins, after a pause that grows |
//
// Without "owing" a join that failed half-way (a coordinator that is restarted will do) would leave kafkajs with the partitions
// of before, and a group that takes us for a good member: they would be fetched from where nobody works, for ever.
import { createRequire } from 'node:module'
import kafkajs from 'kafkajs'
import { systemClock, type Millis } from '../clock.ts'

export type TopicPartitions = { readonly topic: string; readonly partitions: readonly number[] }
type OffsetAt = { readonly partition: number; readonly offset: string; readonly metadata?: string | null }
export type TopicOffsets = { readonly topic: string; readonly partitions: readonly OffsetAt[] }

type Broker = {
  offsetCommit(request: {
    groupId: string
    memberId: string
    groupGenerationId: number
    topics: readonly TopicOffsets[]
  }): Promise<unknown>
  offsetFetch(request: {
    groupId: string
    topics: readonly { topic: string; partitions: readonly { partition: number }[] }[]
  }): Promise<{ readonly responses: readonly TopicOffsets[] }>
}

type Cluster = {
  findGroupCoordinator(group: { groupId: string }): Promise<Broker>
  fetchTopicsOffset(
    topics: readonly { topic: string; partitions: readonly { partition: number }[]; fromBeginning: boolean }[],
  ): Promise<readonly TopicOffsets[]>
  findTopicPartitionMetadata(topic: string): readonly { readonly partitionId: number }[]
  refreshMetadata(): Promise<void>
}

/** kafkajs's ConsumerGroup, as far as we use it. */
export type Membership = {
  readonly cluster: Cluster
  readonly groupId: string
  /** null before the first join. */
  readonly generationId: number | null
  readonly memberId: string | null
  assigned(): readonly TopicPartitions[]
  seek(position: { topic: string; partition: number; offset: string }): void
  /** Wall clock of the last beat that the coordinator answered. */
  readonly lastRequest: number
  /** Beats when the last request is at least `interval` milliseconds old. */
  heartbeat(options: { interval: number }): Promise<void>
}

export type MembershipHooks = {
  /** Awaited before each join. A member without an id was put out of the group, or never was in it. */
  beforeJoining(membership: Membership): Promise<void>
  /** Awaited after the partitions are known and before anything is fetched. @returns 'over' when they must be asked for again */
  afterReceiving(membership: Membership): Promise<'owned' | 'over'>
  /** Awaited before the member leaves: it may still commit. */
  beforeLeaving(membership: Membership): Promise<void>
  /** No broker says who coordinates the group: it is asked again. */
  onUncoordinated(error: Error): void
  /** Asked before each fetch: the group has to hear something that is told at a join. */
  mustTell(): boolean
  /** The log does not have our position any more. */
  onCut(cut: { readonly topic: string; readonly partition: number }): void
}

const hooksByCluster = new WeakMap<object, MembershipHooks>()
/** Members that began a join and were given nothing since. */
const owing = new WeakSet<Membership>()
/** When the coordinator was last heard to count us in; a beat's own instant is when it was sent. */
const counted = new WeakMap<Membership, { at: Millis; sentAt: Millis | null }>()
const PATCHED = Symbol.for('onward.membership')

type Prototype = {
  heartbeat?: (this: Membership, options: { interval: number }) => Promise<void>
  joinAndSync?: (this: Membership) => Promise<void>
  leave?: (this: Membership) => Promise<void>
  fetch?: (this: Membership, nodeId: string) => Promise<readonly unknown[]>
  recoverFromFetch?: (this: Membership, error: unknown) => Promise<void>
  recoverFromOffsetOutOfRange?: (
    this: Membership,
    cut: { readonly topic: string; readonly partition: number },
  ) => Promise<void>
  [PATCHED]?: true
}

/** @param cluster the object kafkajs hands to a partition assigner: it is the same one that its ConsumerGroup holds */
export function hookMembership(cluster: object, hooks: MembershipHooks): void {
  patchConsumerGroup()
  hooksByCluster.set(cluster, hooks)
}

/** @throws Error when the installed kafkajs is not the one this was written against */
function patchConsumerGroup(): void {
  const require = createRequire(import.meta.url)
  const { prototype } = require('kafkajs/src/consumer/consumerGroup') as { readonly prototype: Prototype }
  if (prototype[PATCHED]) return
  const { joinAndSync, leave, fetch, heartbeat, recoverFromFetch, recoverFromOffsetOutOfRange } = prototype
  if (!joinAndSync || !leave || !fetch || !heartbeat || !recoverFromFetch || !recoverFromOffsetOutOfRange) {
    throw new Error('kafkajs has another ConsumerGroup than this was written against: is it still 2.2.4?')
  }
  // MUST run only while nothing is fetched, so that no batch of before lands behind the positions of after. kafkajs's runner calls
  // it so, at its start and when its fetches have ended, one join at a time.
  prototype.joinAndSync = async function () {
    const hooks = hooksByCluster.get(this.cluster)
    if (!hooks) {
      await joinAndSync.call(this)
      return
    }
    owing.add(this)
    await hooks.beforeJoining(this)
    await joinAndSync.call(this).catch((error: unknown) => {
      throw isUncoordinated(error) ? tryAgain(error, hooks) : error
    })
    counted.set(this, { at: systemClock.monotonic(), sentAt: null })
    if ((await hooks.afterReceiving(this)) === 'owned') owing.delete(this)
  }
  prototype.leave = async function () {
    await hooksByCluster.get(this.cluster)?.beforeLeaving(this)
    await leave.call(this)
  }
  prototype.heartbeat = async function (this: Membership, options) {
    const beat = counted.get(this)
    const before = this.lastRequest
    if (beat) beat.sentAt ??= systemClock.monotonic()
    await heartbeat.call(this, options)
    if (!beat) return
    // Whoever asks while a beat is under way shares it: the first of them knows when it was sent.
    if (this.lastRequest !== before && beat.sentAt !== null) beat.at = Math.max(beat.at, beat.sentAt)
    beat.sentAt = null
  }
  prototype.fetch = async function (nodeId) {
    if (owing.has(this) || hooksByCluster.get(this.cluster)?.mustTell()) throw mustJoin()
    return await fetch.call(this, nodeId)
  }
  // Where partitions or their leaders moved, kafkajs would join from within one broker's fetch, beside those of the others.
  prototype.recoverFromFetch = async function (error) {
    const joinAfterFetches = { value: () => Promise.reject(mustJoin()) }
    await recoverFromFetch.call(
      hooksByCluster.has(this.cluster) ? (Object.create(this, { joinAndSync: joinAfterFetches }) as Membership) : this,
      error,
    )
  }
  // kafkajs would commit "earliest" and go on as if nothing had been. Joining again asks for the positions anew, and says what is gone.
  prototype.recoverFromOffsetOutOfRange = async function (cut) {
    const hooks = hooksByCluster.get(this.cluster)
    if (hooks) {
      hooks.onCut(cut)
      throw mustJoin()
    }
    await recoverFromOffsetOutOfRange.call(this, cut)
  }
  prototype[PATCHED] = true
}

/**
 * What kafkajs makes of brokers that all failed to say who coordinates the group, one that was killed at that instant among them. It
 * gives up for good then, though it waits for brokers everywhere else; why they failed it has thrown away.
 */
const isUncoordinated = (error: unknown): error is Error =>
  error instanceof Error &&
  (error.name === 'KafkaJSGroupCoordinatorNotFound' || isUncoordinated('cause' in error ? error.cause : undefined))

function tryAgain(error: Error, hooks: MembershipHooks): Error {
  hooks.onUncoordinated(error)
  return new kafkajs.KafkaJSError(error.message, { retriable: true })
}

/** Monotonic milliseconds at which the last beat was sent that the coordinator answered, or at which it took us in. */
export const lastCountedAt = (membership: Membership): Millis => counted.get(membership)?.at ?? -Infinity

/** Ends every fetch, and has the runner join again: it takes this for the coordinator's own answer. */
const mustJoin = (): Error =>
  Object.assign(new kafkajs.KafkaJSProtocolError('The member joins the group again'), { type: 'REBALANCE_IN_PROGRESS' })

/** One OffsetCommit request, of this generation, without kafkajs's own retries: those would commit under a later generation. */
export async function commitOnce(membership: Membership, topics: readonly TopicOffsets[]): Promise<void> {
  const { cluster, groupId, memberId, generationId } = membership
  if (memberId === null || generationId === null) throw new Error('not a member of the group')
  const coordinator = await cluster.findGroupCoordinator({ groupId })
  await coordinator.offsetCommit({ groupId, memberId, groupGenerationId: generationId, topics })
}

/** What a coordinator answers to a member that has to join again. */
const JOIN_AGAIN: readonly unknown[] = ['REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID']

/** Beats once. @returns true when the group moved on without us; false also when no broker answers */
export async function isGenerationOver(membership: Membership): Promise<boolean> {
  try {
    await membership.heartbeat({ interval: 0 })
    return false
  } catch (error) {
    return error instanceof Error && 'type' in error && JOIN_AGAIN.includes(error.type)
  }
}

/** The committed offsets with their metadata; offset -1 where nothing was committed. */
export async function fetchCommitted(
  { cluster, groupId }: Membership,
  partitions: readonly TopicPartitions[],
): Promise<readonly TopicOffsets[]> {
  const coordinator = await cluster.findGroupCoordinator({ groupId })
  const { responses } = await coordinator.offsetFetch({ groupId, topics: partitions.map(forRequest) })
  return responses
}

/** What a broker answers that led a partition until lately. */
const LED_BY_ANOTHER: readonly unknown[] = ['NOT_LEADER_FOR_PARTITION', 'LEADER_NOT_AVAILABLE']

/**
 * The first offset that exists (`fromBeginning`), or the next one to be written.
 * kafkajs asks whom it knows as the leader, and looks for another only every five minutes, unless something is fetched: who asks
 * again must find the one of now.
 */
export async function fetchEdge(
  { cluster }: Pick<Membership, 'cluster'>,
  partitions: readonly TopicPartitions[],
  fromBeginning: boolean,
): Promise<readonly TopicOffsets[]> {
  try {
    return await cluster.fetchTopicsOffset(partitions.map((topic) => ({ ...forRequest(topic), fromBeginning })))
  } catch (error) {
    if (error instanceof Error && 'type' in error && LED_BY_ANOTHER.includes(error.type))
      await cluster.refreshMetadata()
    throw error
  }
}

/** The largest number of partitions that any of these topics has. @param countRead of a topic, how many are read at most */
export const countPartitions = (
  { cluster }: Pick<Membership, 'cluster'>,
  topics: readonly string[],
  countRead: (topic: string) => number,
): number =>
  Math.max(0, ...topics.map((topic) => Math.min(cluster.findTopicPartitionMetadata(topic).length, countRead(topic))))

const forRequest = ({ topic, partitions }: TopicPartitions) => ({
  topic,
  partitions: partitions.map((partition) => ({ partition })),
})
