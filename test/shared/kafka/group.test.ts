import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AssignerProtocol, PartitionAssigners } from 'kafkajs'
import { systemClock } from '../../../services/shared/clock.ts'
import { join, numbersOf, untilBrokersDo as until, valuesOf, type Member } from '../../support/group-member.ts'
import { kafkaGround, type KafkaGround } from '../../support/kafka-ground.ts'
import { uniqueName } from '../../support/stack.ts'

const produce = (ground: KafkaGround, topic: string, partition: number, ...values: readonly string[]) =>
  ground.producer.send(
    topic,
    values.map((value) => ({ partition, key: null, value })),
  )
const positionOf = (member: Member, partition: number) => {
  const { offset, commit, found } = member.positions.find((position) => position.partition === partition) ?? {}
  return { offset, metadata: commit?.metadata ?? null, found: found?.kind }
}

test('two members share the numbers, each the same ones of every topic', async (t) => {
  const ground = await kafkaGround(t)
  const [wide, narrow] = [await ground.createTopic(6), await ground.createTopic(3)]
  const groupId = uniqueName('group')
  const first = await join(t, ground, { groupId, topics: [wide, narrow] })
  await until('one member owns all', () => first.positions.length === 9)
  assert.equal(first.numbers, 6)
  const second = await join(t, ground, { groupId, topics: [wide, narrow] })
  await until(
    'both own some',
    () => first.positions.length > 0 && second.positions.length > 0 && first.positions.length < 9,
  )
  const [ours, theirs] = [numbersOf(first, wide), numbersOf(second, wide)]
  assert.deepEqual([...ours, ...theirs].sort(), [0, 1, 2, 3, 4, 5])
  for (const member of [first, second]) {
    const expected = numbersOf(member, wide).filter((number) => number < 3)
    assert.deepEqual(numbersOf(member, narrow).sort(), expected.sort())
    assert.equal(member.numbers, 6)
  }
  await second.leave()
  await until('one member owns all again', () => first.positions.length === 9)
})

test('giving up is awaited, and what is committed meanwhile is where the next owner goes on', async (t) => {
  const ground = await kafkaGround(t)
  const topic = await ground.createTopic(2)
  const groupId = uniqueName('group')
  await produce(ground, topic, 0, 'a', 'b', 'c')
  await produce(ground, topic, 1, 'd')
  const first = await join(t, ground, { groupId, topics: [topic] })
  await until('all is read', () => first.received.length === 4)
  const commits: string[] = []
  first.onRevoked = async () => {
    await systemClock.sleep(500)
    assert.deepEqual(second.positions, [], 'nobody has it before it is given up')
    for (const partition of [0, 1]) {
      const offset = partition === 0 ? 2 : 1
      commits.push(await first.group.commit([{ topic, partition, offset, metadata: `map of ${partition}` }]))
    }
  }
  const second = await join(t, ground, { groupId, topics: [topic] })
  await until('both own one', () => first.positions.length === 1 && second.positions.length === 1)
  assert.deepEqual(commits.slice(0, 2), ['committed', 'committed'])
  const [partition] = numbersOf(second, topic)
  assert.deepEqual(positionOf(second, partition ?? -1), {
    offset: partition === 0 ? 2 : 1,
    metadata: `map of ${String(partition)}`,
    found: 'committed',
  })
  await produce(ground, topic, 0, 'e')
  const isWhole = () => valuesOf(first).concat(valuesOf(second)).includes('e')
  await until('what comes is read', isWhole)
  // Who kept the partition goes on where it was; who took it reads again what was not committed.
  const read = valuesOf(first)
    .concat(valuesOf(second))
    .filter((value) => value === 'c')
  assert.equal(read.length, partition === 0 ? 2 : 1)
})

test('a member that joins stops nobody in the partitions that stay: they are not read again, and commits go on', async (t) => {
  const ground = await kafkaGround(t)
  const topic = await ground.createTopic(2)
  const groupId = uniqueName('group')
  await produce(ground, topic, 0, 'a')
  await produce(ground, topic, 1, 'b')
  const first = await join(t, ground, { groupId, topics: [topic] })
  await until('all is read', () => first.received.length === 2)
  const second = await join(t, ground, { groupId, topics: [topic] })
  await until('both own one', () => first.positions.length === 1 && second.positions.length === 1)
  await second.leave()
  await until('one owns both again', () => first.positions.length === 2)
  const [kept] = first.positions
  assert(kept)
  assert.equal(first.revocations, 1)
  await produce(ground, topic, kept.partition, 'c')
  await until('it is read', () => valuesOf(first).includes('c'))
  assert.deepEqual(
    first.received.filter(({ partition }) => partition === kept.partition).map(({ value }) => value),
    [kept.partition === 0 ? 'a' : 'b', 'c'],
  )
  const entry = { topic, partition: kept.partition, offset: 2, metadata: '' }
  assert.equal(await first.group.commit([entry]), 'committed')
})

