import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { kafkaGround } from '../support/kafka-ground.ts'
import { runOnward } from '../support/run-onward.ts'

/** An installation of its own on the shared broker; what it made is deleted with the test. */
async function installation(t: TestContext) {
  const { brokers, admin, topicAdmin, deleteAfter } = await kafkaGround(t)
  const name = `test-${crypto.randomUUID().slice(0, 8)}`
  const environment = {
    KAFKA_BROKERS: brokers.join(','),
    ONWARD_TOPIC_PREFIX: `${name}.`,
    ONWARD_TOPIC_FORMS: `${name}-forms`,
    ONWARD_TOPIC_CASES: `${name}-cases`,
    ONWARD_TOPIC_APPS: '',
  }
  const existing = async () => (await admin.listTopics()).filter((topic) => topic.startsWith(name)).toSorted()
  deleteAfter((topic) => topic.startsWith(name))
  const make = (topic: string, partitions: number) =>
    topicAdmin.createTopics([{ name: topic, partitions, replication: 1, settings: {} }])
  const tiers = ['1m', '2h', '30m', '5m', '6h'].map((delay) => `retry.${delay}`)
  const own = ['config', 'dead-letters', 'deliveries', 'failures', 'notices', 'requeue', ...tiers].map(
    (topic) => `${name}.${topic}`,
  )
  const sources = [`${name}-cases`, `${name}-forms`]
  return {
    name,
    admin,
    make,
    existing,
    own,
    sources,
    topics: (...args: string[]) => runOnward(['topics', ...args], environment),
  }
}

test('without source topics nothing is created and the way on is shown', async (t) => {
  const { topics, existing } = await installation(t)
  const { code, stdout, stderr } = await topics()
  assert.equal(code, 1)
  assert.match(stdout, /missing +\S+-forms .*onward topics --sources/)
  assert.match(stderr, /onward topics --sources, or say it with --partitions N/)
  assert.deepEqual(await existing(), [])
})

test('a dry run changes nothing and says with its code that something would', async (t) => {
  const { topics, existing, own } = await installation(t)
  const { code, stdout } = await topics('--dry-run', '--sources')
  assert.equal(code, 10)
  for (const name of own) assert.ok(stdout.includes(`to create ${name}`))
  assert.deepEqual(await existing(), [])
})

test('topics are created with the sources, and a second run finds all fine', async (t) => {
  const { topics, existing, own, sources } = await installation(t)
  assert.equal((await topics('--sources', '--partitions', '3')).code, 0)
  assert.deepEqual(await existing(), [...sources, ...own])
  const again = await topics('--json')
  assert.equal(again.code, 0)
  const findings: unknown = JSON.parse(again.stdout)
  assert.partialDeepStrictEqual(findings, { created: [], missing: [], differs: [], missingSources: [] })
  assert.equal((await topics('--dry-run')).code, 0)
})

test('source topics that exist set the number of partitions', async (t) => {
  const { topics, admin, make, name } = await installation(t)
  await make(`${name}-forms`, 2)
  await make(`${name}-cases`, 7)
  assert.equal((await topics()).code, 0)
  const { topics: made } = await admin.fetchTopicMetadata({ topics: [`${name}.dead-letters`, `${name}.config`] })
  assert.deepEqual(made.map((topic) => [topic.name, topic.partitions.length]).toSorted(), [
    [`${name}.config`, 1],
    [`${name}.dead-letters`, 7],
  ])
})

test('a topic that differs is reported with the command, and not changed', async (t) => {
  const { topics, admin, make, name } = await installation(t)
  await make(`${name}.deliveries`, 2)
  const { code, stdout } = await topics('--sources', '--partitions', '4')
  assert.equal(code, 1)
  assert.match(stdout, /deliveries +partitions is 2, should be 4/)
  assert.match(stdout, new RegExp(`kafka-topics\\.sh .*--alter --topic ${name}\\.deliveries --partitions 4`))
  const { topics: left } = await admin.fetchTopicMetadata({ topics: [`${name}.deliveries`] })
  assert.equal(left[0]?.partitions.length, 2)
})

test('where differences are allowed they are reported and fail nothing, but what is missing does', async (t) => {
  const { topics, make, name } = await installation(t)
  await make(`${name}.deliveries`, 2)
  const { code, stdout } = await topics('--sources', '--partitions', '4', '--allow-differences')
  assert.equal(code, 0)
  assert.match(stdout, /deliveries +partitions is 2, should be 4/)
  const elsewhere = await installation(t)
  await elsewhere.make(`${elsewhere.name}-forms`, 1)
  assert.equal((await elsewhere.topics('--allow-differences')).code, 1)
})

test('an option that is not known is a usage error with the nearest', async (t) => {
  const { topics } = await installation(t)
  const { code, stderr } = await topics('--dryrun')
  assert.equal(code, 2)
  assert.match(stderr, /did you mean --dry-run\?/)
})

test('a replication that the cluster cannot give is refused with the topic’s name', async (t) => {
  const { topics, own } = await installation(t)
  const { code, stderr } = await topics('--partitions', '1', '--replication', '99')
  assert.equal(code, 1)
  assert.ok(
    own.some((name) => stderr.includes(name)),
    stderr,
  )
})
