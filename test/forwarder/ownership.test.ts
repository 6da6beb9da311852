import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { OffsetMap } from '../../services/forwarder/offset-map.ts'
import { readMap } from '../../services/shared/kafka/commit-map.ts'
import { Ownership } from '../../services/forwarder/ownership.ts'
import { Tiers } from '../../services/forwarder/tiers.ts'
import { SchemaDesk, type FetchSchema } from '../../services/forwarder/schema-desk.ts'
import type { CommitEntry, FetchedRecord, Group } from '../../services/shared/kafka/group.ts'
import type { StartPosition } from '../../services/shared/kafka/start-position.ts'
import { repeaterId } from '../../services/shared/ids.ts'
import { RETRY_HEADER, renderRetryHeader } from '../../services/shared/wire/retry-header.ts'
import { aConnection, aRecord, caseValue, demo } from '../support/changes.ts'
import { openHub } from '../support/hub.ts'
import { silentLog } from '../support/kafka-ground.ts'
import { targetServer, type Reply } from '../support/target-server.ts'
import { turns, until } from '../support/until.ts'
import { aRepeater } from './render-payload/changes.ts'

/** What an owner before us left, that had reserved `ahead` records. */
const left = (offset: number, ahead: number) => new OffsetMap(offset, null).takeCommit(offset + ahead) ?? null
const start = (offset = 0, end = offset, ahead = 1_000, partition = 0): StartPosition => ({
  topic: 'cases',
  partition,
  base: 0,
  offset,
  end,
  commit: left(offset, ahead),
  found: { kind: 'committed' },
})
const offsetsOf = (commits: readonly (readonly CommitEntry[])[]) => commits.flat().map(({ offset }) => offset)

type Ground = { readonly replies?: readonly Reply[]; readonly fetchSchema?: FetchSchema }

/** The hub with one partition, a group that writes down what is asked of it, and a real remote API. */
async function own(t: TestContext, { replies = [], fetchSchema }: Ground = {}) {
  const remote = await targetServer(t, { replies })
  const connection = aConnection({ url: remote.url, limits: { concurrency: 4, rate: null, timeout: 30_000 } })
  const hub = openHub(t, { configured: [connection, aRepeater({ supersede: 'never', closedCase: 'full' })] })
  const { clock } = hub
  const asked: string[] = []
  const commits: CommitEntry[][] = []
  let flush: () => Promise<void> = async () => undefined
  const stop = new AbortController()
  const schemas = new SchemaDesk({
    fetchSchema: fetchSchema ?? (async () => ({ kind: 'unavailable', error: 'away' })),
    patience: 60_000,
    clock,
    log: silentLog,
    signal: stop.signal,
  })
  const ownership = new Ownership({
    forwarder: hub.forwarder,
    schemas,
    intake: hub.intake,
    report: { add: () => undefined, flush: () => flush() },
    park: hub.park,
    tiers: new Tiers('onward.', [60_000, 300_000]),
    directory: hub.directory,
    sources: new Map([['cases', 'cases']]),
    clock,
    log: silentLog,
    onAssigned: () => undefined,
    onRestored: () => undefined,
    fail: (error) => {
      throw error
    },
  })
  let end: number | undefined
  let refusals = 0
  const group: Group = {
    endOf: async () => end,
    holdsLease: () => true,
    pause: (topic, partition) => void asked.push(`pause ${topic} ${partition}`),
    resume: (topic, partition) => void asked.push(`resume ${topic} ${partition}`),
    seek: (topic, partition, offset) => void asked.push(`seek ${topic} ${partition} ${offset}`),
    commit: async (entries) => {
      if (refusals > 0) {
        refusals--
        return 'failed'
      }
      commits.push([...entries])
      return 'committed'
    },
    leaveSoon: () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  }
  ownership.use(group)
  const giveUp = async () => {
    let done = false
    const revoked = ownership.revoked().finally(() => (done = true))
    while (!done) await clock.advance(10)
    await revoked
  }
  t.after(async () => {
    stop.abort()
    await giveUp()
  })
  const receiveOf = (partition: number, offset: number, ...values: readonly (string | null)[]) => {
    ownership.received(
      'cases',
      partition,
      values.map((value, at) => aRecord(offset + at, value)),
      offset + values.length,
    )
    ownership.reached('cases', partition, offset + values.length, offset + values.length)
  }
  const receive = (offset: number, ...values: readonly (string | null)[]) => receiveOf(0, offset, ...values)
  return {
    ownership,
    schemas,
    hub,
    clock,
    remote,
    asked,
    commits,
    giveUp,
    receive,
    receiveOf,
    refuseCommits: (count: number) => (refusals = count),
    endsAt: (next: number | undefined) => (end = next),
    flushWith: (next: () => Promise<void>) => (flush = next),
  }
}