test('a partition that is handed straight back while it is given up is not owned again before that has ended', async (t) => {
  const ground = await kafkaGround(t)
  const topic = await ground.createTopic(2)
  const groupId = uniqueName('group')
  const first = await join(t, ground, { groupId, topics: [topic] })
  await until('it owns both', () => first.positions.length === 2)
  let ended: () => void = () => undefined
  const over = new AbortController()
  // Ended in any case, or leaving would wait for it.
  first.onRevoked = () =>
    Promise.race([new Promise<void>((resolve) => (ended = resolve)), systemClock.sleep(20_000, over.signal)])
  const second = await join(t, ground, { groupId, topics: [topic] })
  await until('one is to be given up', () => first.revocations === 1)
  const before = first.assignments
  await second.leave()
  await systemClock.sleep(1_500)
  assert.equal(first.assignments, before, 'it waits for what goes on')
  ended()
  over.abort()
  await until('it has it again', () => first.assignments > before && first.positions.length === 2)
  assert.equal(new Set(numbersOf(first, topic)).size, 2)
  await produce(ground, topic, 0, 'a')
  await produce(ground, topic, 1, 'b')
  await until('both are read', () => first.received.length === 2)
  assert.equal(first.revocations, 1)
})

test('who is about to leave is given nothing more, and gives up nothing before', async (t) => {
  const ground = await kafkaGround(t)
  const topic = await ground.createTopic(4)
  const groupId = uniqueName('group')
  const members = [
    await join(t, ground, { groupId, topics: [topic] }),
    await join(t, ground, { groupId, topics: [topic] }),
  ]
  await until('both own two', () => members.every(({ positions }) => positions.length === 2))
  const [leaving, other] = members
  assert(leaving && other)
  const { revocations } = leaving
  leaving.group.leaveSoon()
  const third = await join(t, ground, { groupId, topics: [topic] })
  await until('the third has its share', () => third.positions.length === 1)
  await other.leave()
  await until('the third has all but what the leaving one keeps', () => third.positions.length === 2)
  assert.deepEqual([leaving.positions.length, leaving.revocations], [2, revocations])
  await leaving.leave()
  await until('the third has all', () => third.positions.length === 4)
})

test('leaving is giving up too: its last commit counts', async (t) => {
  const ground = await kafkaGround(t)
  const topic = await ground.createTopic(1)
  const groupId = uniqueName('group')
  await produce(ground, topic, 0, 'a', 'b')
  const first = await join(t, ground, { groupId, topics: [topic] })
  await until('all is read', () => first.received.length === 2)
  first.onRevoked = async () => {
    assert.equal(await first.group.commit([{ topic, partition: 0, offset: 1, metadata: '1:x' }]), 'committed')
  }
  await first.leave()
  assert.equal(first.revocations, 1)
  assert.equal(await first.group.commit([{ topic, partition: 0, offset: 2, metadata: '' }]), 'not-a-member')
  const second = await join(t, ground, { groupId, topics: [topic] })
  await until('the partition is given', () => second.positions.length === 1)
  assert.deepEqual(positionOf(second, 0), { offset: 1, metadata: '1:x', found: 'committed' })
  await until('the rest is read', () => second.received.length === 1)
  assert.deepEqual(valuesOf(second), ['b'])
})

test('a paused partition is not read, a resumed one is, and a seek reads again', async (t) => {
  const ground = await kafkaGround(t)
  const topic = await ground.createTopic(2)
  const member = await join(t, ground, { groupId: uniqueName('group'), topics: [topic] })
  await until('the partitions are given', () => member.positions.length === 2)
  member.group.pause(topic, 0)
  // A fetch that was under way when the partition was paused may still be answered.
  await systemClock.sleep(1_000)
  await produce(ground, topic, 0, 'a')
  await produce(ground, topic, 1, 'b')
  await until('the other partition is read', () => member.received.length === 1)
  await systemClock.sleep(1_000)
  assert.deepEqual(valuesOf(member), ['b'])
  member.group.resume(topic, 0)
  await until('it is read', () => member.received.length === 2)
  member.group.seek(topic, 0, 0)
  await until('it is read again', () => member.received.length === 3)
  assert.deepEqual(valuesOf(member), ['b', 'a', 'a'])
})

