import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { sampleChanges } from '../../services/cli/publish/sample-changes.ts'
import { partitionOf } from '../../services/shared/kafka/murmur2.ts'
import { readTopic, type TopicRecord } from '../../services/shared/kafka/reader.ts'
import { renderWireDocument } from '../../services/shared/wire/render-document.ts'
import { kafkaGround } from '../support/kafka-ground.ts'
import { runOnward } from '../support/run-onward.ts'
import { sharedStack } from '../support/stack.ts'

const PARTITIONS = 3

async function upstream(t: TestContext) {
  const { brokers, kafka, createTopic } = await kafkaGround(t)
  const { registryUrl } = await sharedStack()
  const topics = {
    forms: await createTopic(PARTITIONS),
    cases: await createTopic(PARTITIONS),
    apps: await createTopic(PARTITIONS),
  }
  const environment = {
    KAFKA_BROKERS: brokers.join(','),
    SCHEMA_REGISTRY_URL: registryUrl ?? '',
    ONWARD_TOPIC_FORMS: topics.forms,
    ONWARD_TOPIC_CASES: topics.cases,
    ONWARD_TOPIC_APPS: topics.apps,
  }
  const recordsOf = async (topic: string): Promise<TopicRecord[]> => {
    const records: TopicRecord[] = []
    await readTopic(kafka, { topic, signal: t.signal }, (record) => void records.push(record))
    return records
  }
  const publish = (...args: string[]) => runOnward(['publish', ...args], environment)
  return { topics, publish, recordsOf }
}

async function aFile(t: TestContext, name: string, content: string | Buffer): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'onward-publish-'))
  t.after(() => rm(folder, { recursive: true }))
  await writeFile(join(folder, name), content)
  return join(folder, name)
}

const fieldOf = (document: unknown, name: string): unknown =>
  typeof document === 'object' && document !== null ? Reflect.get(document, name) : undefined

const documentOf = (record: TopicRecord | undefined): unknown => JSON.parse(String(record?.value))

test('the samples go to their topics, keyed by the case, the case and the app', async (t) => {
  const { topics, publish, recordsOf } = await upstream(t)
  const { code, stderr } = await publish('samples', '--format', 'json')
  assert.equal(code, 0, stderr)
  const [form, aCase, app] = sampleChanges()
  for (const [topic, key, change] of [
    [topics.forms, aCase.caseId, form],
    [topics.cases, aCase.caseId, aCase],
    [topics.apps, app.appId, app],
  ] as const) {
    const records = await recordsOf(topic)
    assert.deepEqual(
      records.map((record) => String(record.key)),
      [key],
    )
    assert.equal(records[0]?.partition, partitionOf(Buffer.from(key), PARTITIONS))
    assert.deepEqual(documentOf(records[0]), JSON.parse(JSON.stringify(renderWireDocument(change))))
  }
})

test('with a registry the samples are Avro in Confluent framing', async (t) => {
  const { topics, publish, recordsOf } = await upstream(t)
  const { code, stdout, stderr } = await publish('samples', '--json')
  assert.equal(code, 0, stderr)
  assert.deepEqual(
    JSON.parse(stdout),
    [topics.forms, topics.cases, topics.apps].map((topic) => ({ topic, format: 'avro', published: 1, of: 1 })),
  )
  for (const topic of Object.values(topics)) {
    const [record] = await recordsOf(topic)
    assert.equal(record?.value?.[0], 0)
    assert.ok(record.value.readInt32BE(1) > 0)
  }
})

test('a form from a file keeps its bytes, and its ids are seen in it', async (t) => {
  const { topics, publish, recordsOf } = await upstream(t)
  const xml = `<?xml version="1.0"?>\n<data xmlns="http://example.org/visit"><n0:case case_id="c-7" xmlns:n0="http://commcarehq.org/case/transaction/v2"/><meta><instanceID>uuid:f-1</instanceID></meta></data>\n`
  const { code, stderr } = await publish(
    'forms',
    '--file',
    await aFile(t, 'f.xml', xml),
    '--format',
    'json',
    '--project',
    'p',
  )
  assert.equal(code, 0, stderr)
  const [record] = await recordsOf(topics.forms)
  assert.equal(String(record?.key), 'c-7')
  assert.partialDeepStrictEqual(documentOf(record), {
    project: 'p',
    form_id: 'f-1',
    xmlns: 'http://example.org/visit',
    xml,
    case_ids: [],
  })
})

