// What a life of the simulator is judged by. Each promise has a name, which the mutations of the rules are caught by, and words.

export const PROMISES = {
  'one-at-a-time': 'a lane has at most one request on the wire',
  'only-the-owner':
    'nobody but the owner of a partition number starts a request for it, and no owner that is giving it up',
  'within-the-lease': 'no request starts while another process may own the partition',
  'within-the-slots': 'a connection has no more requests on the wire than slots',
  'probes-only': 'a connection that is dead costs probes',
  'in-order': 'the first occurrences of the changes of a lane come in the order of the source',
  'newest-last': 'the newest version that a lane’s remote accepted is sent after every older one that it accepts',
  'nothing-lost':
    'what has not ended is above the committed offset, or a copy that counts is above that of a retry topic',
  'commits-rise': 'a committed offset never falls',
  'ends-once': 'a delivery ends once while its partition has one owner',
  'letter-first': 'a dead letter is acknowledged before its delivery ends',
  'events-stay': 'what is no full state, or is never to be superseded, supersedes nothing and is not superseded',
  'newer-instead': 'what is superseded has a newer version that was delivered or is a dead letter',
  'memory-bounded': 'nothing more is read while memory is full, but on the way to the horizon',
  'copies-known': 'every copy in a retry topic that is not finished is among the parked versions',
  'epochs-committed': 'nothing is appended under an epoch that no commit holds',
  'backoff-kept': 'a lane that failed is not asked again before its instant',
  'short-waits-in-memory': 'a wait of the shortest tier’s delay stays in memory, a longer one does not',
  'tier-fits':
    'a copy waits in no tier that is longer than its wait, unless its connection is broken or has no turn for it yet, or memory is full',
  'tier-delays': 'a copy comes back no earlier than its tier’s delay',
  'healthy-go-on': 'a lane of a healthy connection gets an attempt within two delays of the shortest tier',
  'healthy-unparked': 'with memory to spare nothing of a healthy connection is parked',
  'healed-go-on': 'a lane whose remote has healed is delivered, however often its case changes',
  'all-ends': 'everything ends, and nothing is held after it',
  'no-fault': 'nothing throws',
} as const

export type PromiseName = keyof typeof PROMISES

/** The first promise of a life that was broken. */
export type Broken = {
  readonly promise: PromiseName
  /** What was seen. */
  readonly seen: string
  /** Milliseconds since the world began. */
  readonly at: number
}
