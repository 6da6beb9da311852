// The partition assigner in kafkajs's shape: what members tell the leader of the group, and what it answers.
// Enter: what this member owns. Leave: the bytes of both. Who owns what is decided in share-numbers.ts.
import { AssignerProtocol, type Assigner, type GroupMember, type PartitionAssigner } from 'kafkajs'
import { shareNumbers, type Claim, type Member } from './share-numbers.ts'

/**
 * Members that know different assigners can't join one group, and that is meant: those of `onward-co-partition` read no topic
 * but the sources, so a case whose earlier change waits in a retry topic would be overtaken there; a leader of
 * `onward-co-partition-sticky` would give away what we still work on. Kafka refuses whoever comes second. A way of sharing that
 * members of this one can live with keeps the name and tells more in the user data.
 */
const NAME = 'onward-co-partition-cooperative'
/** Of Kafka's own envelope. Version 1 has a field that kafkajs doesn't write, and Kafka's tools could not read it. */
const ENVELOPE_VERSION = 0
/** Of our user data: `{ "version": 1, "generation": 7, "numbers": [0, 3], "works": true, "leaves": false }`. */
const USER_DATA_VERSION = 1

/**
 * @param claim what this member owns, asked at each join
 * @param countRead of a topic, how many partitions are read at most: others are given to nobody
 */
export const openCoPartitionAssigner =
  (claim: () => Claim | null, countRead: (topic: string) => number): PartitionAssigner =>
  ({ cluster }): Assigner => ({
    name: NAME,
    version: ENVELOPE_VERSION,
    async assign({ members }) {
      const known = members.map(readMember)
      const topics = [...new Set(known.flatMap((member) => member.topics))].sort()
      // Another member may subscribe what the leader does not, and whose partitions it does not know.
      await cluster.addMultipleTargetTopics(topics)
      const countOf = (topic: string) => Math.min(cluster.findTopicPartitionMetadata(topic).length, countRead(topic))
      const counts = new Map(topics.map((topic) => [topic, countOf(topic)]))
      return [...shareNumbers(known, counts)].map(([memberId, share]) => ({
        memberId,
        memberAssignment: AssignerProtocol.MemberAssignment.encode({
          version: ENVELOPE_VERSION,
          assignment: Object.fromEntries(Object.entries(share).map(([topic, numbers]) => [topic, [...numbers]])),
          userData: Buffer.alloc(0),
        }),
      }))
    },
    protocol: ({ topics }) => ({
      name: NAME,
      metadata: AssignerProtocol.MemberMetadata.encode({
        version: ENVELOPE_VERSION,
        topics,
        userData: renderClaim(claim()),
      }),
    }),
  })

export const renderClaim = (claim: Claim | null): Buffer =>
  claim === null ? Buffer.alloc(0) : Buffer.from(JSON.stringify({ version: USER_DATA_VERSION, ...claim }))

/** What Kafka says of members that share in different ways does not say what to do. */
export const explainSharing = (error: Error): Error =>
  'type' in error && error.type === 'INCONSISTENT_GROUP_PROTOCOL'
    ? new Error(
        'the group has members that share its partitions in another way: an older Onward, or another program. Stop them first',
        { cause: error },
      )
    : error

/** @returns null for what no member of this version writes: it then owns nothing */
export function readClaim(userData: Buffer | null): Claim | null {
  try {
    const parsed: unknown = JSON.parse(userData?.toString('utf8') ?? '')
    if (typeof parsed !== 'object' || parsed === null) return null
    const { version, generation, numbers, works, leaves } = parsed as Record<string, unknown>
    if (version !== USER_DATA_VERSION || !isCount(generation) || !Array.isArray(numbers)) return null
    if (typeof works !== 'boolean' || typeof leaves !== 'boolean') return null
    return numbers.every(isCount) ? { generation, numbers, works, leaves } : null
  } catch {
    return null
  }
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0

/** A member whose bytes cannot be read subscribes nothing that we know of, so it is given nothing; the others share. */
function readMember({ memberId, memberMetadata }: GroupMember): Member {
  try {
    const metadata = AssignerProtocol.MemberMetadata.decode(memberMetadata)
    return { id: memberId, topics: metadata?.topics ?? [], claim: readClaim(metadata?.userData ?? null) }
  } catch {
    return { id: memberId, topics: [], claim: null }
  }
}
