import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { openPark } from '../../services/forwarder/park.ts'
import { openTier, PartitionTask } from '../../services/forwarder/partition-task.ts'
import { Tiers } from '../../services/forwarder/tiers.ts'
import type { Appended, PlacedRecord } from '../../services/shared/kafka/appender.ts'
import { caseId, repeaterId } from '../../services/shared/ids.ts'
import { readRetryHeader } from '../../services/shared/wire/retry-header.ts'
import { aDelivery, aSource, aSourceRecord, demo } from '../support/changes.ts'
import { manualClock } from '../support/clock.ts'
import { silentLog } from '../support/kafka-ground.ts'
import { turns } from '../support/until.ts'
import { aCaseChange } from './render-payload/changes.ts'

const tiers = new Tiers('onward.', [60_000])
const tier = tiers.shortest

/** One owned partition whose tier has ten records, and an appender that answers as it is told. */
function parkOn(t: TestContext, answers: ((records: readonly PlacedRecord[]) => Appended)[]) {
  const clock = manualClock(t)
  const sent: (readonly PlacedRecord[])[] = []
  const fences: number[] = []
  const task = new PartitionTask(3)
  const progress = openTier(
    { topic: tier.topic, partition: 3, base: 0, offset: 10, end: 10, commit: null, found: { kind: 'committed' } },
    tier,
  )
  task.tiers.set(tier.topic, progress)
  let end = 10
  const brokers = { commit: true }
  const park = openPark({
    appender: {
      append: async (_topic, records) => {
        sent.push(records)
        const answer = answers.shift()
        if (answer) return answer(records)
        end += records.length
        return { kind: 'appended', count: records.length, ends: new Map([[3, end]]) }
      },
      [Symbol.asyncDispose]: async () => undefined,
    },
    commitFences: async () => {
      if (!brokers.commit) return
      fences.push(progress.offsets.fences.epoch)
      progress.offsets.fences.confirm(progress.offsets.fences.epoch)
    },
    clock,
    log: silentLog,
  })
  const deliver = (offset: number) => ({
    ...aDelivery(aSourceRecord({ offset, partition: 3, key: Buffer.from('c1') }), aCaseChange()),
    lane: task.lanes.laneOf(repeaterId(demo, 'all'), caseId('c1'), aSource('cases', 'cases', 3)),
  })
  const write = (offset: number) => park.write(deliver(offset), tier, 1_000, 'retry')
  return { clock, park, sent, fences, progress, write, task, brokers }
}

const headersOf = (records: readonly PlacedRecord[] = []) =>
  records.map(({ headers, partition }) => {
    const read = readRetryHeader(headers?.['onward'], partition)
    assert(read.kind === 'read')
    return read.header
  })

test('a copy carries the source value untouched, the case as its key, and what is known of the delivery', async (t) => {
  const { park, sent, write } = parkOn(t, [])
  assert.equal(await write(7), 'parked')
  assert.equal(park.waiting, 0)
  const [record] = sent[0] ?? []
  assert.equal(record?.partition, 3)
  assert.equal(record.key, 'c1')
  const [header] = headersOf(sent[0])
  assert.deepEqual(header && { ...header, timestamp: 0 }, {
    v: 1,
    repeater: 'demo/all',
    topic: 'cases',
    partition: 3,
    offset: 7,
    timestamp: 0,
    attempts: 0,
    tries: 0,
    firstFailedAt: null,
    dueAt: 1_000,
    reason: 'retry',
    epoch: 1,
    full: false,
  })
})

test('copies that come while a send is under way go together with the next, in their order', async (t) => {
  const { sent, write } = parkOn(t, [])
  await Promise.all([1, 2, 3].map(write))
  assert.deepEqual(
    sent.map((records) => headersOf(records).map(({ offset }) => offset)),
    [[1], [2, 3]],
  )
})

test('a send whose answer was lost is repeated under a newer epoch, behind a fence that makes ghosts of the first', async (t) => {
  const { clock, sent, fences, progress, write } = parkOn(t, [
    (records) => ({ kind: 'appended', count: records.length, ends: new Map([[3, 11]]) }),
    () => ({ kind: 'unknown', error: 'no answer' }),
  ])
  await write(1)
  const second = write(2)
  await turns(3)
  await clock.advance(500)
  assert.equal(await second, 'parked')
  assert.deepEqual(
    sent.flatMap((records) => headersOf(records).map(({ offset, epoch }) => `${offset} in ${epoch}`)),
    ['1 in 1', '2 in 1', '2 in 2'],
  )
  assert.deepEqual(fences, [1, 2], 'committed before anything is sent under it')
  const ghosts = progress.offsets.fences
  assert.equal(ghosts.isGhost(10, 1), false, 'the first was acknowledged')
  assert.equal(ghosts.isGhost(11, 1), true, 'the second was not')
  assert.equal(ghosts.isGhost(12, 2), false)
})

test('of a batch that is refused as too large each goes alone, and only the one that is too large is refused', async (t) => {
  const tooLarge = (records: readonly PlacedRecord[]): Appended => ({ kind: 'too-large', count: records.length })
  const appended =
    (end: number) =>
    (records: readonly PlacedRecord[]): Appended => ({
      kind: 'appended',
      count: records.length,
      ends: new Map([[3, end]]),
    })
  const { sent, write } = parkOn(t, [appended(11), tooLarge, appended(12), tooLarge, appended(13)])
  assert.deepEqual(await Promise.all([1, 2, 3, 4].map(write)), ['parked', 'parked', 'refused', 'parked'])
  assert.deepEqual(
    sent.map((records) => headersOf(records).map(({ offset }) => offset)),
    [[1], [2, 3, 4], [2], [3], [4]],
  )
})

test('a request that holds only some of a batch is followed by one with the rest', async (t) => {
  const { sent, write } = parkOn(t, [
    () => ({ kind: 'appended', count: 1, ends: new Map([[3, 11]]) }),
    () => ({ kind: 'appended', count: 2, ends: new Map([[3, 13]]) }),
  ])
  assert.deepEqual(await Promise.all([1, 2, 3, 4].map(write)), Array(4).fill('parked'))
  assert.deepEqual(
    sent.map((records) => headersOf(records).map(({ offset }) => offset)),
    [[1], [2, 3, 4], [4]],
  )
})

test('nothing is sent under an epoch that no commit holds, and what is given up before is dropped', async (t) => {
  const { clock, park, sent, brokers, write, task } = parkOn(t, [])
  brokers.commit = false
  const first = write(1)
  await clock.advance(2_000)
  assert.deepEqual(sent, [])
  brokers.commit = true
  await clock.advance(500)
  assert.equal(await first, 'parked')
  const sending = write(2)
  const waiting = write(3)
  task.closed = true
  assert.deepEqual(await Promise.all([sending, waiting]), ['parked', 'dropped'])
  assert.equal(park.waiting, 0)
})
