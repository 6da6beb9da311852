import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { test, type TestContext } from 'node:test'
import { systemClock } from '../../../services/shared/clock.ts'
import { fetchEdge } from '../../../services/shared/kafka/membership.ts'
import { join, untilBrokersDo as until } from '../../support/group-member.ts'
import { kafkaGround, type KafkaGround } from '../../support/kafka-ground.ts'
import { uniqueName } from '../../support/stack.ts'

const PARTITIONS = [0, 1]

/** A record to each partition again and again: something to fetch at every moment. */
function produceOn(ground: KafkaGround, topic: string): AsyncDisposable & { readonly produced: number } {
  const stop = new AbortController()
  let produced = 0
  const producing = (async () => {
    while (!stop.signal.aborted) {
      await ground.producer.send(
        topic,
        PARTITIONS.map((partition) => ({ partition, key: null, value: String(produced++) })),
      )
      await systemClock.sleep(20, stop.signal)
    }
  })()
  return {
    get produced() {
      return produced
    },
    async [Symbol.asyncDispose]() {
      stop.abort()
      await producing
    },
  }
}

/** kafkajs's ConsumerGroup; `offsetManager` is null until it was a member once. */
type Step = (
  this: { readonly groupId: string; readonly offsetManager: object | null },
  ...values: readonly unknown[]
) => Promise<unknown>
type Loss = {
  readonly groupId: string
  readonly step: 'join' | 'sync'
  readonly what: 'request' | 'answer'
  readonly error?: Error
}

/** A member that comes to this step again loses its connection there, once: no broker can be made to do that when it is wanted. */
function loseOnce(t: TestContext, { groupId, step, what, error = new Error('lost by the test') }: Loss): () => boolean {
  const { prototype } = createRequire(import.meta.url)('kafkajs/src/consumer/consumerGroup') as { prototype: object }
  const name = Object.getOwnPropertySymbols(prototype).find(({ description }) => description?.endsWith(`:${step}`))
  assert(name)
  const steps = prototype as Record<symbol, Step>
  const original = steps[name]
  assert(original)
  let lost = false
  steps[name] = async function (...values) {
    if (lost || this.groupId !== groupId || this.offsetManager === null) return await original.apply(this, [...values])
    lost = true
    if (what === 'answer') await original.apply(this, [...values])
    throw error
  }
  t.after(() => {
    steps[name] = original
  })
  return () => lost
}

for (const [step, what] of [
  ['join', 'request'],
  ['join', 'answer'],
  ['sync', 'request'],
  ['sync', 'answer'],
] as const) {
  test(`a member whose ${step} ${what} is lost when the group rebalances joins again, and fetches nothing before it owns it`, async (t) => {
    const ground = await kafkaGround(t)
    const topic = await ground.createTopic(PARTITIONS.length)
    const groupId = uniqueName('group')
    await using load = produceOn(ground, topic)
    const first = await join(t, ground, { groupId, topics: [topic] })
    await until('it reads', () => first.received.length > 10)
    const lost = loseOnce(t, { groupId, step, what })
    const second = await join(t, ground, { groupId, topics: [topic] })
    await until('it was lost', lost)
    await until('both own one', () => first.positions.length === 1 && second.positions.length === 1)
    const { produced } = load
    await until('both read what came since', () =>
      [first, second].every(({ received }) => Number(received.at(-1)?.value) > produced),
    )
    assert.deepEqual([first.unowned, second.unowned], [[], []])
  })
}

/** As kafkajs throws it: its constructor is not exported. */
function coordinatorNotFound(): Error {
  const errors = createRequire(import.meta.url)('kafkajs/src/errors') as Record<string, new (text: string) => Error>
  const { KafkaJSGroupCoordinatorNotFound: NotFound } = errors
  assert(NotFound)
  return new NotFound('Failed to find group coordinator')
}

test('a member that no broker tells who coordinates its group asks again, and is not given up for good', async (t) => {
  const ground = await kafkaGround(t)
  const topic = await ground.createTopic(PARTITIONS.length)
  const groupId = uniqueName('group')
  const first = await join(t, ground, { groupId, topics: [topic] })
  await until('it owns both', () => first.positions.length === 2)
  const lost = loseOnce(t, { groupId, step: 'join', what: 'request', error: coordinatorNotFound() })
  const second = await join(t, ground, { groupId, topics: [topic] })
  await until('it was lost', lost)
  await until('both own one', () => first.positions.length === 1 && second.positions.length === 1)
  assert(first.logged.some((line) => line.startsWith('coordinator-unknown')))
})

test('a partition whose leader moved is asked of its leader of now the next time', async () => {
  let leader = 'of before'
  const asked: string[] = []
  const cluster = {
    findGroupCoordinator: () => Promise.reject(new Error('nobody asks')),
    findControllerBroker: () => Promise.reject(new Error('nobody asks')),
    findTopicPartitionMetadata: () => [],
    fetchTopicsOffset: () => {
      asked.push(leader)
      return leader === 'of before'
        ? Promise.reject(Object.assign(new Error('not the leader'), { type: 'NOT_LEADER_FOR_PARTITION' }))
        : Promise.resolve([])
    },
    refreshMetadata: () => {
      leader = 'of now'
      return Promise.resolve()
    },
  }
  const partitions = [{ topic: 'cases', partitions: [0] }]
  await assert.rejects(fetchEdge({ cluster }, partitions, true), /not the leader/)
  assert.deepEqual(await fetchEdge({ cluster }, partitions, true), [])
  assert.deepEqual(asked, ['of before', 'of now'])
})