test('what completed is committed a quarter of a second later, after the report of it', async (t) => {
  const { ownership, hub, clock, commits, receive, flushWith } = await own(t)
  let reported: () => void = () => undefined
  flushWith(() => new Promise((resolve) => (reported = resolve)))
  ownership.assigned([start()], 1)
  receive(0, caseValue())
  await hub.tells('demo/all@0 delivered')
  await clock.advance(250)
  assert.deepEqual(commits, [])
  reported()
  await until('the commit', () => commits.length === 1)
  assert.deepEqual(offsetsOf(commits), [1])
  flushWith(async () => undefined)
})

test('giving up waits for what is on the wire, and commits it', async (t) => {
  let answer: (reply: Reply) => void = () => undefined
  const held = new Promise<Reply>((resolve) => (answer = resolve))
  const { ownership, clock, remote, commits, receive } = await own(t, { replies: [{ held }] })
  ownership.assigned([start()], 1)
  receive(0, caseValue(), caseValue())
  await remote.received(1)
  let done = false
  const revoked = ownership.revoked().finally(() => (done = true))
  await clock.advance(1_000)
  answer(200)
  while (!done) {
    await turns(5)
    await clock.advance(10)
  }
  await revoked
  assert.equal(remote.requests.length, 1)
  assert.deepEqual(offsetsOf(commits), [1])
})

test('what is still on the wire after three seconds is ended, and its offset stays open', async (t) => {
  const { ownership, clock, remote, commits, receive, giveUp } = await own(t, { replies: ['silence'] })
  ownership.assigned([start()], 1)
  receive(0, caseValue({ caseId: 'a' }), caseValue({ caseId: 'b' }))
  await remote.received(2)
  const before = clock.monotonic()
  await giveUp()
  assert(clock.monotonic() - before < 4_000)
  assert.deepEqual(
    offsetsOf(commits).filter((offset) => offset > 0),
    [],
  )
})

test('partitions that are given up end, and are committed, while the others go on', async (t) => {
  let answer: (reply: Reply) => void = () => undefined
  const held = new Promise<Reply>((resolve) => (answer = resolve))
  const { ownership, hub, clock, remote, commits, receive, receiveOf } = await own(t, { replies: [{ held }] })
  ownership.assigned([start(), start(0, 0, 1_000, 1)], 2)
  receiveOf(1, 0, caseValue({ caseId: 'b' }))
  await remote.received(1)
  let done = false
  const revoked = ownership.revoked([1]).finally(() => (done = true))
  receive(0, caseValue({ caseId: 'a' }))
  receiveOf(1, 1, caseValue({ caseId: 'c' }))
  await hub.tells('demo/all@0 delivered')
  assert.equal(done, false)
  answer(200)
  while (!done) {
    await turns(5)
    await clock.advance(10)
  }
  await revoked
  assert.deepEqual([...ownership.tasks.keys()], [0])
  assert.equal(commits.flat().findLast(({ partition }) => partition === 1)?.offset, 1)
  assert.equal(ownership.positionOf('cases', 0), 1)
  receive(1, caseValue({ caseId: 'd' }))
  await hub.tells('demo/all@1 delivered')
  await clock.advance(250)
  await until('the commit', () => commits.flat().at(-1)?.offset === 2)
  assert.equal(remote.requests.length, 3)
})