test('options say what a form’s document does not', async (t) => {
  const { topics, publish, recordsOf } = await upstream(t)
  const file = await aFile(t, 'f.xml', '<data/>')
  const options = [
    '--form-id',
    'f-2',
    '--case-id',
    'c-1',
    '--case-id',
    'c-2',
    '--app-id',
    'a',
    '--xmlns',
    'x',
    '--format',
    'json',
  ]
  const { code, stderr } = await publish('forms', '--file', file, ...options)
  assert.equal(code, 0, stderr)
  const [record] = await recordsOf(topics.forms)
  assert.equal(String(record?.key), 'c-1')
  assert.partialDeepStrictEqual(documentOf(record), {
    form_id: 'f-2',
    case_ids: ['c-1', 'c-2'],
    app_id: 'a',
    xmlns: 'x',
  })
})

test('cases from files go out in the order of the files', async (t) => {
  const { topics, publish, recordsOf } = await upstream(t)
  const document = { ...renderWireDocument(sampleChanges()[1]) }
  const named = (name: string) => ({ ...document, case_name: name })
  const first = await aFile(t, 'a.json', JSON.stringify([named('1'), named('2')]))
  const second = await aFile(t, 'b.json', `${JSON.stringify(named('3'))}\n`)
  const { code, stderr } = await publish('cases', '--file', first, '--file', second, '--format', 'json')
  assert.equal(code, 0, stderr)
  const names = (await recordsOf(topics.cases)).map((record) => fieldOf(documentOf(record), 'case_name'))
  assert.deepEqual(names, ['1', '2', '3'])
})

test('a file that is not right is refused with its place, and nothing of it is published', async (t) => {
  const { topics, publish, recordsOf } = await upstream(t)
  const good = { ...renderWireDocument(sampleChanges()[1]) }
  const file = await aFile(t, 'cases.json', JSON.stringify([good, { ...good, closed: 'no' }]))
  const { code, stderr } = await publish('cases', '--file', file, '--format', 'json')
  assert.equal(code, 1)
  assert.match(stderr, /cases\.json, change 2: closed/)
  assert.deepEqual(await recordsOf(topics.cases), [])
})

test('an app change carries the build when there is one', async (t) => {
  const { topics, publish, recordsOf } = await upstream(t)
  const { code } = await publish('apps', '--app-id', 'a-1', '--build-id', 'b-1', '--format', 'json')
  assert.equal(code, 0)
  const [record] = await recordsOf(topics.apps)
  assert.equal(String(record?.key), 'a-1')
  assert.partialDeepStrictEqual(documentOf(record), { app_id: 'a-1', build_id: 'b-1', project: 'demo' })
})

test('a generated load arrives whole, each case in one partition and in the order of its versions', async (t) => {
  const { topics, publish, recordsOf } = await upstream(t)
  const { code, stderr } = await publish(
    'cases',
    '--count',
    '5000',
    '--cases',
    '100',
    '--zipf',
    '1.1',
    '--format',
    'json',
  )
  assert.equal(code, 0, stderr)
  assert.match(stderr, /5,000 of 5,000 changes/)
  const records = await recordsOf(topics.cases)
  assert.equal(records.length, 5_000)
  for (const [key, ofCase] of Map.groupBy(records, (record) => String(record.key))) {
    assert.equal(new Set(ofCase.map(({ partition }) => partition)).size, 1, key)
    const versions = ofCase.map((record) => fieldOf(fieldOf(documentOf(record), 'properties'), 'version'))
    assert.deepEqual(
      versions,
      ofCase.map((_, index) => String(index + 1)),
    )
  }
})

test('a topic that is not there is not created on the way', async (t) => {
  const { publish } = await upstream(t)
  const topic = `absent-${crypto.randomUUID()}`
  const { code, stderr } = await publish('cases', '--count', '1', '--topic', topic, '--format', 'json')
  assert.equal(code, 1)
  assert.ok(stderr.includes(`there is no topic ${topic}: npx onward topics`))
})

test('a registry that is away is named, with the way round it', async (t) => {
  const { brokers, createTopic } = await kafkaGround(t)
  const environment = { KAFKA_BROKERS: brokers.join(','), SCHEMA_REGISTRY_URL: 'http://127.0.0.1:9' }
  const ran = await runOnward(
    ['publish', 'cases', '--count', '1', '--topic', await createTopic(1), '--timeout', '2s'],
    environment,
  )
  assert.equal(ran.code, 3)
  assert.match(ran.stderr, /no answer from the schema registry at http:\/\/127\.0\.0\.1:9/)
  assert.match(ran.stderr, /--format json/)
})