test('a partition that comes back is read, though it was paused when it was given up', async (t) => {
  const ground = await kafkaGround(t)
  const topic = await ground.createTopic(2)
  const groupId = uniqueName('group')
  const first = await join(t, ground, { groupId, topics: [topic] })
  await until('the partitions are given', () => first.positions.length === 2)
  for (const partition of [0, 1]) first.group.pause(topic, partition)
  const second = await join(t, ground, { groupId, topics: [topic] })
  await until('one has moved', () => second.positions.length === 1)
  const [moved] = numbersOf(second, topic)
  await second.leave()
  await until('it is given back', () => first.positions.length === 2)
  for (const partition of [0, 1]) await produce(ground, topic, partition, String(partition))
  await until('it is read', () => first.received.length === 1)
  await systemClock.sleep(1_000)
  assert.deepEqual(valuesOf(first), [String(moved)], 'what stayed is still paused')
})

test('a member more than there are numbers stands by, and takes over when another leaves', async (t) => {
  const ground = await kafkaGround(t)
  const topic = await ground.createTopic(1)
  const groupId = uniqueName('group')
  await produce(ground, topic, 0, 'a')
  const members = [
    await join(t, ground, { groupId, topics: [topic] }),
    await join(t, ground, { groupId, topics: [topic] }),
  ]
  await until('one of them owns the partition', () => members.flatMap(({ positions }) => positions).length === 1)
  const owner = members.find(({ positions }) => positions.length === 1)
  const standby = members.find(({ positions }) => positions.length === 0)
  assert(owner && standby)
  await owner.leave()
  await until('the other owns it', () => standby.positions.length === 1)
  await produce(ground, topic, 0, 'b')
  await until('it is read', () => valuesOf(standby).includes('b'))
})

test('a group without an offset starts at the end that is asked for, and stays there when it comes back before a record', async (t) => {
  const ground = await kafkaGround(t)
  const topic = await ground.createTopic(1)
  await produce(ground, topic, 0, 'a', 'b')
  const earliest = await join(t, ground, { groupId: uniqueName('group'), topics: [topic], startFrom: 'earliest' })
  await until('all is read', () => earliest.received.length === 2)
  assert.deepEqual(positionOf(earliest, 0), { offset: 0, metadata: null, found: 'first-start' })

  const groupId = uniqueName('group')
  const latest = await join(t, ground, { groupId, topics: [topic], startFrom: 'latest' })
  await until('the partition is given', () => latest.positions.length === 1)
  assert.deepEqual(positionOf(latest, 0), { offset: 2, metadata: null, found: 'first-start' })
  await latest.leave()
  await produce(ground, topic, 0, 'c')
  const again = await join(t, ground, { groupId, topics: [topic], startFrom: 'latest' })
  await until('what came meanwhile is read', () => again.received.length === 1)
  assert.deepEqual(positionOf(again, 0), { offset: 2, metadata: '1:', found: 'committed' })
  assert.deepEqual(valuesOf(again), ['c'])
})

test('records that were removed unread are said, and reading goes on behind them', async (t) => {
  const ground = await kafkaGround(t)
  const topic = await ground.createTopic(1)
  const groupId = uniqueName('group')
  await produce(ground, topic, 0, 'a', 'b', 'c', 'd')
  const first = await join(t, ground, { groupId, topics: [topic] })
  await until('all is read', () => first.received.length === 4)
  assert.equal(await first.group.commit([{ topic, partition: 0, offset: 1, metadata: '' }]), 'committed')
  await first.leave()
  // kafkajs deletes only from topics whose leaders it has looked up already.
  await ground.admin.fetchTopicOffsets(topic)
  await ground.admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '3' }] })
  const second = await join(t, ground, { groupId, topics: [topic] })
  await until('the rest is read', () => second.received.length === 1)
  assert.deepEqual(valuesOf(second), ['d'])
  assert.deepEqual(positionOf(second, 0), { offset: 3, metadata: '', found: 'unread-removed' })
  assert(
    second.logged.some((line) => line.startsWith('unread-records-removed') && line.includes('"records":2')),
    second.logged.join('\n'),
  )
})

test('records that are removed in front of a living member are said, and it reads on behind them', async (t) => {
  const ground = await kafkaGround(t)
  const topic = await ground.createTopic(1)
  await produce(ground, topic, 0, 'a')
  const member = await join(t, ground, { groupId: uniqueName('group'), topics: [topic] })
  await until('the first is read', () => member.received.length === 1)
  assert.equal(await member.group.commit([{ topic, partition: 0, offset: 1, metadata: '' }]), 'committed')
  member.group.pause(topic, 0)
  await produce(ground, topic, 0, 'b', 'c', 'd')
  await ground.admin.fetchTopicOffsets(topic)
  await ground.admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '3' }] })
  member.group.resume(topic, 0)
  await until('what is left is read', () => valuesOf(member).includes('d'))
  assert.ok(
    member.logged.some((line) => line.startsWith('unread-records-removed')),
    member.logged.join('\n'),
  )
})

