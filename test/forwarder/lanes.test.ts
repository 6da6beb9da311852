import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isReserved } from '../../services/forwarder/lanes.ts'
import type { Delivery, Lane } from '../../services/forwarder/delivery.ts'
import { PartitionTask } from '../../services/forwarder/partition-task.ts'
import { caseId, projectId, repeaterId } from '../../services/shared/ids.ts'
import { aSource, demo } from '../support/changes.ts'
import { holdsFor } from '../support/property.ts'

const repeater = repeaterId(demo, 'patients')
const source = aSource('cases', 'cases')
const aLane = () => {
  const task = new PartitionTask(0)
  return { lanes: task.lanes, lane: task.lanes.laneOf(repeater, caseId('c1'), source) }
}

const aDelivery = (lane: Lane, offset: number, replacesOlder = false): Delivery => ({
  record: {
    source: 'cases',
    topic: 'cases',
    partition: 0,
    offset,
    base: 0,
    timestamp: 0,
    key: null,
    value: null,
    traceparent: null,
    tracestate: null,
    entry: { offset, complete: false },
    offsets: source.offsets,
    run: null,
    forced: false,
    heldBytes: 0,
    openDeliveries: 1,
  },
  project: projectId('demo'),
  lane,
  replacesOlder,
  parked: false,
  waitsFor: null,
  attempts: 0,
  tries: 0,
  firstFailedAt: null,
})
const versions = (deliveries: readonly Delivery[]): number[] => deliveries.map(({ record }) => record.offset)

test('deliveries of a lane go one after another, the oldest first', () => {
  const { lanes, lane } = aLane()
  for (const offset of [1, 2, 3]) assert.deepEqual(lanes.add(aDelivery(lane, offset)), [])
  for (const offset of [1, 2, 3]) {
    assert.equal(lanes.isReady(lane, 0), true)
    assert.equal(lanes.begin(lane).record.offset, offset)
    assert.equal(lanes.isReady(lane, 0), false)
    lanes.settle(lane)
  }
  assert.equal(lanes.isReady(lane, 0), false)
})

test('a lane never begins with one in flight, nor with nothing', () => {
  const { lanes, lane } = aLane()
  assert.throws(() => lanes.begin(lane))
  lanes.add(aDelivery(lane, 1))
  lanes.begin(lane)
  assert.throws(() => lanes.begin(lane))
})

test('a full state replaces all that waits, and nothing that is in flight', () => {
  const { lanes, lane } = aLane()
  lanes.add(aDelivery(lane, 1, true))
  lanes.begin(lane)
  assert.deepEqual(versions(lanes.add(aDelivery(lane, 2, true))), [])
  assert.deepEqual(versions(lanes.add(aDelivery(lane, 3, true))), [2])
  assert.deepEqual(versions(lane.deliveries), [1, 3])
})

test('a full state that came while an older one failed takes its place and inherits its due instant', () => {
  const { lanes, lane } = aLane()
  const old = aDelivery(lane, 1, true)
  lanes.add(old)
  lanes.begin(lane)
  old.tries = 3
  lanes.add(aDelivery(lane, 2, true))
  assert.deepEqual(versions(lanes.retryAt(lane, 900)), [1])
  assert.equal(lanes.isReady(lane, 899), false)
  assert.equal(lanes.isReady(lane, 900), true)
  const successor = lanes.begin(lane)
  assert.deepEqual([successor.record.offset, successor.tries], [2, 0])
})

test('a full state that comes while a lane waits for a retry inherits the instant too', () => {
  const { lanes, lane } = aLane()
  lanes.add(aDelivery(lane, 1, true))
  lanes.begin(lane)
  assert.deepEqual(lanes.retryAt(lane, 900), [])
  assert.deepEqual(versions(lanes.add(aDelivery(lane, 2, true))), [1])
  assert.equal(lanes.isReady(lane, 899), false)
  assert.equal(lanes.isReady(lane, 900), true)
})

