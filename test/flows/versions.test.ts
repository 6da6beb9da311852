// Versions keep rising, whatever becomes of a source topic: made anew under a running forwarder or a stopped one, or grown.
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { openAdmin } from '../../services/shared/kafka/admin.ts'
import { partitionOf } from '../../services/shared/kafka/murmur2.ts'
import { ownTopics } from '../../services/shared/kafka/plan-topics.ts'
import { openProducer, type Producer } from '../../services/shared/kafka/producer.ts'
import { caseValue } from '../support/changes.ts'
import { openGround, type Ground } from '../support/ground.ts'
import { runOnward } from '../support/run-onward.ts'
import { headerOf, targetServer, type Arrived } from '../support/target-server.ts'
import { until } from '../support/until.ts'

const PARTITIONS = 2
const LONG_ENOUGH_MS = 60_000
/** Commits come four times in a second. */
const COMMITTED_MS = 2_000
const CASES = Array.from({ length: 24 }, (_, index) => `case-${index}`)

const rules = (url: string): string => `
project: demo
connections:
  - { id: remote, url: "${url}", schedule: [1s, 1s, 1s, 1s, 1s, 1s, 1s, 1s, 1s, 1s, 1s, 1s, 1s, 1s, 1s, 1s, 1s, 1s, 1s, 1s] }
repeaters:
  - { id: all, connection: remote, forward: cases, format: json, supersede: never }
`

/** Cases that are elsewhere once there are so many partitions. */
const movingTo = (partitions: number) =>
  CASES.filter((caseId) => partitionOf(Buffer.from(caseId), partitions) >= PARTITIONS)

/** A round of changes: one of each case, its number inside. */
const publishRound = (ground: Ground, round: number, producer: Producer = ground.producer) =>
  producer.send(
    ground.topics.cases,
    CASES.map((caseId) => ({ key: caseId, value: caseValue({ caseId, version: round }) })),
  )

type Said = { readonly caseId: string; readonly round: number; readonly version: number; readonly key: string }
const said = (request: Arrived): Said => {
  const body = JSON.parse(request.body.toString()) as { case_id: string; properties: { version: string } }
  return {
    caseId: body.case_id,
    round: Number(body.properties.version),
    version: Number(headerOf(request, 'Onward-Version')),
    key: headerOf(request, 'Idempotency-Key') ?? '',
  }
}

/** What a receiver believes that keeps the newest version of each case. */
function newest(all: readonly Said[]): ReadonlyMap<string, number> {
  const versions = new Map<string, Said>()
  for (const one of all) if (one.version > (versions.get(one.caseId)?.version ?? -1)) versions.set(one.caseId, one)
  return new Map([...versions].map(([caseId, { round }]) => [caseId, round]))
}

/** Of what was accepted: no round after a newer one by version, and no two changes with one key. */
function judge(all: readonly Said[], rounds: number): void {
  const byKey = new Map<string, Said>()
  for (const one of all) {
    const other = byKey.get(one.key)
    assert.equal(other?.round ?? one.round, one.round, `one key for two changes: ${one.key}`)
    byKey.set(one.key, one)
  }
  for (const caseId of CASES) {
    const ofCase = all.filter((one) => one.caseId === caseId).toSorted((one, other) => one.version - other.version)
    const inOrder = ofCase.map(({ round }) => round)
    assert.deepEqual(
      inOrder,
      inOrder.toSorted((one, other) => one - other),
      `${caseId}: ${inOrder.join(' ')}`,
    )
    assert.equal(new Set(inOrder).size, rounds, `${caseId} lacks a round: ${inOrder.join(' ')}`)
  }
}

async function openVersions(t: TestContext) {
  const refused = new Set<string>()
  const accepted: Said[] = []
  const remote = await targetServer(t, {
    reply: (request) => {
      const one = said(request)
      if (refused.has(one.caseId)) return 503
      accepted.push(one)
      return 200
    },
  })
  const ground = await openGround(t, PARTITIONS, {}, ['1s', '2s'])
  await ground.configure(rules(remote.url))
  const hasRound = (round: number, but: readonly string[] = []) =>
    CASES.every(
      (caseId) => but.includes(caseId) || accepted.some((one) => one.caseId === caseId && one.round === round),
    )
  return {
    ground,
    refused,
    accepted,
    arrives: (round: number, but?: readonly string[]) =>
      until(`round ${round} arrives`, () => hasRound(round, but), LONG_ENOUGH_MS),
  }
}

async function makeAnew(ground: Ground, partitions = PARTITIONS): Promise<void> {
  await using admin = await openAdmin(ground.kafka)
  const raw = ground.kafka.admin()
  await raw.connect()
  await raw.deleteTopics({ topics: [ground.topics.cases] })
  await until('it is gone', async () => !(await raw.listTopics()).includes(ground.topics.cases))
  await raw.disconnect()
  await admin.createTopics([{ name: ground.topics.cases, partitions, replication: 1, settings: {} }])
}

async function addPartitions(ground: Ground, topics: readonly string[], count: number): Promise<void> {
  const raw = ground.kafka.admin()
  await raw.connect()
  await raw.createPartitions({ topicPartitions: topics.map((topic) => ({ topic, count })) })
  await raw.disconnect()
}

