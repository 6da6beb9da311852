import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PartitionTask } from '../../services/forwarder/partition-task.ts'
import { ReadyQueue } from '../../services/forwarder/ready-queue.ts'
import { caseId, repeaterId } from '../../services/shared/ids.ts'
import { aDelivery, aSource, aSourceRecord, demo } from '../support/changes.ts'

/** A lane whose head came back from a retry topic, or is fresh; named by its case. */
function aLane(name: string, parked: boolean) {
  const lane = new PartitionTask(0).lanes.laneOf(repeaterId(demo, 'all'), caseId(name), aSource('cases', 'cases'))
  lane.deliveries.push({ ...aDelivery(aSourceRecord(), { parked }), lane })
  return lane
}

test('what came back and what is fresh take turns, each in its order; what is first is what is taken', () => {
  const ready = new ReadyQueue()
  for (const name of ['f1', 'f2', 'f3', 'f4']) ready.push(aLane(name, false))
  for (const name of ['d1', 'd2']) ready.push(aLane(name, true))
  assert.equal(ready.size, 6)
  const taken: string[] = []
  for (let { first } = ready; first !== undefined; { first } = ready) {
    assert.equal(ready.take(), first)
    taken.push(first.caseId)
  }
  assert.equal(ready.size, 0)
  assert.deepEqual(taken, ['d1', 'f1', 'd2', 'f2', 'f3', 'f4'])
  assert.equal(ready.take(), undefined)
  // Whoever had the last turn, the others go first.
  ready.push(aLane('f5', false))
  ready.push(aLane('d3', true))
  assert.equal(ready.take()?.caseId, 'd3')
  assert.equal(ready.take()?.caseId, 'f5')
})