test('a close replaces nothing: the newest full state before it goes first', () => {
  const { lanes, lane } = aLane()
  lanes.add(aDelivery(lane, 1, true))
  lanes.add(aDelivery(lane, 2, true))
  assert.deepEqual(lanes.add(aDelivery(lane, 3, false)), [])
  assert.deepEqual(versions(lane.deliveries), [2, 3])
  assert.equal(lanes.begin(lane).record.offset, 2)
  assert.deepEqual(lanes.retryAt(lane, 5), [])
  assert.deepEqual(versions(lane.deliveries), [2, 3])
})

test('a full state after a close (the case was opened again) replaces both', () => {
  const { lanes, lane } = aLane()
  lanes.add(aDelivery(lane, 1, true))
  lanes.add(aDelivery(lane, 2, false))
  assert.deepEqual(versions(lanes.add(aDelivery(lane, 3, true))), [1, 2])
  lanes.begin(lane)
  lanes.add(aDelivery(lane, 4, false))
  lanes.add(aDelivery(lane, 5, true))
  lanes.add(aDelivery(lane, 6, false))
  assert.deepEqual(versions(lanes.retryAt(lane, 0)), [3])
  assert.deepEqual(versions(lane.deliveries), [5, 6])
})

test('after a delivery settled the next goes at once, whatever the lane waited for before', () => {
  const { lanes, lane } = aLane()
  lanes.add(aDelivery(lane, 1))
  lanes.add(aDelivery(lane, 2))
  lanes.begin(lane)
  lanes.retryAt(lane, 10_000)
  lanes.begin(lane)
  lanes.settle(lane)
  assert.equal(lanes.isReady(lane, 0), true)
})

test('a lane is forgotten when nothing is left in it, and made anew for the next change', () => {
  const { lanes, lane } = aLane()
  lanes.add(aDelivery(lane, 1))
  assert.equal(lanes.laneOf(repeater, caseId('c1'), source), lane)
  lanes.begin(lane)
  lanes.settle(lane)
  assert.deepEqual([...lanes.waiting()], [])
  assert.notEqual(lanes.laneOf(repeater, caseId('c1'), source), lane)
})

test('what waits is counted by repeater', () => {
  const { lanes, lane } = aLane()
  const other = lanes.laneOf(repeaterId(demo, 'other'), caseId('c1'), source)
  lanes.add(aDelivery(lane, 1))
  lanes.add(aDelivery(lane, 2))
  lanes.add(aDelivery(other, 1))
  assert.deepEqual(
    [...lanes.waiting()],
    [
      ['demo/patients', 2],
      ['demo/other', 1],
    ],
  )
  assert.deepEqual([...lanes.of(repeater)], [lane])
})

test('a state that is due gives way to a newer one that is parked, but not for longer than the shortest tier waits', () => {
  const { lanes, lane } = aLane()
  const { parked } = lane.task
  const untried = { full: true, attempted: false }
  parked.add(lane, { version: 9, ...untried }, 0)
  assert.equal(lanes.yields(aDelivery(lane, 1), 0, 60_000), true)
  assert.equal(lanes.yields(aDelivery(lane, 2), 59_999, 60_000), true)
  assert.equal(lanes.yields(aDelivery(lane, 3), 60_000, 60_000), false)
  // It was attempted, so the next one begins anew.
  assert.equal(lanes.yields(aDelivery(lane, 4), 60_001, 60_000), true)
  parked.remove(lane, 9)
  assert.equal(lanes.yields(aDelivery(lane, 5), 60_002, 60_000), false)
})

test('an older state that an operator wants sent does not replace the newer one that failed beside it, and goes before it', () => {
  const { lanes, lane } = aLane()
  const newer = aDelivery(lane, 5, true)
  const older = aDelivery(lane, 3, true)
  const forced = { ...older, record: { ...older.record, run: 'run-1', forced: true } }
  lanes.add(newer)
  lanes.begin(lane)
  lanes.add(forced)
  assert.deepEqual(lanes.retryAt(lane, 1_000), [])
  assert.deepEqual(lane.deliveries, [forced, newer])
})

test('a state that is due always gives way to a newer one that may have been sent', () => {
  const { lanes, lane } = aLane()
  lane.task.parked.add(lane, { version: 9, full: true, attempted: true }, 0)
  for (const now of [0, 60_000, 600_000]) assert.equal(lanes.yields(aDelivery(lane, 1), now, 60_000), true)
})