function growOwn(ground: Ground, count: number): Promise<void> {
  const own = ownTopics({ topicPrefix: ground.prefix, retryTiers: [1_000, 2_000] })
  const topics = own.filter((topic) => /retry|requeue|dead-letters|deliveries/.test(topic))
  return addPartitions(ground, topics, count)
}

async function grow(ground: Ground, partitions: number): Promise<void> {
  await growOwn(ground, partitions)
  await addPartitions(ground, [ground.topics.cases], partitions)
  await using admin = await openAdmin(ground.kafka)
  await until('the brokers know of them', async () => {
    const found = await admin.describeTopics([ground.topics.cases])
    return found.get(ground.topics.cases)?.replicas.length === partitions
  })
}

test('a source topic that is made anew under a running forwarder goes on with higher versions, and nothing of it is lost', async (t) => {
  const { ground, refused, accepted, arrives } = await openVersions(t)
  refused.add('case-0')
  const first = await ground.startForwarder()
  await publishRound(ground, 0)
  await arrives(0, ['case-0'])
  const parked = () => first.metric('onward_deliveries_parked_total')
  await until('the one that is refused is parked', async () => (await parked()) > 0)

  await makeAnew(ground)
  await publishRound(ground, 1)
  await arrives(1, ['case-0'])
  await publishRound(ground, 2)
  refused.clear()
  for (const round of [0, 1, 2]) await arrives(round)
  judge(accepted, 3)

  await pause(COMMITTED_MS)
  await first.stop('SIGKILL')
  const before = accepted.length
  await publishRound(ground, 3)
  await ground.startForwarder({ ONWARD_START_FROM: 'latest' })
  await arrives(3)
  judge(accepted, 4)
  assert.ok(accepted.length - before <= CASES.length, 'it goes on where it was')
})

test('one that at once has more changes than the one before is read from its beginning, whatever was read of it before that was known', async (t) => {
  const { ground, accepted, arrives } = await openVersions(t)
  await ground.startForwarder()
  await publishRound(ground, 0)
  await arrives(0)
  await makeAnew(ground)
  const more = [1, 2, 3, 4, 5]
  for (const round of more) await publishRound(ground, round)
  for (const round of more) await arrives(round)
  await until(
    'the newest of each case has the highest version',
    () => [...newest(accepted).values()].every((round) => round === more.at(-1)),
    LONG_ENOUGH_MS,
  )
})

test('one that is made anew while no forwarder runs is read from its beginning, also where new groups begin at the end; what it has more waits', async (t) => {
  const { ground, accepted, arrives } = await openVersions(t)
  const first = await ground.startForwarder({ ONWARD_START_FROM: 'latest' })
  await publishRound(ground, 0)
  await arrives(0)
  await first.stop('SIGTERM')

  await growOwn(ground, 2 * PARTITIONS)
  await makeAnew(ground, 2 * PARTITIONS)
  await using publisher = await openProducer(ground.kafka)
  await publishRound(ground, 1, publisher)
  await ground.startForwarder({ ONWARD_START_FROM: 'latest' })
  await arrives(1, movingTo(2 * PARTITIONS))
  assert.ok(!accepted.some(({ caseId, round }) => round === 1 && movingTo(2 * PARTITIONS).includes(caseId)))
  assert.equal((await runOnward(['topics', 'accept'], ground.environment)).code, 0)
  await arrives(1)
  judge(accepted, 2)
})

test('partitions that are added wait until they are accepted, and that is refused while an older change of a case that moves is parked', async (t) => {
  const { ground, refused, accepted, arrives } = await openVersions(t)
  const moving = movingTo(2 * PARTITIONS)
  const [stubborn] = moving
  assert(stubborn !== undefined)
  const members = [await ground.startForwarder(), await ground.startForwarder()]
  refused.add(stubborn)
  await publishRound(ground, 0)
  await arrives(0, [stubborn])

  await grow(ground, 2 * PARTITIONS)
  // Restarted, as publishers have to be: the one of before still knows two partitions.
  await using publisher = await openProducer(ground.kafka)
  await publishRound(ground, 1, publisher)
  const stay = CASES.filter((caseId) => !moving.includes(caseId))
  await arrives(1, moving)
  const waiting = async () =>
    Math.max(...(await Promise.all(members.map((member) => member.metric('onward_source_partitions_waiting')))))
  await until('it is said', async () => (await waiting()) === PARTITIONS, LONG_ENOUGH_MS)

  const accept = (...args: string[]) => runOnward(['topics', 'accept', ...args], ground.environment)
  const early = await accept('--json')
  assert.equal(early.code, 1, early.stdout + early.stderr)
  assert.match(early.stdout, /"accepted":false.*parked for demo\/all/)
  refused.clear()
  await arrives(0)
  await until('nothing is left behind', async () => (await accept('--dry-run')).code === 10, LONG_ENOUGH_MS)
  assert.ok(!accepted.some(({ caseId, round }) => round === 1 && !stay.includes(caseId)), 'what was added is not read')

  const done = await accept()
  assert.equal(done.code, 0, done.stderr)
  assert.match(done.stdout, /accepted +\S+cases +2 → 4 partitions/)
  await arrives(1)
  await publishRound(ground, 2, publisher)
  await arrives(2)
  judge(accepted, 3)
  await until('nothing waits', async () => (await waiting()) === 0, LONG_ENOUGH_MS)
  assert.equal((await accept()).stdout, 'Every partition of the source topics is read. Nothing to accept.\n')
})
