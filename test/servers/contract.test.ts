// The contract with both parties strangers: published by kcat and by Confluent's Python client, received by Python's own
// HTTP server. Every body whole, every header by name and value, and none beside them.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test, type TestContext } from 'node:test'
import manifest from '../../package.json' with { type: 'json' }
import { openGround, type Ground } from '../support/ground.ts'
import { sharedStack } from '../support/stack.ts'
import {
  APP,
  appDocument,
  BODIES,
  CASE_MODIFIED_ON,
  caseDocument,
  FORM_RECEIVED_ON,
  formDocument,
  rulesFor,
  TREES,
} from './guide-samples.ts'
import { pythonReceiver, type PythonReceiver, type Received } from './python-receiver.ts'
import { kcatProduces, runPython } from './run-program.ts'

const TRACEPARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
const GOLDEN_LENGTHS = { form: 1135, 'case-xml': 324, stub: 151, app: 32 }

type Scene = { readonly ground: Ground; readonly receiver: PythonReceiver; readonly brokers: readonly string[] }

/** One partition and a fresh log: the first record of each topic lies at offset 0. */
async function openScene(t: TestContext): Promise<Scene> {
  const { brokers } = await sharedStack()
  const receiver = await pythonReceiver(t)
  const ground = await openGround(t, 1)
  await ground.configure(rulesFor(receiver.host))
  await ground.startForwarder()
  return { ground, receiver, brokers }
}

type Expected = {
  readonly method: 'POST' | 'PUT'
  readonly query: string
  readonly source: 'forms' | 'cases' | 'apps'
  readonly contentType: string
  /** Of the payload's kind, and of the record. */
  readonly headers: Readonly<Record<string, string>>
}

