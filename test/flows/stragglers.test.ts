// Many connections that hang at once, over the real broker: what waits for them stands between so much that is finished that a
// commit could not show all of it. It leaves memory in time, so that a forwarder that is killed then has nothing sent twice.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { caseValue } from '../support/changes.ts'
import { openGround } from '../support/ground.ts'
import { headerOf, targetServer } from '../support/target-server.ts'
import { until } from '../support/until.ts'

const CONNECTIONS = 300
/** For each of them, read before anybody knows how slow it is. */
const WAITING = 12
const LONG_ENOUGH_MS = 120_000
/** Commits come four times in a second. */
const COMMITTED_MS = 2_000
/** So many open records between finished ones fit into a commit; it goes on until they are three quarters of what does. */
const SHOWN = 1_200

const rules = (hanging: string, well: string): string => {
  const names = Array.from({ length: CONNECTIONS }, (_, index) => `hanging-${index}`)
  return `
project: demo
connections:
  - { id: well, url: "${well}" }
${names.map((name) => `  - { id: ${name}, url: "${hanging}", limits: { concurrency: 1 } }`).join('\n')}
repeaters:
  - { id: well, connection: well, forward: cases, format: json, filters: { caseTypes: [well] } }
${names.map((name) => `  - { id: ${name}, connection: ${name}, forward: cases, format: json, filters: { caseTypes: [${name}] } }`).join('\n')}
`
}

test('3,600 deliveries that wait among as many finished ones leave memory before a commit can no longer show those', async (t) => {
  const hanging = await targetServer(t, { reply: () => 'silence' })
  const well = await targetServer(t)
  const ground = await openGround(t, 1, {}, ['1m', '5m'])
  await ground.configure(rules(hanging.url, well.url))
  const count = CONNECTIONS * WAITING
  const records = Array.from({ length: count }, (_, index) => {
    const ofHanging = { caseId: `h-${index}`, caseType: `hanging-${index % CONNECTIONS}` }
    return [ofHanging, { caseId: `w-${index}`, caseType: 'well' }].map((change) => ({
      key: change.caseId,
      value: caseValue(change),
    }))
  }).flat()
  await ground.producer.send(ground.topics.cases, records)

  const first = await ground.startForwarder()
  await until('all that is well arrives', () => well.requests.length >= count, LONG_ENOUGH_MS)
  const parked = (why = '') => first.metric('onward_deliveries_parked_total', why)
  await until('what waits leaves memory', async () => (await parked()) > count - SHOWN, LONG_ENOUGH_MS)
  assert.ok((await parked('reason="memory"')) > 0)
  await pause(COMMITTED_MS)
  await first.stop('SIGKILL')
  const second = await ground.startForwarder()
  await until(
    'the sources are read',
    async () => (await second.metric('onward_consumer_lag_records')) === 0,
    LONG_ENOUGH_MS,
  )
  await pause(COMMITTED_MS)
  const keys = new Set(well.requests.map((request) => headerOf(request, 'Idempotency-Key')))
  assert.equal(keys.size, count)
  assert.equal(well.requests.length, count, 'nothing that was finished is sent again')
})
