// A record's trace through a real forwarder: to the remote, onto the retry topic and back, into the dead letter, and into spans.
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readTopic, type TopicRecord } from '../../services/shared/kafka/reader.ts'
import { caseValue } from '../support/changes.ts'
import { openGround } from '../support/ground.ts'
import { headerOf, targetServer } from '../support/target-server.ts'
import { until } from '../support/until.ts'

const PRELOAD = new URL('../support/spans-to-file.mjs', import.meta.url).href
const TRACE = '0af7651916cd43dd8448eb211c80319c'
const TRACEPARENT = `00-${TRACE}-b7ad6b7169203331-01`
const LONG_ENOUGH_MS = 60_000

type Span = { readonly name: string; readonly links: readonly string[]; readonly attributes: Record<string, unknown> }

test('a record keeps its trace on every way it takes, and a preloaded SDK gets a span of each step', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'onward-spans-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'spans')
  const spans = (): readonly Span[] =>
    existsSync(file)
      ? readFileSync(file, 'utf8')
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as Span)
      : []

  const ground = await openGround(t, 1, {}, ['1s'])
  // 423 is about the one record; 410 is for good.
  const remote = await targetServer(t, { replies: [423, 410] })
  await ground.configure(`
project: demo
connections:
  - { id: remote, url: "${remote.url}", schedule: [2s, 2s] }
repeaters:
  - { id: cases, connection: remote, forward: cases, supersede: never }
`)
  const forwarder = await ground.startForwarder({
    NODE_OPTIONS: `${process.env['NODE_OPTIONS'] ?? ''} --import=${PRELOAD}`.trim(),
    SPANS_FILE: file,
  })
  const headers = { traceparent: TRACEPARENT, tracestate: 'vendor=1' }
  await ground.producer.send(ground.topics.cases, [{ key: 'c1', value: caseValue({ caseId: 'c1' }), headers }])
  await until('both attempts', () => remote.requests.length === 2, LONG_ENOUGH_MS)
  await until(
    'it is settled',
    async () => (await forwarder.metric('onward_deliveries_settled_total', 'verdict="dead-letter"')) === 1,
    LONG_ENOUGH_MS,
  )

  for (const request of remote.requests) {
    assert.equal(headerOf(request, 'traceparent'), TRACEPARENT)
    assert.equal(headerOf(request, 'tracestate'), 'vendor=1')
  }
  const parked: TopicRecord[] = []
  const topic = `${ground.prefix}retry.1s`
  await readTopic(ground.kafka, { topic, signal: AbortSignal.timeout(LONG_ENOUGH_MS) }, (record) => {
    parked.push(record)
  })
  for (const [letter] of [parked, await ground.readOwn('dead-letters')]) {
    assert.equal(String(letter?.headers['traceparent']), TRACEPARENT)
    assert.equal(String(letter?.headers['tracestate']), 'vendor=1')
  }
  // A copy that comes back before its instant is parked once more.
  const steps = spans()
    .map(({ name, links, attributes }) => ({ step: `${name} ${links.join()}`, attempt: attributes['onward.attempt'] }))
    .filter(({ step }, at, all) => step !== all[at - 1]?.step)
  assert.deepEqual(steps, [
    { step: `receive ${ground.topics.cases} ${TRACE}`, attempt: undefined },
    { step: `deliver demo/cases ${TRACE}`, attempt: 1 },
    { step: `park 1s ${TRACE}`, attempt: undefined },
    { step: `deliver demo/cases ${TRACE}`, attempt: 2 },
  ])
})
