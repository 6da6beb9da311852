// A dead letter that an operator puts back is delivered by the running forwarder, under a key that names the run.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { caseValue } from '../support/changes.ts'
import { openGround } from '../support/ground.ts'
import { runOnward } from '../support/run-onward.ts'
import { headerOf, targetServer } from '../support/target-server.ts'
import { until } from '../support/until.ts'

const LONG_ENOUGH_MS = 60_000

test('a dead letter that is put back is delivered once, and not again by the next forwarder', async (t) => {
  const answer = { status: 410 }
  const remote = await targetServer(t, { reply: () => answer.status })
  const ground = await openGround(t, 2)
  await ground.configure(`
project: demo
connections:
  - { id: one, url: "${remote.url}" }
repeaters:
  - { id: every, connection: one, forward: cases, format: json, supersede: never }
`)
  const forwarder = await ground.startForwarder()
  await ground.producer.send(ground.topics.cases, [{ key: 'c1', value: caseValue({ caseId: 'c1' }) }])
  await until('the letter', async () => (await ground.readOwn('dead-letters')).length === 1, LONG_ENOUGH_MS)
  answer.status = 200
  await ground.producer.send(ground.topics.cases, [{ key: 'c2', value: caseValue({ caseId: 'c2' }) }])
  await until('another case', () => remote.requests.length === 2, LONG_ENOUGH_MS)

  const requeued = await runOnward(
    ['dead-letters', 'requeue', '--repeater', 'demo/every', '--run', 'mended', '--yes'],
    ground.environment,
  )
  assert.equal(requeued.code, 0, requeued.stderr)
  await until('it arrives', () => remote.requests.length === 3, LONG_ENOUGH_MS)
  assert.match(headerOf(remote.requests[2], 'Idempotency-Key') ?? '', /^"demo\/every:.*:0:mended"$/)
  await until('nothing waits', async () => (await forwarder.metric('onward_deliveries_waiting')) === 0, LONG_ENOUGH_MS)
  assert.equal(await forwarder.stop('SIGTERM'), 0)
  assert.equal(remote.requests.length, 3)

  // What was put back is finished: a forwarder that starts anew does not send it before what comes next of its case.
  await ground.startForwarder()
  await ground.producer.send(ground.topics.cases, [{ key: 'c1', value: caseValue({ caseId: 'c1' }) }])
  await until('the next change', () => remote.requests.length > 3, LONG_ENOUGH_MS)
  assert.doesNotMatch(headerOf(remote.requests[3], 'Idempotency-Key') ?? '', /:mended"$/)
})
