import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chooseSpill, chooseStragglers, type Pace } from '../../services/forwarder/choose-spill.ts'
import { PartitionTask } from '../../services/forwarder/partition-task.ts'
import { caseId, connectionId, repeaterId, type RepeaterId } from '../../services/shared/ids.ts'
import { aDelivery, aSource, aSourceRecord, demo } from '../support/changes.ts'
import { aCaseChange } from './render-payload/changes.ts'

const quick = repeaterId(demo, 'quick')
const stuck = repeaterId(demo, 'stuck')
const toOf = (repeater: RepeaterId) => connectionId(demo, repeater === quick ? 'quick' : 'stuck')

function filled(lanes: readonly (readonly [RepeaterId, string, number])[]) {
  const task = new PartitionTask(0)
  const source = aSource('cases', 'cases')
  for (const [at, [repeater, name, bytes]] of lanes.entries()) {
    const record = aSourceRecord({ offset: at + 1, heldBytes: bytes })
    const lane = task.lanes.laneOf(repeater, caseId(name), source)
    task.lanes.add({ ...aDelivery(record, aCaseChange()), lane })
  }
  return task
}
const namesOf = (spilled: ReturnType<typeof chooseSpill>) => spilled.map(({ lane }) => lane.caseId)
const pace = (perSecond: number, slots = 1): Pace => ({ perSecond, slots, isTold: true })
const paces = (ofQuick: Pace, ofStuck: Pace) =>
  new Map([
    [connectionId(demo, 'quick'), ofQuick],
    [connectionId(demo, 'stuck'), ofStuck],
  ])

test('a connection that will soon be done keeps its queue; of one that is stuck all goes but what keeps it busy', () => {
  const task = filled([
    ...Array.from({ length: 50 }, (_, at) => [quick, `q${at}`, 100] as const),
    ...Array.from({ length: 5 }, (_, at) => [stuck, `s${at}`, 10] as const),
  ])
  const spilled = chooseSpill([task], toOf, paces(pace(100), pace(0)), 1_000_000)
  assert.deepEqual(namesOf(spilled), ['s4', 's3', 's2'])
})

test('no more goes than has to, the last to come first', () => {
  const task = filled(Array.from({ length: 50 }, (_, at) => [stuck, `s${at}`, 10] as const))
  const spilled = chooseSpill([task], toOf, paces(pace(1), pace(1)), 25)
  assert.deepEqual(namesOf(spilled), ['s49', 's48', 's47'])
  assert.equal(spilled[0]?.wait, 50_000)
})

test('what goes from a connection that hung for a while comes back within minutes: it may have gone on at once', () => {
  const task = filled(Array.from({ length: 50 }, (_, at) => [stuck, `s${at}`, 10] as const))
  for (const perSecond of [0.01, 0]) {
    const spilled = chooseSpill([task], toOf, paces(pace(1), pace(perSecond)), 100)
    assert.deepEqual(
      spilled.map(({ wait }) => wait),
      Array.from({ length: 10 }, () => 300_000),
    )
  }
})

test('where all are equally busy, and not for minutes, none is in the way', () => {
  const task = filled(Array.from({ length: 60 }, (_, at) => [at % 2 === 0 ? quick : stuck, `c${at}`, 10] as const))
  assert.deepEqual(chooseSpill([task], toOf, paces(pace(1), pace(1)), 1_000), [])
})

test('what waits for a parked version goes first, however well its connection is', () => {
  const task = filled([
    [quick, 'blocked', 10],
    [quick, 'free', 10],
  ])
  const lane = task.lanes.find({ repeater: quick, topic: 'cases', caseId: caseId('blocked') })
  assert(lane)
  task.parked.add(lane, { version: 0, full: false, attempted: false }, 0)
  assert.deepEqual(namesOf(chooseSpill([task], toOf, paces(pace(100), pace(0)), 1)), ['blocked'])
})