test('two members that start at once on a new group both come to own their share', async (t) => {
  const ground = await kafkaGround(t)
  const topic = await ground.createTopic(8)
  const groupId = uniqueName('group')
  for (let partition = 0; partition < 8; partition++) await produce(ground, topic, partition, `v${partition}`)
  const members = await Promise.all([1, 2, 3].map(() => join(t, ground, { groupId, topics: [topic] })))
  await until('the numbers are shared', () =>
    members.every(({ positions }) => positions.length >= 2 && positions.length <= 3),
  )
  await until('all is read', () => new Set(members.flatMap(valuesOf)).size === 8)
})

test('a member that joins or leaves moves no more numbers than it has to', async (t) => {
  const ground = await kafkaGround(t)
  const [wide, narrow] = [await ground.createTopic(12), await ground.createTopic(5)]
  const groupId = uniqueName('group')
  const shareOut = async (members: readonly Member[], each: number) => {
    await until(`everybody owns ${each}`, () => members.every((member) => numbersOf(member, wide).length === each))
    const owned = members.map((member) => numbersOf(member, wide))
    for (const member of members) {
      assert.deepEqual(
        numbersOf(member, narrow).sort((a, b) => a - b),
        numbersOf(member, wide)
          .filter((number) => number < 5)
          .sort((a, b) => a - b),
      )
    }
    assert.equal(new Set(owned.flat()).size, 12)
    return owned
  }
  const kept = (before: readonly number[] = [], after: readonly number[] = []) =>
    before.filter((number) => after.includes(number)).length

  const first = await join(t, ground, { groupId, topics: [wide, narrow] })
  await shareOut([first], 12)
  const second = await join(t, ground, { groupId, topics: [wide, narrow] })
  const two = await shareOut([first, second], 6)
  const third = await join(t, ground, { groupId, topics: [wide, narrow] })
  const three = await shareOut([first, second, third], 4)
  assert.deepEqual([kept(two[0], three[0]), kept(two[1], three[1])], [4, 4])
  await second.leave()
  const left = await shareOut([first, third], 6)
  assert.deepEqual([kept(three[0], left[0]), kept(three[2], left[1])], [4, 4])
  // The leader leaves: who leads then comes to the same.
  await first.leave()
  assert.equal(kept(left[1], (await shareOut([third], 12))[0]), 6)
})

test('while members with different topics meet, a number is with who reads all of it, whoever leads', async (t) => {
  const ground = await kafkaGround(t)
  const [wide, added] = [await ground.createTopic(6), await ground.createTopic(4)]
  const groupId = uniqueName('group')
  const old = await join(t, ground, { groupId, topics: [wide] })
  await until('it owns all', () => old.positions.length === 6)
  const rolled = await join(t, ground, { groupId, topics: [wide, added] })
  await until('the numbers are shared', () => old.positions.length === 2 && rolled.positions.length === 8)
  assert.deepEqual(numbersOf(old, wide).sort(), [4, 5])
  assert.deepEqual(numbersOf(rolled, added).sort(), [0, 1, 2, 3])
  await produce(ground, added, 3, 'a')
  await until('the added topic is read', () => valuesOf(rolled).includes('a'))
  await old.leave()
  await until('it owns all', () => rolled.positions.length === 10)
})

test('a member beside one that shares in the older way is refused, and says what to do', async (t) => {
  const ground = await kafkaGround(t)
  const topic = await ground.createTopic(2)
  const groupId = uniqueName('group')
  const old = ground.kafka.consumer({
    groupId,
    partitionAssigners: [
      (context) => ({
        ...PartitionAssigners.roundRobin(context),
        name: 'onward-co-partition',
        protocol: ({ topics }) => ({
          name: 'onward-co-partition',
          metadata: AssignerProtocol.MemberMetadata.encode({ version: 1, topics, userData: Buffer.alloc(0) }),
        }),
      }),
    ],
  })
  t.after(() => old.disconnect())
  await old.subscribe({ topics: [topic] })
  let joined = false
  old.on(old.events.GROUP_JOIN, () => void (joined = true))
  await old.run({ autoCommit: false, eachBatch: async () => undefined })
  await until('the old member is there', () => joined)
  const failures: string[] = []
  const refused = await join(t, ground, { groupId, topics: [topic], fail: (error) => failures.push(String(error)) })
  await until('it is refused', () => failures.length > 0)
  assert.match(failures.join(), /share its partitions in another way.*Stop them first/)
  assert.deepEqual([refused.positions, failures.length], [[], 1])
})
