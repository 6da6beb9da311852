// What kcat can do to a record on its way: compress it, give it headers, leave out its key or its value.
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { openGround } from '../support/ground.ts'
import { sharedStack } from '../support/stack.ts'
import { headerOf, targetServer, type Arrived } from '../support/target-server.ts'
import { until } from '../support/until.ts'
import { caseDocument } from './guide-samples.ts'
import { kcatProduces, runProgram } from './run-program.ts'

const ARRIVES_WITHIN_MS = 30_000

async function openScene(t: TestContext) {
  const { brokers } = await sharedStack()
  const remote = await targetServer(t)
  const ground = await openGround(t, 1)
  await ground.configure(`project: demo
connections:
  - { id: remote, name: Remote, url: "${remote.url}" }
repeaters:
  - { id: cases, connection: remote, forward: cases, format: json, supersede: never }
`)
  const forwarder = await ground.startForwarder()
  return {
    forwarder,
    place: { brokers, topic: ground.topics.cases },
    arrive: async (count: number) => {
      await until(`${count} requests arrive`, () => remote.requests.length >= count, ARRIVES_WITHIN_MS)
      return remote.requests
    },
  }
}

const change = (caseId: string, properties: Readonly<Record<string, string>> = {}): readonly [string, string] => [
  caseId,
  JSON.stringify({ ...caseDocument, case_id: caseId, properties }),
]
const caseOf = ({ body }: Arrived): unknown => Reflect.get(JSON.parse(String(body)) as object, 'case_id')
test('changes that kcat compresses with gzip, snappy, lz4 and zstd are forwarded, all of them and in order', async (t) => {
  const { place, arrive } = await openScene(t)
  const codecs = ['gzip', 'snappy', 'lz4', 'zstd']
  const changesEach = 50
  const cases = codecs.flatMap((codec) => Array.from({ length: changesEach }, (_, index) => `${codec}-${index}`))
  for (const codec of codecs) {
    const changes = cases
      .filter((caseId) => caseId.startsWith(codec))
      .map((caseId) => change(caseId, { note: 'größe '.repeat(200) }))
    await kcatProduces(place, changes, '-z', codec, '-X', 'linger.ms=100')
  }
  const requests = await arrive(cases.length)
  assert.deepEqual(requests.map(caseOf).toSorted(), cases.toSorted())
  // One lane a case, so only the versions say what was read when.
  const versions = requests.map((request) => Number(headerOf(request, 'Onward-Version'))).toSorted((a, b) => a - b)
  assert.deepEqual(
    versions,
    cases.map((_, index) => index),
  )
})

test("traceparent and tracestate of kcat's headers are sent on, and no other header of a record is", async (t) => {
  const { place, arrive } = await openScene(t)
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const tracestate = 'vendor=value,other=1'
  await kcatProduces(
    place,
    [change('traced')],
    ...['-H', `traceparent=${traceparent}`, '-H', `tracestate=${tracestate}`],
    ...['-H', 'Authorization=Bearer theirs', '-H', 'x-source=kcat'],
  )
  const [request] = await arrive(1)
  assert.ok(request)
  assert.equal(headerOf(request, 'traceparent'), traceparent)
  assert.equal(headerOf(request, 'tracestate'), tracestate)
  assert.equal(headerOf(request, 'Authorization'), undefined)
  assert.equal(headerOf(request, 'x-source'), undefined)
})

test('a change without a key is forwarded and counted, and a tombstone is counted and sends nothing', async (t) => {
  const { place, forwarder, arrive } = await openScene(t)
  const produce = (input: string, ...options: string[]) =>
    runProgram('kcat', ['-P', '-b', place.brokers.join(','), '-t', place.topic, ...options], input)
  await produce(`${change('keyless')[1]}\n`)
  await produce('deleted|', '-K', '|', '-Z')
  await kcatProduces(place, [change('after')])
  assert.deepEqual((await arrive(2)).map(caseOf), ['keyless', 'after'])
  assert.equal(await forwarder.metric('onward_changes_without_key_total'), 1)
  assert.equal(await forwarder.metric('onward_changes_consumed_total', 'result="tombstone"'), 1)
  assert.equal(await forwarder.metric('onward_dead_letters_total'), 0)
})