test('what is on the wire stays, and so does all of a partition that reads its way to the horizon', () => {
  const task = filled(Array.from({ length: 4 }, (_, at) => [stuck, `s${at}`, 10] as const))
  for (const lane of task.lanes.all()) task.lanes.begin(lane)
  assert.deepEqual(chooseSpill([task], toOf, paces(pace(1), pace(0, 0)), 1_000), [])
  const other = filled(Array.from({ length: 4 }, (_, at) => [stuck, `s${at}`, 10] as const))
  for (const lane of other.lanes.all()) lane.source.rereading = true
  assert.deepEqual(chooseSpill([other], toOf, paces(pace(1), pace(0, 0)), 1_000), [])
})

/** A crowded map: every second record is finished. @param waiting lanes of one open record each */
function crowded(waiting: number) {
  const task = new PartitionTask(0)
  const source = aSource('cases', 'cases')
  task.sources.set('cases', source)
  for (let at = 0; at < waiting; at++) {
    const entry = source.offsets.open(2 * at)
    const record = aSourceRecord({ offset: 2 * at, entry, offsets: source.offsets, heldBytes: 10 })
    const lane = task.lanes.laneOf(stuck, caseId(`s${at}`), source)
    task.lanes.add({ ...aDelivery(record, aCaseChange()), lane })
    source.offsets.skip(2 * at + 1)
  }
  source.offsets.takeCommit(0)
  source.marks.note(2 * waiting, 0)
  return { task, source }
}
const LONG_AFTER = 10_000

test('where a commit can hardly show what is finished any more, the oldest half of what waits leaves memory', () => {
  const { task, source } = crowded(1_200)
  const spilled = chooseStragglers([task], LONG_AFTER)
  assert.deepEqual(
    spilled.map(({ lane }) => lane.caseId),
    Array.from({ length: 600 }, (_, at) => `s${at}`),
  )
  for (const { lane } of spilled) for (const { record } of lane.deliveries) source.offsets.complete(record.entry)
  source.offsets.takeCommit(0)
  assert.deepEqual(chooseStragglers([task], LONG_AFTER), [])
})

test('a commit with room makes nobody leave, nor does one of a partition that is given up or read again', () => {
  assert.deepEqual(chooseStragglers([crowded(1_000).task], LONG_AFTER), [])
  const { task, source } = crowded(1_200)
  source.rereading = true
  assert.deepEqual(chooseStragglers([task], LONG_AFTER), [])
  source.rereading = false
  task.draining = true
  assert.deepEqual(chooseStragglers([task], LONG_AFTER), [])
})

test('what is on the wire stays, whatever the commit shows', () => {
  const { task } = crowded(1_200)
  for (const lane of task.lanes.all()) task.lanes.begin(lane)
  assert.deepEqual(chooseStragglers([task], LONG_AFTER), [])
})

test('what was read within the last ten seconds is no straggler', () => {
  const { task, source } = crowded(1_200)
  assert.deepEqual(chooseStragglers([task], LONG_AFTER - 1), [])
  for (let at = 250; at < LONG_AFTER; at += 250) source.marks.note(2_400 + at, at)
  assert.equal(chooseStragglers([task], LONG_AFTER).length, 600)
  const late = crowded(1_200)
  late.source.marks.note(2_400, 250)
  assert.equal(chooseStragglers([late.task], LONG_AFTER + 250).length, 600)
})

test('a connection that was only just asked, or not yet, is not called slow: memory can be full within a second', () => {
  const task = filled(Array.from({ length: 50 }, (_, at) => [stuck, `s${at}`, 10] as const))
  const asked = new Map([
    [connectionId(demo, 'quick'), pace(100)],
    [connectionId(demo, 'stuck'), { ...pace(0), isTold: false }],
  ])
  assert.deepEqual(chooseSpill([task], toOf, asked, 100), [])
  assert.deepEqual(chooseSpill([task], toOf, new Map([[connectionId(demo, 'quick'), pace(100)]]), 100), [])
})
