import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aConnection, caseValue } from '../support/changes.ts'
import { openHub } from '../support/hub.ts'
import { targetServer } from '../support/target-server.ts'
import { until } from '../support/until.ts'
import { aRepeater } from './render-payload/changes.ts'

test('a change that came while the refused copy of an older one became a dead letter goes on after it', async (t) => {
  const remote = await targetServer(t, { replies: [503, 200] })
  const hub = openHub(t, {
    configured: [
      aConnection({ url: remote.url, schedule: [60_000] }),
      aRepeater({ supersede: 'never', closedCase: 'full' }),
    ],
    refusal: () => ({ kind: 'too-large', count: 1 }),
  })
  hub.deadLetters.hold()
  hub.receive(caseValue({ caseId: 'c1' }))
  await until('the letter is handed over', () => hub.deadLetters.waiting === 1)
  hub.receive(caseValue({ caseId: 'c1' }))
  assert.deepEqual(hub.facts(), ['demo/all@0 503'])
  hub.deadLetters.acknowledge()
  await hub.tells('demo/all@1 delivered')
  assert(hub.task.parked.isEmpty)
  assert.equal(hub.intake.heldBytes, 0)
})
