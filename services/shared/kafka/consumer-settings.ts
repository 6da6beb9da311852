// The times and sizes that a member of the group lives by, with who feels each.
import type { Millis } from '../clock.ts'

/**
 * The longest an idle fetch waits, and with it a heartbeat (kafkajs beats only between fetches); and how long kafkajs sleeps
 * while every partition is paused, so what was fetched ahead must last longer than this.
 */
const FETCH_WAIT: Millis = 250
/**
 * How long after its last heartbeat the group misses a member: what its partitions wait for when it was killed, a restart at
 * once included. Longer than anything that keeps us from beating: a turn in which several of the largest forms are rendered (a
 * second or two), a garbage collection, a coordinator that moves (some seconds). Shorter would cost memberships, and each costs
 * everybody a rebalance. Brokers MUST allow it: `group.min.session.timeout.ms` is 6 s unless set.
 */
export const SESSION_TIMEOUT: Millis = 15_000
/** Of the session: what was started at the end of the lease is on the wire before another owner may start. */
export const LEASE_PART = 0.6
/**
 * How soon a member hears that another joins or leaves: until all have heard it, what moves is nobody's. A beat is a few bytes, and
 * there are four idle fetches in a second beside it.
 */
const HEARTBEAT_EVERY: Millis = 500
/** For the slowest member to finish, commit and join again: the drain, the last commit, and a broker that answers late. */
const REBALANCE_TIMEOUT: Millis = 60_000
/**
 * A fetch is decoded in one go: this bounds how long it keeps the event loop from answering anybody, how far the memory bound
 * is overshot, and what is thrown away when the sources are paused. A batch that is larger comes whole (KIP-74).
 */
const FETCH_BYTES = 512 * 1024
const FETCH_BYTES_PER_PARTITION = 128 * 1024

/** As kafkajs names them. */
export const CONSUMER = {
  rebalanceTimeout: REBALANCE_TIMEOUT,
  heartbeatInterval: HEARTBEAT_EVERY,
  maxWaitTimeInMs: FETCH_WAIT,
  maxBytes: FETCH_BYTES,
  maxBytesPerPartition: FETCH_BYTES_PER_PARTITION,
  allowAutoTopicCreation: false,
}
