import assert from 'node:assert/strict'
import { test } from 'node:test'
import kafkajs from 'kafkajs'
import { openAdmin, TopicCreationError } from '../../../services/shared/kafka/admin.ts'
import { adviseOnCount, checkTopics, findTopics, tooNarrow } from '../../../services/shared/kafka/topics.ts'
import { kafkaGround } from '../../support/kafka-ground.ts'

test('what is missing is created as wanted, and is fine from then on', async (t) => {
  const { kafka, brokers, admin: raw, createTopic, deleteAfter } = await kafkaGround(t)
  const cases = await createTopic(5, { 'max.message.bytes': '2000000' })
  const settings = {
    topics: { forms: null, cases, apps: null },
    topicPrefix: `${crypto.randomUUID()}.`,
    retryTiers: [60_000],
  }
  deleteAfter((topic) => topic.startsWith(settings.topicPrefix))
  await using admin = await openAdmin(kafka)

  const before = await findTopics(admin, settings, brokers, { sources: false })
  await admin.createTopics(before.create)
  const after = await findTopics(admin, settings, brokers, { sources: false })

  assert.deepEqual(after.create, [])
  assert.deepEqual(after.differs, [])
  assert.deepEqual(
    after.fine,
    before.create.map(({ name }) => name),
  )
  const { topics } = await raw.fetchTopicMetadata({ topics: [`${settings.topicPrefix}dead-letters`] })
  assert.equal(topics[0]?.partitions.length, 5)
  const description = (await admin.describeTopics([`${settings.topicPrefix}config`])).get(
    `${settings.topicPrefix}config`,
  )
  assert.equal(description?.settings.get('cleanup.policy'), 'compact')
  assert.equal(description.settings.get('max.message.bytes'), String(2_000_000 + 65_536))
})

test('a topic that was created by another in between is no error', async (t) => {
  const { kafka, createTopic } = await kafkaGround(t)
  const name = await createTopic(1)
  await using admin = await openAdmin(kafka)
  await admin.createTopics([{ name, partitions: 1, replication: 1, settings: {} }])
})

test('a refused topic is an error that names it and says why', async (t) => {
  const { kafka } = await kafkaGround(t)
  const name = `refused-${crypto.randomUUID()}`
  await using admin = await openAdmin(kafka)
  const creating = admin.createTopics([{ name, partitions: 1, replication: 99, settings: {} }])
  await assert.rejects(
    creating,
    (error: unknown) => error instanceof TopicCreationError && error.message.includes(name),
  )
  assert.deepEqual(await admin.describeTopics([name]), new Map())
})

test('a broker that goes away while it is asked for the topics is asked again', async (t) => {
  const { kafka, brokers, createTopic } = await kafkaGround(t)
  const cases = await createTopic(1)
  const settings = { topics: { forms: null, cases, apps: null }, topicPrefix: 'absent.', retryTiers: [60_000] }
  let asked = 0
  // Which of its requests a broker leaves unanswered is nothing that a real one can be told.
  const failing = Object.assign(Object.create(kafka) as typeof kafka, {
    admin: () => {
      const admin = kafka.admin()
      return {
        ...admin,
        describeCluster: async () => {
          if (++asked < 3) throw new kafkajs.KafkaJSConnectionError('Closed connection')
          return await admin.describeCluster()
        },
      }
    },
  })
  const { missing } = await checkTopics(failing, settings, brokers)
  assert.equal(asked, 3)
  assert(missing.length > 0)
})

test('a service is told which topics are missing and the line to run', async (t) => {
  const { kafka, brokers } = await kafkaGround(t)
  const prefix = `${crypto.randomUUID()}.`
  const source = `absent-${crypto.randomUUID()}`
  const check = await checkTopics(
    kafka,
    { topics: { forms: source, cases: null, apps: null }, topicPrefix: prefix, retryTiers: [60_000] },
    brokers,
  )
  assert.deepEqual(check.missing, [
    source,
    ...['requeue', 'dead-letters', 'deliveries', 'failures', 'notices', 'config', 'retry.1m'].map(
      (topic) => `${prefix}${topic}`,
    ),
  ])
  assert.match(check.advice, /Run: npx onward topics$/)
  assert.match(check.advice, /npx onward topics --sources/)
})

test('without any source topic the number of partitions is not known', async (t) => {
  const { kafka, brokers } = await kafkaGround(t)
  const settings = {
    topics: { forms: null, cases: `absent-${crypto.randomUUID()}`, apps: null },
    topicPrefix: 'absent.',
    retryTiers: [60_000],
  }
  await using admin = await openAdmin(kafka)
  const known = async (wishes: { sources: boolean; partitions?: number }) =>
    (await findTopics(admin, settings, brokers, wishes)).partitionsKnown
  assert.equal(await known({ sources: false }), false)
  assert.equal(await known({ sources: true }), true)
  assert.equal(await known({ sources: false, partitions: 6 }), true)
})

test('a service does not start on retry topics that have fewer partitions than a source, and is told the line to run', async (t) => {
  const { kafka, brokers, createTopic, topicAdmin, deleteAfter } = await kafkaGround(t)
  const source = await createTopic(3)
  const prefix = `${crypto.randomUUID()}.`
  deleteAfter((topic) => topic.startsWith(prefix))
  const settings = { topics: { forms: source, cases: null, apps: null }, topicPrefix: prefix, retryTiers: [60_000] }
  const { create } = await findTopics(topicAdmin, settings, brokers, { sources: false, replication: 1 })
  await topicAdmin.createTopics(
    create.map((topic) => (topic.name.endsWith('retry.1m') ? { ...topic, partitions: 2 } : topic)),
  )
  const check = await checkTopics(kafka, settings, brokers)
  assert.deepEqual(check.missing, [])
  const narrow = tooNarrow(check.counts, 3)
  assert.deepEqual(
    narrow.map(({ topic }) => topic),
    [`${prefix}retry.1m`],
  )
  assert.deepEqual(tooNarrow(check.counts, 2), [], 'what is not read yet need not be parked')
  assert.match(
    narrow.map(adviseOnCount).join(),
    /has 2 partitions and needs 3.*kafka-topics\.sh .*--alter .*--partitions 3/,
  )
})
