// A consumer that lost its way, in a real process on the real broker: it is noticed, told, and restarted; what waits for somebody
// outside is not taken for it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { caseValue } from '../support/changes.ts'
import { openGround } from '../support/ground.ts'
import { targetServer } from '../support/target-server.ts'
import { until } from '../support/until.ts'

const STALLED = new URL('../support/stalled-fetch.mjs', import.meta.url)
const PRELOAD = { NODE_OPTIONS: `${process.env['NODE_OPTIONS'] ?? ''} --import=${STALLED.href}`.trim() }
const STUCK_AFTER = { ONWARD_STUCK_AFTER: '3s' }
const LONG_ENOUGH_MS = 60_000

const rules = (url: string): string => `
project: demo
connections:
  - { id: remote, url: "${url}", schedule: [1h] }
repeaters:
  - { id: cases, connection: remote, forward: cases, supersede: never }
`
const record = (caseId: string) => ({ key: caseId, value: caseValue({ caseId }) })
const livez = async (port: number): Promise<number> => (await fetch(`http://127.0.0.1:${port}/livez`)).status

test('a consumer that gets nothing although there are records is told of, and restarted: then the records arrive', async (t) => {
  const ground = await openGround(t, 2)
  const remote = await targetServer(t)
  await ground.configure(rules(remote.url))
  const forwarder = await ground.startForwarder({ ...PRELOAD, ...STUCK_AFTER })
  await ground.producer.send(ground.topics.cases, [record('before')])
  await until('the first arrives', () => remote.requests.length === 1, LONG_ENOUGH_MS)

  process.kill(forwarder.pid, 'SIGUSR2')
  await forwarder.line(({ event }) => event === 'fetch-stalled')
  await ground.producer.send(ground.topics.cases, [record('after')])
  const stuck = await forwarder.line(({ event }) => event === 'consumer-stuck')
  assert.match(String(stuck['partitions']), new RegExp(`${ground.topics.cases}/\\d committed \\d+ of \\d+`))
  assert.equal(stuck['level'], 'error')
  const held = await forwarder.line(({ event }) => event === 'consumer-held')
  assert.match(String(held['logs']), /read to \d+, committed/)
  assert.equal(await livez(forwarder.port), 200)
  await until('the second arrives', () => remote.requests.length === 2, LONG_ENOUGH_MS)
  await until('nothing is stuck', async () => (await forwarder.metric('onward_consumer_stuck_partitions')) === 0)
  assert.equal(await livez(forwarder.port), 200)
  assert.equal(await forwarder.stop('SIGTERM'), 0)
})

test('a consumer that a restart does not help makes the process count as not alive', async (t) => {
  const ground = await openGround(t, 1)
  await ground.configure(rules('http://127.0.0.1:9/'))
  const forwarder = await ground.startForwarder({ ...PRELOAD, ...STUCK_AFTER, STALLED_FETCH: 'for-good' })
  process.kill(forwarder.pid, 'SIGUSR2')
  await forwarder.line(({ event }) => event === 'fetch-stalled')
  await ground.producer.send(ground.topics.cases, [record('never')])
  await forwarder.line(({ event, restartHelped }) => event === 'consumer-stuck' && restartHelped === false)
  const looks = (event: string) => forwarder.lines.filter((line) => line.event === event).length
  const restarts = looks('partitions-assigned')
  await until('another restart', () => looks('partitions-assigned') > restarts, LONG_ENOUGH_MS)
  const response = await fetch(`http://127.0.0.1:${forwarder.port}/livez`)
  assert.equal(response.status, 503)
  assert.match(await response.text(), /partitions do not move, and a restart of the consumer did not help/)
  assert.equal(await forwarder.stop('SIGTERM'), 0)
})

test('changes that wait for a remote are no stuck consumer, however long', async (t) => {
  const ground = await openGround(t, 1)
  // It answers after longer than a consumer may stand still.
  const remote = await targetServer(t, {
    reply: () => ({ held: new Promise((resolve) => setTimeout(resolve, 6_000, 200)) }),
  })
  await ground.configure(rules(remote.url))
  const forwarder = await ground.startForwarder(STUCK_AFTER)
  await ground.producer.send(ground.topics.cases, [record('slow'), record('slow')])
  await until('both arrived', () => remote.requests.length === 2, LONG_ENOUGH_MS)
  await until(
    'both are settled',
    async () => (await forwarder.metric('onward_deliveries_settled_total')) === 2,
    LONG_ENOUGH_MS,
  )
  assert.deepEqual(
    forwarder.lines.filter(({ event }) => event === 'consumer-stuck'),
    [],
  )
})
