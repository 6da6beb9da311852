import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NewTopic, TopicDescription } from '../../../services/shared/kafka/admin.ts'
import {
  ownTopic,
  ownTopics,
  planTopics,
  sourceTopics,
  wantedTopics,
} from '../../../services/shared/kafka/plan-topics.ts'

const SETTINGS = {
  topics: { forms: 'forms', cases: 'cases', apps: null },
  topicPrefix: 'onward.',
  retryTiers: [60_000],
}
const BROKERS = { addresses: ['kafka:9092'], ids: [1, 2, 3] }

const found = (
  name: string,
  partitions: number,
  settings: Record<string, string> = {},
  replicas = [1, 2, 3],
): TopicDescription => ({
  name,
  replicas: Array.from({ length: partitions }, () => replicas),
  settings: new Map(Object.entries(settings)),
})
const existing = (...topics: readonly TopicDescription[]) => new Map(topics.map((topic) => [topic.name, topic]))
const wish = (name: string, partitions: number, settings: Record<string, string> = {}): NewTopic => ({
  name,
  partitions,
  replication: 3,
  settings,
})

test('the prefix names all of Onward’s topics', () => {
  assert.equal(ownTopic('acme.', 'config'), 'acme.config')
  assert.deepEqual(ownTopics({ topicPrefix: 'acme.', retryTiers: [60_000, 5_400_000] }), [
    'acme.requeue',
    'acme.dead-letters',
    'acme.deliveries',
    'acme.failures',
    'acme.notices',
    'acme.config',
    'acme.retry.1m',
    'acme.retry.90m',
  ])
})

test('a source that is turned off is no source topic', () => {
  assert.deepEqual(sourceTopics(SETTINGS.topics), ['forms', 'cases'])
})

test('Onward’s topics have as many partitions as the largest source, and the configuration has one', () => {
  const wanted = wantedTopics(
    SETTINGS,
    { brokers: [1, 2, 3], sources: false },
    existing(found('forms', 4), found('cases', 24)),
  )
  const partitions = wanted.map((topic) => [topic.name, topic.partitions])
  assert.deepEqual(partitions, [
    ['onward.requeue', 24],
    ['onward.dead-letters', 24],
    ['onward.deliveries', 24],
    ['onward.failures', 1],
    ['onward.notices', 1],
    ['onward.config', 1],
    ['onward.retry.1m', 24],
  ])
})

test('fewer partitions than the largest source has are not given, though they are asked for', () => {
  const wanted = wantedTopics(SETTINGS, { brokers: [1], sources: false, partitions: 3 }, existing(found('cases', 24)))
  assert.equal(wanted[0]?.partitions, 24)
})

test('Onward’s topics take 64 KiB more than the largest record of a source', () => {
  const sources = existing(found('forms', 1, { 'max.message.bytes': '5000000' }), found('cases', 1))
  const wanted = wantedTopics(SETTINGS, { brokers: [1], sources: false }, sources)
  for (const { settings } of wanted) assert.equal(settings['max.message.bytes'], String(5_000_000 + 65_536))
})

test('three replicas are wanted, or as many as there are brokers, unless told otherwise', () => {
  const replication = (brokers: number[], told?: number) =>
    wantedTopics(SETTINGS, { brokers, sources: false, ...(told && { replication: told }) }, existing())[0]?.replication
  assert.deepEqual([replication([1]), replication([1, 2, 3, 4, 5]), replication([1, 2, 3], 1)], [1, 3, 1])
})

test('source topics are wanted only when they are asked for', () => {
  const names = (sources: boolean) =>
    wantedTopics(SETTINGS, { brokers: [1], sources }, existing()).map(({ name }) => name)
  assert.deepEqual(names(false), ownTopics(SETTINGS))
  assert.deepEqual(names(true), ['forms', 'cases', ...ownTopics(SETTINGS)])
})