test('partitions that come beside those that we have leave these as they are', async (t) => {
  const { ownership, hub, asked, receive, receiveOf, remote } = await own(t)
  ownership.assigned([start()], 2)
  receive(0, caseValue({ caseId: 'a' }))
  ownership.assigned([], 2)
  ownership.assigned([start(0, 0, 1_000, 1)], 2)
  receive(0, caseValue({ caseId: 'a' }), caseValue({ caseId: 'b' }))
  receiveOf(1, 0, caseValue({ caseId: 'c' }))
  await until('all three', () => remote.requests.length === 3)
  await hub.tells('demo/all@1 delivered')
  assert.deepEqual(asked, [])
  assert.deepEqual([...ownership.tasks.keys()], [0, 1])
})

test('the last commit of what is given up is tried again while the group takes none', async (t) => {
  const { ownership, hub, commits, receive, refuseCommits, giveUp } = await own(t)
  ownership.assigned([start()], 1)
  receive(0, caseValue())
  await hub.tells('demo/all@0 delivered')
  refuseCommits(3)
  await giveUp()
  assert.deepEqual(offsetsOf(commits), [1])
})

test('the sources of a partition are not fetched before it is known what is parked of it', async (t) => {
  const { ownership, clock, asked } = await own(t)
  const tiers = ['onward.retry.1m', 'onward.retry.5m', 'onward.requeue']
  const tierAt = (topic: string, end: number): StartPosition => ({ ...start(0, end, 0), topic })
  ownership.assigned([start(3), ...tiers.map((topic, place) => tierAt(topic, place === 0 ? 2 : 0))], 1)
  assert.deepEqual(asked, ['pause cases 0'])
  assert.equal(ownership.positionOf('onward.retry.1m', 0), 0)
  ownership.received('onward.retry.1m', 0, [copyOfFirst(0, clock.steady())], 2)
  assert.equal(ownership.positionOf('onward.retry.1m', 0), 1, 'a join in the midst of it reads on from there')
  ownership.reached('onward.retry.1m', 0, 1, 2)
  assert.deepEqual(asked.slice(1, 3), ['seek cases 0 3', 'resume cases 0'])
})

test('giving up waits for dead letters that are being written', async (t) => {
  const { ownership, hub, clock, commits, receive } = await own(t, { replies: [410] })
  hub.deadLetters.hold()
  ownership.assigned([start()], 1)
  receive(0, caseValue())
  await until('the letter is handed over', () => hub.deadLetters.waiting === 1)
  let done = false
  const revoked = ownership.revoked().finally(() => (done = true))
  await clock.advance(1_000)
  assert.equal(done, false)
  hub.deadLetters.acknowledge()
  while (!done) await clock.advance(10)
  await revoked
  assert.deepEqual(offsetsOf(commits), [1])
})

test('a commit that was held up until the partitions were given up is never made', async (t) => {
  const { ownership, hub, clock, commits, receive, flushWith, giveUp } = await own(t)
  let reported: () => void = () => undefined
  flushWith(() => new Promise((resolve) => (reported = resolve)))
  ownership.assigned([start()], 1)
  receive(0, caseValue())
  await hub.tells('demo/all@0 delivered')
  await clock.advance(250)
  await giveUp()
  ownership.assigned([start()], 1)
  flushWith(async () => undefined)
  reported()
  await turns(5)
  assert.deepEqual(commits, [])
})

test('nothing is read into a partition that is not ours, and a record fetched twice counts once', async (t) => {
  const { ownership, hub, remote, receive } = await own(t)
  receive(0, caseValue())
  ownership.assigned([start()], 1)
  receive(0, caseValue())
  receive(0, caseValue(), caseValue())
  await hub.tells('demo/all@1 delivered')
  assert.equal(remote.requests.length, 2)
})

test('control records at the end of the log are committed past, once the records before them are complete', async (t) => {
  const { ownership, hub, clock, commits, receive } = await own(t)
  ownership.assigned([start()], 1)
  receive(0, caseValue())
  ownership.reached('cases', 0, 1, 4)
  await hub.tells('demo/all@0 delivered')
  await clock.advance(250)
  await until('the commit', () => commits.length > 0)
  assert.equal(commits.at(-1)?.[0]?.offset, 4)
})

test('what comes while the partition is given up, or behind a record that waits for its schema, is not committed past', async (t) => {
  const { ownership, clock, commits, receive, giveUp } = await own(t)
  ownership.assigned([start()], 1)
  receive(0, Buffer.from([0, 0, 0, 0, 7, 1]).toString('latin1'))
  ownership.reached('cases', 0, 1, 3)
  const revoked = giveUp()
  ownership.reached('cases', 0, 0, 3)
  await revoked
  await clock.advance(250)
  assert.deepEqual(commits, [])
})

