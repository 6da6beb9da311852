// What `onward topics accept` says and refuses. That it lets nothing be overtaken: test/flows/versions.test.ts.
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { readDirectory } from '../../services/cli/read-directory.ts'
import { renderConfigRecord } from '../../services/shared/forwarding/config-record.ts'
import { findTopics } from '../../services/shared/kafka/topics.ts'
import { partitionOf } from '../../services/shared/kafka/murmur2.ts'
import { renderRetryHeader, RETRY_HEADER } from '../../services/shared/wire/retry-header.ts'
import { repeaterId } from '../../services/shared/ids.ts'
import { demo } from '../support/changes.ts'
import { kafkaGround } from '../support/kafka-ground.ts'
import { runOnward } from '../support/run-onward.ts'

/** A source topic with so many partitions, of which so many are on record, and Onward's own topics. */
async function grown(t: TestContext, there: number, onRecord: number | null, own = there) {
  const { kafka, brokers, topicAdmin, producer, createTopic, deleteAfter } = await kafkaGround(t)
  const cases = await createTopic(there)
  const prefix = `${crypto.randomUUID().slice(0, 8)}.`
  deleteAfter((topic) => topic.startsWith(prefix))
  const settings = { topics: { forms: null, cases, apps: null }, topicPrefix: prefix, retryTiers: [60_000] }
  const { create } = await findTopics(topicAdmin, settings, brokers, { sources: false, replication: 1 })
  await topicAdmin.createTopics(create.map((topic) => (topic.partitions > 1 ? { ...topic, partitions: own } : topic)))
  if (onRecord !== null) {
    const bases = Array.from({ length: onRecord }, () => 0)
    const versions = { topic: cases, id: null, bases, past: [] }
    await producer.send(`${prefix}config`, [renderConfigRecord({ kind: 'source', versions })])
  }
  const environment = {
    KAFKA_BROKERS: brokers.join(','),
    ONWARD_TOPIC_PREFIX: prefix,
    ONWARD_TOPIC_FORMS: '',
    ONWARD_TOPIC_CASES: cases,
    ONWARD_TOPIC_APPS: '',
    ONWARD_RETRY_TIERS: '1m',
    ONWARD_GROUP_ID: `${prefix}group`,
  }
  return {
    cases,
    prefix,
    producer,
    check: () => runOnward(['check'], environment),
    versions: async () => (await readDirectory(kafka, `${prefix}config`, AbortSignal.timeout(30_000))).source(cases),
    accept: (...args: string[]) => runOnward(['topics', 'accept', ...args], environment),
  }
}

test('where every partition is read, or nobody has read any yet, there is nothing to accept', async (t) => {
  for (const onRecord of [2, null]) {
    const { accept } = await grown(t, 2, onRecord)
    const { code, stdout } = await accept()
    assert.deepEqual([code, stdout], [0, 'Every partition of the source topics is read. Nothing to accept.\n'])
  }
})

test('a dry run says what would be accepted and changes nothing; accepted once, there is nothing left', async (t) => {
  const { accept, check, cases } = await grown(t, 4, 2)
  assert.match(
    (await check()).stdout,
    new RegExp(`${cases} has 4 partitions, and 2 of them wait for npx onward topics accept`),
  )
  for (let again = 0; again < 2; again++) {
    const dry = await accept('--dry-run')
    assert.equal(dry.code, 10, dry.stderr)
    assert.match(
      dry.stdout,
      new RegExp(`^to accept +${cases} +2 → 4 partitions; .* 0 in the topic, 0 parked, 0 held\n$`),
    )
  }
  const done = await accept('--json')
  assert.equal(done.code, 0, done.stderr)
  assert.deepEqual(JSON.parse(done.stdout), {
    accepted: true,
    topics: [{ topic: cases, before: 2, after: 4, unread: 0, parked: {}, held: 0 }],
    refusals: [],
  })
  assert.match((await accept()).stdout, /Nothing to accept/)
})

test('retry topics that have too few partitions are named with the line to run, and no option passes over that', async (t) => {
  const { accept, prefix } = await grown(t, 4, 2, 2)
  for (const options of [[], ['--any-order']]) {
    const { code, stderr } = await accept(...options)
    assert.equal(code, 1)
    assert.match(
      stderr,
      new RegExp(`${prefix}retry.1m has 2 partitions and needs 4, .* kafka-topics.sh .* --partitions 4`),
    )
  }
})

test('growth by no multiple is refused with what it means, and accepted by whoever says so', async (t) => {
  const { accept, versions } = await grown(t, 3, 2)
  const refused = await accept()
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /went from 2 to 3 partitions, which is no multiple.*made anew.*--any-order/)
  assert.equal((await accept('--any-order')).code, 0)
  assert.deepEqual((await versions())?.bases, [0, 0, 2 ** 44])
})

test('changes of cases that move hold it up, those of cases that stay do not', async (t) => {
  const { accept, cases, producer } = await grown(t, 4, 2)
  const keys = Array.from({ length: 40 }, (_, index) => `case-${index}`)
  const movesIn = (key: string) => partitionOf(Buffer.from(key), 4) >= 2
  const publish = (some: readonly string[]) =>
    producer.send(
      cases,
      some.map((key) => ({ key, value: '{}', partition: partitionOf(Buffer.from(key), 2) })),
    )
  await publish(keys.filter((key) => !movesIn(key)))
  assert.equal((await accept('--dry-run')).code, 10)
  await publish(keys.filter(movesIn))
  const { code, stdout, stderr } = await accept()
  assert.equal(code, 1)
  const left = keys.filter(movesIn).length
  assert.match(stdout, new RegExp(`^waiting .* ${left} in the topic, 0 parked, 0 held\n$`))
  assert.match(stderr, new RegExp(`has ${left} changes that nobody has finished, of cases that move: run this again`))
})

test('words that it does not know are named', async (t) => {
  const { accept } = await grown(t, 1, 1)
  assert.match((await accept('cases')).stderr, /accept takes no arguments, only options: cases/)
  assert.match((await accept('--any-oder')).stderr, /did you mean --any-order\?/)
})

test('a case that a dead letter holds is named as such, and no more once it is released', async (t) => {
  const { accept, cases, prefix, producer } = await grown(t, 4, 2)
  const moving = Array.from({ length: 40 }, (_, index) => `case-${index}`).find(
    (key) => partitionOf(Buffer.from(key), 4) >= 2,
  )
  assert(moving !== undefined)
  const partition = partitionOf(Buffer.from(moving), 2)
  const say = (reason: 'held' | 'released') =>
    producer.send(`${prefix}retry.1m`, [
      {
        partition,
        key: moving,
        value: null,
        headers: {
          [RETRY_HEADER]: renderRetryHeader({
            ...{
              repeater: repeaterId(demo, 'all'),
              topic: cases,
              partition,
              offset: 7,
              timestamp: 1,
              attempts: 1,
              tries: 1,
            },
            ...{ firstFailedAt: 1, dueAt: 1, reason, epoch: 0, full: false, held: 1 },
          }),
        },
      },
    ])
  await say('held')
  await say('held')
  const { code, stderr } = await accept()
  assert.equal(code, 1)
  assert.match(stderr, /\ndead letters hold 1 case that moves: npx onward dead-letters requeue, or cancel\n$/)
  await say('released')
  assert.equal((await accept()).code, 0)
})