test('a topic that is not there is to be created, one that is as wanted is fine', () => {
  const plan = planTopics(
    [wish('onward.config', 1, { 'cleanup.policy': 'compact' }), wish('onward.deliveries', 12)],
    existing(found('onward.config', 1, { 'cleanup.policy': 'compact' })),
    [],
    BROKERS,
  )
  assert.deepEqual(
    plan.create.map(({ name }) => name),
    ['onward.deliveries'],
  )
  assert.deepEqual(plan.fine, ['onward.config'])
  assert.deepEqual(plan.differs, [])
})

const DIFFERENCES: readonly {
  title: string
  wanted: NewTopic
  is: TopicDescription
  what: string
  fix: string
}[] = [
  {
    title: 'a topic with too few partitions',
    wanted: wish('t', 12),
    is: found('t', 6),
    what: 'partitions',
    fix: 'kafka-topics.sh --bootstrap-server kafka:9092 --alter --topic t --partitions 12',
  },
  {
    title: 'a topic of another cleanup policy',
    wanted: wish('t', 1, { 'cleanup.policy': 'compact' }),
    is: found('t', 1, { 'cleanup.policy': 'delete' }),
    what: 'cleanup.policy',
    fix: 'kafka-configs.sh --bootstrap-server kafka:9092 --alter --entity-type topics --entity-name t --add-config cleanup.policy=compact',
  },
  {
    title: 'a topic that keeps its records too short',
    wanted: wish('t', 1, { 'retention.ms': '2000' }),
    is: found('t', 1, { 'retention.ms': '1999' }),
    what: 'retention.ms',
    fix: 'kafka-configs.sh --bootstrap-server kafka:9092 --alter --entity-type topics --entity-name t --add-config retention.ms=2000',
  },
  {
    title: 'a topic whose records may not be large enough',
    wanted: wish('t', 1, { 'max.message.bytes': '2000' }),
    is: found('t', 1, { 'max.message.bytes': '1999' }),
    what: 'max.message.bytes',
    fix: 'kafka-configs.sh --bootstrap-server kafka:9092 --alter --entity-type topics --entity-name t --add-config max.message.bytes=2000',
  },
  {
    title: 'a topic with too few replicas',
    wanted: wish('t', 2),
    is: found('t', 2, {}, [2]),
    what: 'replication factor',
    fix:
      `echo '{"version":1,"partitions":[{"topic":"t","partition":0,"replicas":[2,1,3]},{"topic":"t","partition":1,"replicas":[2,3,1]}]}' > reassign.json ` +
      '&& kafka-reassign-partitions.sh --bootstrap-server kafka:9092 --reassignment-json-file reassign.json --execute',
  },
]

for (const { title, wanted, is, what, fix } of DIFFERENCES) {
  test(`${title} differs, and the command that changes it is given`, () => {
    const { differs, fine } = planTopics([wanted], existing(is), [], BROKERS)
    assert.deepEqual(fine, [])
    assert.deepEqual(
      differs.map((difference) => [difference.what, difference.fix]),
      [[what, fix]],
    )
  })
}

test('a topic that must have one partition and has several differs, and no command is given for what cannot be done', () => {
  const { differs } = planTopics([wish('t', 1)], existing(found('t', 3)), [], BROKERS)
  assert.equal(differs[0]?.what, 'partitions')
  assert.doesNotMatch(differs[0].fix, /kafka-topics/)
})

test('more partitions, a longer retention and larger records than wanted are an operator’s choice', () => {
  const wanted = wish('t', 12, { 'retention.ms': '1000', 'max.message.bytes': '1000' })
  for (const retention of ['2000', '-1']) {
    const is = found('t', 16, { 'retention.ms': retention, 'max.message.bytes': '9999' })
    assert.deepEqual(planTopics([wanted], existing(is), [], BROKERS).differs, [])
  }
})

test('a source topic that exists is fine, whatever its shape', () => {
  const plan = planTopics([wish('forms', 12)], existing(found('forms', 1, {}, [1])), ['forms'], BROKERS)
  assert.deepEqual([plan.fine, plan.differs], [['forms'], []])
})
