// Order through failure, over the real broker: what waits long lies in retry topics, here of seconds; a forwarder is killed
// meanwhile, and what comes later of the same case waits behind.
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { openGround, type Ground } from '../support/ground.ts'
import { caseValue } from '../support/changes.ts'
import { headerOf, targetServer, type Arrived, type TargetServer } from '../support/target-server.ts'
import { until } from '../support/until.ts'

const LONG_ENOUGH_MS = 120_000
const TIERS = ['1s', '3s']
/** Longer than the first tier, so that every failure is parked. */
const SCHEDULE = `[${Array(20).fill('2s').join(', ')}]`

const rules = (origin: string): string => `
project: demo
connections:
  - { id: one, url: "${origin}", schedule: ${SCHEDULE} }
repeaters:
  - { id: every, connection: one, forward: cases, format: json, supersede: never }
  - { id: latest, connection: one, forward: cases, format: json, supersede: waiting }
  - { id: closing, connection: one, forward: cases, format: xml, supersede: waiting }
`

const repeaterOf = (request: Arrived) => /"demo\/(\w+):/.exec(headerOf(request, 'Idempotency-Key') ?? '')?.[1] ?? ''
const caseOf = ({ body }: Arrived) => /case_id="?:?"?([\w-]+)/.exec(body.toString().replaceAll('":"', '="'))?.[1] ?? ''

async function openRetries(t: TestContext) {
  // 503 opens the breaker in the end; 423 is about the record alone.
  const failing = { isOn: true, status: 503 }
  const accepted: { readonly repeater: string; readonly caseId: string; readonly version: number }[] = []
  const remote = await targetServer(t, {
    reply: (request) => {
      const caseId = caseOf(request)
      if (failing.isOn && caseId === 'c1') return failing.status
      accepted.push({ repeater: repeaterOf(request), caseId, version: Number(headerOf(request, 'Onward-Version')) })
      return 200
    },
  })
  const ground = await openGround(t, 1, {}, TIERS)
  await ground.configure(rules(remote.url))
  const versionsOf = (repeater: string, caseId: string) =>
    accepted.filter((one) => one.repeater === repeater && one.caseId === caseId).map(({ version }) => version)
  return { failing, remote, ground, versionsOf }
}

const publish = (ground: Ground, caseId: string, more: Parameters<typeof caseValue>[0] = {}) =>
  ground.producer.send(ground.topics.cases, [{ key: caseId, value: caseValue({ ...more, caseId }) }])

/** Attempts of a case's first version, of one repeater. */
const attemptsOf = (remote: TargetServer, repeater: string): number =>
  remote.requests.filter((request) => repeaterOf(request) === repeater && caseOf(request) === 'c1').length

test('states of a case arrive in order after two tiers of failing, through a kill -9, while other cases go on', async (t) => {
  const { failing, remote, ground, versionsOf } = await openRetries(t)
  const first = await ground.startForwarder()
  await publish(ground, 'c1')
  await until('it was parked', async () => (await first.metric('onward_deliveries_parked_total')) >= 3, LONG_ENOUGH_MS)
  await publish(ground, 'c1')
  await publish(ground, 'other')
  await until('the other case', () => versionsOf('every', 'other').length === 1, LONG_ENOUGH_MS)
  await until('attempts', () => attemptsOf(remote, 'every') >= 2, LONG_ENOUGH_MS)
  await first.stop('SIGKILL')
  await publish(ground, 'c1')
  const second = await ground.startForwarder()
  await until('attempts again', () => attemptsOf(remote, 'every') >= 4, LONG_ENOUGH_MS)
  assert.deepEqual(versionsOf('every', 'c1'), [])
  failing.isOn = false
  await until('the newest', () => versionsOf('latest', 'c1').length > 0, LONG_ENOUGH_MS)
  await until('all', () => versionsOf('every', 'c1').length === 3, LONG_ENOUGH_MS)
  assert.deepEqual(versionsOf('every', 'c1'), [0, 1, 3])
  assert.deepEqual(versionsOf('latest', 'c1'), [3])
  await until('nothing waits', async () => (await second.metric('onward_deliveries_waiting')) === 0, LONG_ENOUGH_MS)

  // Back on the direct path: nothing is parked for it any more.
  const parked = await second.metric('onward_deliveries_parked_total')
  await publish(ground, 'c1')
  await until('the next one', () => versionsOf('every', 'c1').length === 4, LONG_ENOUGH_MS)
  assert.equal(await second.metric('onward_deliveries_parked_total'), parked)
  assert.equal(await second.stop('SIGTERM'), 0)
})

test('values that changed just before a close arrive before it', async (t) => {
  const { failing, ground, versionsOf } = await openRetries(t)
  const forwarder = await ground.startForwarder()
  await publish(ground, 'c1')
  await until(
    'it was parked',
    async () => (await forwarder.metric('onward_deliveries_parked_total')) > 0,
    LONG_ENOUGH_MS,
  )
  await publish(ground, 'c1')
  await publish(ground, 'c1', { closed: true })
  failing.isOn = false
  await until('the close', () => versionsOf('closing', 'c1').at(-1) === 2, LONG_ENOUGH_MS)
  assert.deepEqual(versionsOf('closing', 'c1'), [1, 2])
})

test('a case that changes more often than its tier wakes is still attempted, and delivered once its remote is well', async (t) => {
  const { failing, remote, ground, versionsOf } = await openRetries(t)
  failing.status = 423
  await ground.startForwarder()
  const stop = new AbortController()
  const publishing = (async () => {
    while (!stop.signal.aborted) {
      await publish(ground, 'c1')
      await new Promise((resolve) => setTimeout(resolve, 300))
    }
  })()
  await until('attempts', () => attemptsOf(remote, 'latest') >= 4, LONG_ENOUGH_MS)
  failing.isOn = false
  await until('deliveries', () => versionsOf('latest', 'c1').length >= 3, LONG_ENOUGH_MS)
  stop.abort()
  await publishing
  const versions = versionsOf('latest', 'c1')
  assert.deepEqual(
    versions,
    versions.toSorted((one, other) => one - other),
  )
})