test('a repeater that forwards another kind now has other lanes, though their cases and versions are the same', () => {
  const { lanes, lane } = aLane()
  const other = lanes.laneOf(repeater, lane.caseId, aSource('forms', 'forms'))
  assert.notEqual(other, lane)
  const { parked } = lane.task
  parked.addFound(lane, { version: 1, full: true, attempted: false }, 0)
  parked.addFound(lane, { version: 1, full: true, attempted: false }, 0)
  assert.equal(parked.has(other, 1), false)
  assert.equal(parked.takeSurplus(other, 1), false)
  assert.equal(lanes.isBlocked(aDelivery(other, 2)), false)
  assert.equal(lanes.isBlocked(aDelivery(lane, 2)), true)
})

test('what still points to a lane of a partition that was given up finds nothing in it', () => {
  const { lanes, lane } = aLane()
  lanes.add(aDelivery(lane, 1))
  lanes.clear()
  assert.equal(lanes.isReady(lane, 0), false)
  assert.equal(lanes.find(lane), undefined)
  assert.deepEqual([...lanes.waiting()], [])
})

type Step = { readonly kind: 'full' | 'event' } | { readonly kind: 'begin' | 'settle' | 'retry' }

test('however a lane is used, versions leave in rising order and every one exactly once', (t) => {
  const step: fc.Arbitrary<Step> = fc.record({ kind: fc.constantFrom('full', 'event', 'begin', 'settle', 'retry') })
  holdsFor(
    t,
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const task = new PartitionTask(0)
      const { lanes } = task
      const gone: number[] = []
      const settled: number[] = []
      let version = 0
      const lane = () => lanes.laneOf(repeater, caseId('c1'), source)
      for (const { kind } of steps) {
        if (kind === 'full' || kind === 'event') {
          gone.push(...versions(lanes.add(aDelivery(lane(), ++version, kind === 'full'))))
        } else if (kind === 'begin') {
          if (lanes.isReady(lane(), Infinity)) lanes.begin(lane())
        } else if (lane().inFlight) {
          const { inFlight } = lane()
          if (kind === 'retry') gone.push(...versions(lanes.retryAt(lane(), 1)))
          else {
            settled.push(inFlight?.record.offset ?? -1)
            lanes.settle(lane())
          }
        }
      }
      assert.deepEqual(
        settled,
        settled.toSorted((a, b) => a - b),
      )
      const left = versions(lane().deliveries)
      assert.deepEqual(
        [...gone, ...settled, ...left].sort((a, b) => a - b),
        Array.from({ length: version }, (_, at) => at + 1),
      )
    }),
  )
})

const forced = (delivery: Delivery): Delivery => ({ ...delivery, record: { ...delivery.record, forced: true } })

test('what comes back while a newer full state is on the wire does not follow it', () => {
  const { lanes, lane } = aLane()
  lanes.add(aDelivery(lane, 5, true))
  lanes.begin(lane)
  const back = aDelivery(lane, 3, true)
  assert.deepEqual(lanes.add(back), [back])
  assert.deepEqual(lanes.add(forced(aDelivery(lane, 4, true))), [])
  assert.deepEqual(versions(lane.deliveries), [5, 4])
})

test('what an operator forces is replaced by nothing that comes later, nor when it fails', () => {
  const { lanes, lane } = aLane()
  lanes.add(forced(aDelivery(lane, 1, true)))
  lanes.add(aDelivery(lane, 2))
  assert.deepEqual(versions(lanes.add(aDelivery(lane, 3, true))), [2])
  assert.deepEqual(versions(lane.deliveries), [1, 3])
  lanes.begin(lane)
  assert.deepEqual(lanes.retryAt(lane, 10), [])
  assert.deepEqual(versions(lane.deliveries), [1, 3])
})

test('what is of a topic that is no more waits for no reservation in the one that has its name', () => {
  const { lane } = aLane()
  const delivery = aDelivery(lane, 500)
  const anew = { ...delivery, lane: { ...lane, source: { ...lane.source, base: 2 ** 44, reserved: 3 } } }
  assert.equal(isReserved(anew), true)
  assert.equal(isReserved({ ...anew, record: { ...anew.record, base: 2 ** 44 } }), false)
})