const EXPECTED: Readonly<Record<string, Expected>> = {
  'case-xml': {
    method: 'POST',
    query: '?key=a%20b',
    source: 'cases',
    contentType: 'text/xml',
    headers: { 'Server-Modified-On': CASE_MODIFIED_ON },
  },
  'case-json': {
    method: 'PUT',
    query: '?key=a%20b',
    source: 'cases',
    contentType: 'application/json',
    headers: { 'Server-Modified-On': CASE_MODIFIED_ON },
  },
  form: {
    method: 'POST',
    query: `?key=a%20b&app_id=${APP}`,
    source: 'forms',
    contentType: 'text/xml',
    headers: { 'Received-On': FORM_RECEIVED_ON },
  },
  stub: {
    method: 'POST',
    query: '?key=a%20b',
    source: 'forms',
    contentType: 'application/json',
    headers: { 'Received-On': FORM_RECEIVED_ON },
  },
  app: { method: 'POST', query: '?key=a%20b', source: 'apps', contentType: 'text/xml', headers: {} },
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** @param traced the records carried a traceparent */
async function judge({ ground, receiver }: Scene, traced: boolean): Promise<void> {
  const ids = Object.keys(BODIES)
  const requests = await receiver.received(ids.length)
  assert.equal(requests.length, ids.length, 'one request for each repeater')
  for (const id of ids) {
    const expected = EXPECTED[id]
    const request = requests.find(({ path }) => path.startsWith(`/${id}?`))
    assert.ok(expected && request, `a request for ${id}`)
    assert.equal(request.method, expected.method)
    assert.equal(request.path, `/${id}${expected.query}`)
    assert.equal(request.body.toString('utf8'), BODIES[id]?.toString('utf8'))
    assert.deepEqual(request.body, BODIES[id])
    assert.deepEqual(
      sorted(withoutRequestId(request)),
      sorted([
        // HTTP/1.1's own, as the client writes them.
        ['host', receiver.host],
        ['connection', 'keep-alive'],
        ['content-length', String(request.body.length)],
        ['Content-Type', expected.contentType],
        ['User-Agent', `Onward/${manifest.version} (+${manifest.homepage})`],
        ['Idempotency-Key', `"demo/${id}:${ground.topics[expected.source]}:0:0"`],
        ['Onward-Attempt', '1'],
        ['Onward-Version', '0'],
        ...(traced ? [['traceparent', TRACEPARENT] as const] : []),
        ...Object.entries(expected.headers),
      ]),
    )
  }
  for (const [id, length] of Object.entries(GOLDEN_LENGTHS)) {
    assert.equal(requests.find(({ path }) => path.startsWith(`/${id}?`))?.body.length, length, id)
  }
}

type Header = readonly [name: string, value: string]

/** The one header whose value nobody can know: it is there once, and is a UUID. */
function withoutRequestId({ headers }: Received): readonly Header[] {
  const ids = headers.filter(([name]) => name === 'X-Request-Id').map(([, value]) => value)
  assert.equal(ids.length, 1)
  assert.match(ids[0] ?? '', UUID)
  return headers.filter(([name]) => name !== 'X-Request-Id')
}

const sorted = (headers: readonly Header[]): readonly string[] =>
  headers.map(([name, value]) => `${name}: ${value}`).toSorted()

test("kcat's JSON case, form and app reach a receiver in Python as the contract's bytes and headers", async (t) => {
  const scene = await openScene(t)
  const { ground, brokers } = scene
  const produce = (topic: string, key: string, document: object) =>
    kcatProduces({ brokers, topic }, [[key, JSON.stringify(document)]], '-H', `traceparent=${TRACEPARENT}`)
  await produce(ground.topics.cases, TREES, caseDocument)
  await produce(ground.topics.forms, TREES, formDocument)
  await produce(ground.topics.apps, APP, appDocument)
  await judge(scene, true)
})

const INSTANTS = {
  cases: ['opened_on', 'date_modified', 'server_modified_on'],
  forms: ['received_on'],
  apps: ['saved_on'],
}
const SCHEMA_FILES = { cases: 'case-change', forms: 'form-change', apps: 'app-change' }

for (const [known, title] of [
  ['auto', 'that registers the schema by itself'],
  ['registered', 'whose schema was registered before'],
  ['latest', "that takes the subject's latest schema"],
] as const) {
  test(`Avro of a Python producer ${title} reaches a receiver in Python as the contract's bytes and headers`, async (t) => {
    const scene = await openScene(t)
    const { ground, brokers } = scene
    const produce = (source: keyof typeof SCHEMA_FILES, key: string, value: object) =>
      runPython('publish_avro.py', {
        brokers: brokers.join(','),
        registry: ground.registryUrl,
        topic: ground.topics[source],
        schema: readFileSync(new URL(`../../schemas/${SCHEMA_FILES[source]}.avsc`, import.meta.url), 'utf8'),
        known,
        key,
        value,
        instants: INSTANTS[source],
        documents: source === 'forms' ? ['xml'] : [],
      })
    await produce('cases', TREES, caseDocument)
    await produce('forms', TREES, formDocument)
    await produce('apps', APP, appDocument)
    await judge(scene, false)
  })
}

const KANDI = 'Kandi-ville/№7'

/** Each field that a publisher can fill, in the script of three peoples, with an instant in another zone than UTC. */
const fullCase = {
  ...caseDocument,
  case_id: KANDI,
  case_name: 'Nguyễn <&> "Ọlá" 😀',
  external_id: 'éxt-1',
  server_modified_on: '2015-04-17T22:14:34.1+02:00',
  properties: { ville: 'Kandi', 'dob-2': '', âge: '७' },
  indices: [
    { identifier: 'parent', case_type: 'household', case_id: 'h-1', relationship: 'child' },
    { identifier: 'host', case_type: 'patient', case_id: 'p-1', relationship: 'extension' },
  ],
}
const FULL_XML =
  `<case case_id="${KANDI}" date_modified="2015-04-17T16:04:54.950000Z" user_id="d0e472a6b36dfd3ee5059222e12b8c1b"` +
  ` xmlns="http://commcarehq.org/case/transaction/v2"><create><case_type>mscase</case_type>` +
  `<case_name>Nguyễn &lt;&amp;&gt; "Ọlá" 😀</case_name><owner_id>d0e472a6b36dfd3ee5059222e12b8c1b</owner_id></create>` +
  `<update><external_id>éxt-1</external_id><dob-2/><ville>Kandi</ville><âge>७</âge></update>` +
  `<index><host case_type="patient" relationship="extension">p-1</host>` +
  `<parent case_type="household">h-1</parent></index></case>`
const CLOSED_XML =
  `<case case_id="${KANDI}" date_modified="2015-04-17T16:04:54.950000Z" user_id="d0e472a6b36dfd3ee5059222e12b8c1b"` +
  ` xmlns="http://commcarehq.org/case/transaction/v2"><close/></case>`

test('a case with every field, in any script and time zone, and its close arrive in order as the contract writes them', async (t) => {
  const { ground, receiver, brokers } = await openScene(t)
  const states = [fullCase, { ...fullCase, closed: true }]
  await kcatProduces(
    { brokers, topic: ground.topics.cases },
    states.map((state) => [KANDI, JSON.stringify(state)] as const),
  )
  const requests = (await receiver.received(4)).filter(({ path }) => path.startsWith('/case-xml?'))
  assert.deepEqual(
    requests.map(({ body }) => body.toString('utf8')),
    [FULL_XML, CLOSED_XML],
  )
  assert.deepEqual(
    requests.map(({ headers }) => headers.find(([name]) => name === 'Server-Modified-On')?.[1]),
    ['2015-04-17T20:14:34.100000Z', '2015-04-17T20:14:34.100000Z'],
  )
})
