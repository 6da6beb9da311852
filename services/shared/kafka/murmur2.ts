// Which partition a key belongs to: murmur2 as Java's producer computes it, so that all publishers agree.
// Enter: a key's bytes. Leave: a number. Never: randomness, except for records without a key, which take turns.
// kafkajs has the same in BigInt, at 6 µs for a case id instead of 0.1: a fifth of what a record costs to publish.
import type { ICustomPartitioner } from 'kafkajs'

const SEED = 0x9747b28c
const MULTIPLIER = 0x5bd1e995

/** @returns a signed 32-bit hash, equal to `org.apache.kafka.common.utils.Utils.murmur2` */
export function murmur2(key: Uint8Array): number {
  const length = key.length
  let hash = SEED ^ length
  const whole = length & ~3
  for (let at = 0; at < whole; at += 4) {
    let word = byte(key, at) | (byte(key, at + 1) << 8) | (byte(key, at + 2) << 16) | (byte(key, at + 3) << 24)
    word = Math.imul(word, MULTIPLIER)
    word = Math.imul(word ^ (word >>> 24), MULTIPLIER)
    hash = Math.imul(hash, MULTIPLIER) ^ word
  }
  if (length > whole) {
    for (let at = length - 1; at >= whole; at--) hash ^= byte(key, at) << (8 * (at - whole))
    hash = Math.imul(hash, MULTIPLIER)
  }
  hash = Math.imul(hash ^ (hash >>> 13), MULTIPLIER)
  return hash ^ (hash >>> 15)
}

/** @param partitions how many the topic has */
export const partitionOf = (key: Uint8Array, partitions: number): number => (murmur2(key) & 0x7fffffff) % partitions

const byte = (key: Uint8Array, at: number): number => key[at] ?? 0

/** The partitioner that kafkajs is given: an explicit partition, else by key, else in turn over the partitions that have a leader. */
export const partitionByMurmur2: ICustomPartitioner = () => {
  const turns = new Map<string, number>()
  return ({ topic, partitionMetadata, message }) => {
    if (typeof message.partition === 'number') return message.partition
    const { key } = message
    if (key !== null && key !== undefined) {
      return partitionOf(typeof key === 'string' ? Buffer.from(key) : key, partitionMetadata.length)
    }
    const led = partitionMetadata.filter(({ leader }) => leader >= 0)
    const candidates = led.length > 0 ? led : partitionMetadata
    const turn = turns.get(topic) ?? 0
    turns.set(topic, turn + 1)
    return candidates[turn % candidates.length]?.partitionId ?? 0
  }
}
