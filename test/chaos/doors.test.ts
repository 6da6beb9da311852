// The doors of the chaos run, before a real broker: a client goes through them whatever the broker tells it, and what is kept back
// does not arrive.
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { connectKafka } from '../../services/shared/kafka/kafka.ts'
import { openProducer } from '../../services/shared/kafka/producer.ts'
import { kafkaGround, silentLog } from '../support/kafka-ground.ts'
import { join, untilBrokersDo as until } from '../support/group-member.ts'
import { uniqueName } from '../support/stack.ts'
import { openDoors, type Passing } from './doors.ts'

async function openGround(t: TestContext, passes: (name: string, passing: Passing) => boolean) {
  const ground = await kafkaGround(t)
  const topic = await ground.createTopic(1)
  const doors = await openDoors(ground.brokers, ['a', 'b'], topic, passes)
  t.after(() => doors[Symbol.asyncDispose]())
  return { ground, topic, doors, through: { ...ground, brokers: doors.brokersOf('a') } }
}

test('a client that came through a door stays behind it, and all it does is seen', async (t) => {
  const seen = new Set<string>()
  const { topic, doors, through } = await openGround(t, (name, passing) => {
    seen.add(`${name} ${passing}`)
    return true
  })
  const [address = ''] = doors.brokersOf('a')
  const kafka = connectKafka({ brokers: [address], ssl: null, sasl: null }, 'doors', silentLog)
  const admin = kafka.admin()
  await admin.connect()
  t.after(() => admin.disconnect())
  const { brokers } = await admin.describeCluster()
  assert.deepEqual(
    brokers.map(({ host, port }) => `${host}:${port}`),
    [address],
  )
  const producer = await openProducer(kafka)
  t.after(() => producer[Symbol.asyncDispose]())
  await producer.send(topic, [{ partition: 0, key: null, value: 'v' }])
  const member = await join(t, through, { groupId: uniqueName('group'), topics: [topic] })
  await until('it is read', () => member.received.length === 1)
  assert.equal(await member.group.commit([{ topic, partition: 0, offset: 1, metadata: '' }]), 'committed')
  assert.deepEqual([...seen].toSorted(), ['a commit', 'a parked', 'a retry-fetch'])
})

test('a commit that is kept back does not reach the broker', async (t) => {
  let isShut = false
  const { ground, topic, doors, through } = await openGround(t, (_, passing) => !isShut || passing !== 'commit')
  const groupId = uniqueName('group')
  const member = await join(t, through, { groupId, topics: [topic] })
  await until('it owns it', () => member.positions.length === 1)
  isShut = true
  const committing = member.group.commit([{ topic, partition: 0, offset: 7, metadata: '' }])
  // It is begun: what follows on this connection is kept back too, so nothing but time shows that it does not pass.
  await new Promise((resolve) => setTimeout(resolve, 500))
  const committed = await ground.admin.fetchOffsets({ groupId, topics: [topic] })
  assert.equal(committed[0]?.partitions[0]?.offset, '0')
  // As when its process is killed: the connection ends, and the client hears of it.
  await doors[Symbol.asyncDispose]()
  assert.equal(await committing, 'failed')
})
