// A member of a group in a process of its own, which a test stops and lets go on: it says on standard output when it holds the lease,
// and what it finds at once when it notices that it was stopped. Enter: brokers, a topic. It ends when it is killed.
import { systemClock } from '../../services/shared/clock.ts'
import { joinGroup } from '../../services/shared/kafka/group.ts'
import { connectKafka } from '../../services/shared/kafka/kafka.ts'
import { silentLog } from './kafka-ground.ts'

/** The shortest that brokers allow. */
const SESSION_TIMEOUT_MS = 6_000
const LOOK_EVERY_MS = 20
/** Between two looks: then it was stopped. */
const STOPPED_MS = 2_000

const [brokers = '', topic = ''] = process.argv.slice(2)
const group = await joinGroup({
  kafka: connectKafka({ brokers: brokers.split(','), ssl: null, sasl: null }, 'onward-leased', silentLog),
  groupId: `leased-${topic}`,
  topics: [topic],
  startFrom: () => 'earliest',
  sessionTimeout: SESSION_TIMEOUT_MS,
  work: {
    assigned: () => undefined,
    revoked: async () => undefined,
    received: () => undefined,
    reached: () => undefined,
    positionOf: () => 0,
  },
  log: silentLog,
  clock: systemClock,
  fail: (error) => {
    throw error
  },
})
let before = ''
let lookedAt = systemClock.monotonic()
for (;;) {
  await systemClock.sleep(LOOK_EVERY_MS)
  const now = systemClock.monotonic()
  const holds = group.holdsLease() ? 'held' : 'lost'
  if (now - lookedAt > STOPPED_MS) console.log(`went on: ${holds}`)
  else if (holds !== before) console.log(holds)
  lookedAt = now
  before = holds
}
