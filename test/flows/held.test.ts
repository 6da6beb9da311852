// A case that waits behind its dead letter, over the real broker: through restarts and a rebalance, until an operator has said
// what is to become of it.
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { caseValue } from '../support/changes.ts'
import { jsonLines } from '../support/dead-letter-ground.ts'
import type { ForwarderProcess } from '../support/forwarder-process.ts'
import { openGround, type Ground } from '../support/ground.ts'
import { runOnward } from '../support/run-onward.ts'
import { headerOf, targetServer, type Arrived } from '../support/target-server.ts'
import { until } from '../support/until.ts'

const LONG_ENOUGH_MS = 120_000
const HELD_METRIC = 'onward_lanes_held'

const rules = (origin: string): string => `
project: demo
connections:
  - { id: one, url: "${origin}" }
repeaters:
  - { id: every, connection: one, forward: cases, format: json, supersede: never, onDeadLetter: hold }
  - { id: latest, connection: one, forward: cases, format: json, supersede: waiting, onDeadLetter: hold }
`

const repeaterOf = (request: Arrived) => /"demo\/(\w+):/.exec(headerOf(request, 'Idempotency-Key') ?? '')?.[1] ?? ''
const caseOf = ({ body }: Arrived) => /"case_id":"([\w-]+)"/.exec(body.toString())?.[1] ?? ''

/** A remote that refuses for good what the case `c1` says, until it is mended. */
async function openRefusing(t: TestContext) {
  const remote = { isMended: false }
  const accepted: { readonly repeater: string; readonly caseId: string; readonly version: number }[] = []
  const server = await targetServer(t, {
    reply: (request) => {
      const caseId = caseOf(request)
      if (!remote.isMended && caseId === 'c1') return 410
      accepted.push({ repeater: repeaterOf(request), caseId, version: Number(headerOf(request, 'Onward-Version')) })
      return 200
    },
  })
  const ground = await openGround(t, 1, {}, ['1s', '3s'])
  await ground.configure(rules(server.url))
  const versionsOf = (repeater: string, caseId = 'c1') =>
    accepted.filter((one) => one.repeater === repeater && one.caseId === caseId).map(({ version }) => version)
  const run = (...args: string[]) => runOnward(['dead-letters', ...args], ground.environment)
  return { remote, server, ground, versionsOf, run }
}

const publish = (ground: Ground, ...cases: readonly string[]) =>
  ground.producer.send(
    ground.topics.cases,
    cases.map((caseId) => ({ key: caseId, value: caseValue({ caseId }) })),
  )

const held = (forwarder: ForwarderProcess, count: number) =>
  until(`${count} lanes are held`, async () => (await forwarder.metric(HELD_METRIC)) === count, LONG_ENOUGH_MS)

test('what follows a dead letter waits through a kill -9 and a rebalance; put back, the letter goes first', async (t) => {
  const { remote, server, ground, versionsOf, run } = await openRefusing(t)
  const first = await ground.startForwarder()
  await publish(ground, 'c1')
  await held(first, 2)
  await publish(ground, 'c1', 'other', 'c1')
  await until('the other case', () => versionsOf('every', 'other').length === 1, LONG_ENOUGH_MS)
  const ofCase = () => server.requests.filter((request) => caseOf(request) === 'c1').length
  const requests = ofCase()
  remote.isMended = true
  await first.stop('SIGKILL')
  const second = await ground.startForwarder()
  await held(second, 2)
  const joined = await ground.startForwarder()
  assert.equal(await second.stop('SIGTERM'), 0)
  await held(joined, 2)
  await until(
    'it was renewed',
    async () => (await joined.metric('onward_deliveries_parked_total', 'held')) >= 4,
    LONG_ENOUGH_MS,
  )
  assert.deepEqual([versionsOf('every'), versionsOf('latest')], [[], []])
  assert.equal(ofCase(), requests)

  const listed = await run('list')
  assert.match(listed.stdout, /rejected, held/)
  assert.match(listed.stderr, /2 of them hold their cases/)
  assert.match((await run('stats')).stdout, /2 cases are held by their letters/)
  const shown = await run('show', '0:0')
  assert.match(shown.stdout, /held +since 20.*Z: later changes of the case wait/)
  assert.match(shown.stdout, /onward dead-letters cancel --letter 0:0 --yes/)

  const requeued = await run('requeue', '--all', '--yes')
  assert.equal(requeued.code, 0, requeued.stderr + requeued.stdout)
  await until('all of it', () => versionsOf('every').length === 3 && versionsOf('latest').length >= 2, LONG_ENOUGH_MS)
  assert.deepEqual(versionsOf('every'), [0, 1, 3])
  assert.deepEqual(versionsOf('latest'), [0, 3])
  await held(joined, 0)

  // Also for whoever comes next.
  assert.equal(await joined.stop('SIGTERM'), 0)
  const last = await ground.startForwarder()
  await publish(ground, 'c1')
  await until('the direct path', () => versionsOf('every').length === 4, LONG_ENOUGH_MS)
  assert.equal(await last.metric(HELD_METRIC), 0)
  assert.doesNotMatch((await run('list')).stdout, /held/)
})

test('a hold that is cancelled stays so for the next forwarder; its letter stays dead', async (t) => {
  const { remote, ground, versionsOf, run } = await openRefusing(t)
  const first = await ground.startForwarder()
  await publish(ground, 'c1')
  await held(first, 2)
  await publish(ground, 'c1', 'c1')
  await until('they wait', async () => (await first.metric('onward_deliveries_waiting')) >= 3, LONG_ENOUGH_MS)
  remote.isMended = true

  const dry = await run('cancel', '--repeater', 'demo/every')
  assert.equal(dry.code, 10, dry.stderr)
  assert.match(dry.stdout, /^1 dead letter fits/)
  assert.match(dry.stdout, /demo\/every {2}case c1 {2}held since .*\n\nA dry run: 1 case would go on/)
  await held(first, 2)
  const done = await run('cancel', '--all', '--yes', '--json')
  assert.equal(done.code, 0, done.stderr)
  assert.partialDeepStrictEqual(jsonLines(done.stdout)[0], { dryRun: false, holding: 2 })
  await held(first, 0)
  await first.stop('SIGKILL')
  const second = await ground.startForwarder()
  await until(
    'the later ones',
    () => versionsOf('every').length >= 2 && versionsOf('latest').length >= 1,
    LONG_ENOUGH_MS,
  )
  assert.deepEqual([...new Set(versionsOf('every'))], [1, 2])
  assert.deepEqual([...new Set(versionsOf('latest'))], [2])
  await until('nothing waits', async () => (await second.metric('onward_deliveries_waiting')) === 0, LONG_ENOUGH_MS)
  assert.equal(await second.metric(HELD_METRIC), 0)
  const again = await run('cancel', '--all', '--yes')
  assert.match(again.stdout, /none of them holds a case\. Nothing to do/)
})