test('lanes wait until what an earlier owner may have delivered is read again', async (t) => {
  const { ownership, hub, clock, remote, receive } = await own(t)
  ownership.assigned([start(0, 9, 2)], 1)
  receive(0, caseValue({ caseId: 'a' }))
  await clock.advance(60_000)
  assert.equal(remote.wire.length, 0)
  receive(1, caseValue({ caseId: 'b' }))
  await hub.tells('demo/all@1 delivered')
})

test('what is not in the log any more is not waited for, once the brokers say so', async (t) => {
  const { ownership, hub, clock, remote, receive, endsAt } = await own(t)
  ownership.assigned([start(0, 9)], 1)
  receive(0, caseValue())
  await clock.advance(30_000)
  assert.equal(remote.wire.length, 0, 'the brokers are away')
  endsAt(1)
  await clock.advance(10_000)
  await hub.tells('demo/all@0 delivered')
})

test('on the way to the horizon reading goes on though memory is full, and is paused behind it', async (t) => {
  const { ownership, hub, clock, asked, receive } = await own(t, { replies: [503] })
  ownership.assigned([start(0, 2)], 1)
  hub.intake.hold(64 * 1024 * 1024)
  receive(0, caseValue({ caseId: 'a' }))
  assert.deepEqual(asked, [])
  receive(1, caseValue({ caseId: 'b' }))
  assert.deepEqual(asked, ['pause cases 0'])
  await hub.tells('demo/all@1 delivered')
  hub.intake.release(64 * 1024 * 1024)
  await clock.advance(250)
  assert.deepEqual(asked, ['pause cases 0', 'resume cases 0'])
})

test('nothing is attempted before a commit has reserved it, and the next commit reserves ahead of reading', async (t) => {
  const { ownership, hub, clock, remote, commits, receive, flushWith } = await own(t)
  let reported: () => void = () => undefined
  flushWith(() => new Promise((resolve) => (reported = resolve)))
  ownership.assigned([{ ...start(), commit: null, found: { kind: 'first-start', records: 0 } }], 1)
  receive(0, caseValue())
  await clock.advance(200)
  assert.equal(remote.wire.length, 0)
  assert.equal(ownership.tasks.get(0)?.running.size, 0)
  flushWith(async () => undefined)
  reported()
  await hub.tells('demo/all@0 delivered')
  const { offset = -1, metadata = '' } = commits[0]?.[0] ?? {}
  assert.equal(offset, 0)
  assert(readMap(0, metadata).reserved > 10)
  receive(1, caseValue())
  await hub.tells('demo/all@1 delivered')
})

test('a record whose schema is not known holds its partition there, and it is read again once the schema is', async (t) => {
  let away = true
  const { ownership, schemas, hub, clock, asked, receive } = await own(t, {
    fetchSchema: async () => (away ? { kind: 'unavailable', error: 'away' } : { kind: 'unusable', error: 'no record' }),
  })
  ownership.assigned([start()], 1)
  const framed = Buffer.from([0, 0, 0, 0, 7, 1]).toString('latin1')
  receive(0, caseValue(), framed, caseValue())
  await hub.tells('demo/all@0 delivered')
  assert.deepEqual(asked, ['pause cases 0'])
  receive(2, caseValue())
  await clock.advance(5_000)
  assert.deepEqual(asked, ['pause cases 0'])
  away = false
  await clock.advance(1_000)
  assert.deepEqual(asked, ['pause cases 0', 'seek cases 0 1', 'resume cases 0'])
  for (const [id, reader] of schemas.readers) hub.readers.set(id, reader)
  receive(1, framed, caseValue())
  await hub.tells('demo/all@2 delivered')
  assert.equal(hub.deadLetters.letters[0]?.reason, 'unreadable')
})

test('full memory pauses every source, and room resumes them', async (t) => {
  const { ownership, hub, clock, asked, receive } = await own(t, { replies: [503] })
  ownership.assigned([start()], 1)
  hub.intake.hold(64 * 1024 * 1024)
  receive(0, caseValue())
  assert.deepEqual(asked, ['pause cases 0'])
  await hub.tells('demo/all@0 503')
  hub.intake.release(64 * 1024 * 1024)
  await clock.advance(250)
  assert.deepEqual(asked, ['pause cases 0', 'resume cases 0'])
})

/** A copy of the first version of a case, written at that steady instant. */
const copyOfFirst = (at: number, writtenAt: number, partition = 0): FetchedRecord => ({
  ...aRecord(at, caseValue({ caseId: 'c1' })),
  key: Buffer.from('c1'),
  timestamp: String(writtenAt),
  headers: {
    [RETRY_HEADER]: renderRetryHeader({
      repeater: repeaterId(demo, 'all'),
      topic: 'cases',
      partition,
      offset: 0,
      timestamp: 0,
      attempts: 1,
      tries: 1,
      firstFailedAt: 0,
      dueAt: writtenAt,
      reason: 'retry',
      epoch: 0,
      full: false,
    }),
  },
})

test('of two copies that a crash left of a version only the last one counts, so that no restart finds the other', async (t) => {
  const { ownership, hub, clock, remote, commits } = await own(t)
  const [short, long, requeue] = ['onward.retry.1m', 'onward.retry.5m', 'onward.requeue'] as const
  // Copied on from the shorter tier to the longer one, and killed before the commit that says so.
  const left = [copyOfFirst(0, clock.steady() - 60_000)]
  const copied = [copyOfFirst(0, clock.steady())]
  const tierAt = (topic: string, end: number): StartPosition => ({ ...start(0, end, 0), topic })
  ownership.assigned([start(1), tierAt(short, 1), tierAt(long, 1), tierAt(requeue, 0)], 1)
  ownership.received(short, 0, left, 1)
  ownership.received(long, 0, copied, 1)
  ownership.received(short, 0, left, 1)
  ownership.received(requeue, 0, [copyOfFirst(0, clock.steady())], 1)
  await clock.advance(250)
  await turns(20)
  assert.equal(remote.requests.length, 0)
  const ends = () => new Map(commits.flat().map(({ topic, offset }) => [topic, offset]))
  assert.equal(ends().get(short), 1)
  assert.equal(ends().get(requeue), 1)
  await clock.advance(300_000)
  ownership.received(long, 0, copied, 1)
  await hub.tells('demo/all@0 delivered')
  await clock.advance(250)
  await until('the commit', () => ends().get(long) === 1)
  assert.equal(remote.requests.length, 1)
})

test('of many partitions a few are restored at a time: their sources are read at once, what is due there once all are restored', async (t) => {
  const { ownership, clock, asked } = await own(t)
  const tier = 'onward.retry.1m'
  const numbers = [0, 1, 2, 3, 4, 5]
  const positions = numbers.flatMap((partition): StartPosition[] => [
    { ...start(1), partition },
    { ...start(0, 2, 0), topic: tier, partition },
  ])
  ownership.assigned(positions, numbers.length)
  assert.deepEqual(
    asked.filter((each) => each.includes(tier)),
    [`pause ${tier} 4`, `pause ${tier} 5`],
  )
  asked.length = 0
  ownership.received(tier, 1, [copyOfFirst(0, clock.steady(), 1), copyOfFirst(1, clock.steady(), 1)], 2)
  assert(asked.includes('resume cases 1'), String(asked))
  assert(asked.includes(`resume ${tier} 4`), String(asked))
  assert(!asked.includes(`resume ${tier} 5`), String(asked))
  assert(asked.includes(`pause ${tier} 1`), String(asked))
  // Fetched before it was paused.
  ownership.received(tier, 1, [copyOfFirst(0, clock.steady() - 60_000, 1)], 2)
  assert.equal(ownership.tasks.get(1)?.tiers.get(tier)?.position, 0)
  for (const partition of [0, 2, 3, 4, 5]) {
    const copies = [copyOfFirst(0, clock.steady(), partition), copyOfFirst(1, clock.steady(), partition)]
    ownership.received(tier, partition, copies, 2)
    assert(asked.includes(`resume cases ${partition}`), String(asked))
    assert.equal(asked.includes(`seek ${tier} 1 0`), partition === 5)
  }
  assert(asked.includes(`resume ${tier} 1`), String(asked))
})
