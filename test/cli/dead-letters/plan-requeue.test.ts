import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { deliveryOf, laneOf, placeOf, type Candidate } from '../../../services/cli/dead-letters/judge-letter.ts'
import { planRequeue, type PutBack } from '../../../services/cli/dead-letters/plan-requeue.ts'
import { repeaterId } from '../../../services/shared/ids.ts'
import { demo } from '../../support/changes.ts'
import { holdsFor } from '../../support/property.ts'
import { aRepeater } from '../../forwarder/render-payload/changes.ts'
import { aCandidate } from './letters.ts'

const NOTHING: PutBack = { byThisRun: new Set(), byOthers: new Map() }
const never = () => null
const nameOf = ({ repeater, source }: Candidate) => deliveryOf(repeater.id, source)

const REPEATERS = ['a', 'b'].map((id) => aRepeater({ id: repeaterId(demo, id) }))

/** Few lanes and offsets, so that deliveries die twice and lanes die out of order; a case has its partition. */
const topics = fc
  .array(fc.record({ lane: fc.nat(3), repeater: fc.nat(1), sourceOffset: fc.nat(12) }), { maxLength: 40 })
  .map((deaths) => {
    const ends = [0, 0]
    return deaths.map(({ lane, repeater, sourceOffset }) => {
      const partition = lane % 2
      const offset = ends[partition] ?? 0
      ends[partition] = offset + 1
      const own = { partition, offset, sourceOffset, caseId: `case-${lane}` }
      return aCandidate({ ...own, repeater: REPEATERS[repeater] ?? aRepeater() })
    })
  })

test('every letter is accounted for once, and no delivery is put back twice', (t) => {
  holdsFor(
    t,
    fc.property(
      topics,
      fc.func(fc.boolean()),
      fc.func(fc.boolean()),
      fc.func(fc.boolean()),
      (letters, done, before, old) => {
        const putBack: PutBack = {
          byThisRun: new Set(letters.map(nameOf).filter((name) => done(name))),
          byOthers: new Map(letters.map((one) => [placeOf(one), 'other'] as const).filter(([place]) => before(place))),
        }
        const plan = planRequeue(letters, putBack, (candidate) => (old(candidate.source.offset) ? 99 : null))
        const told = [
          ...plan.append,
          ...plan.alreadyThere,
          ...plan.superseded.map(({ candidate }) => candidate),
          ...plan.before.map(({ candidate }) => candidate),
        ]
        assert.equal(told.length + plan.copies, letters.length)
        assert.equal(new Set(told.map(nameOf)).size, told.length)
        assert.deepEqual(new Set(told.map(nameOf)), new Set(letters.map(nameOf)))
        for (const candidate of plan.append) {
          assert.ok(!putBack.byThisRun.has(nameOf(candidate)))
          assert.ok(!putBack.byOthers.has(placeOf(candidate)))
          assert.ok(!old(candidate.source.offset))
        }
      },
    ),
  )
})

test('within a lane the order is that of the source, and of each delivery the newest letter counts', (t) => {
  holdsFor(
    t,
    fc.property(topics, (letters) => {
      const { append } = planRequeue(letters, NOTHING, never)
      for (const ofLane of Map.groupBy(append, laneOf).values()) {
        const offsets = ofLane.map(({ source }) => source.offset)
        assert.deepEqual(
          offsets,
          offsets.toSorted((one, other) => one - other),
        )
      }
      for (const candidate of append) {
        const newest = Math.max(
          ...letters.filter((one) => nameOf(one) === nameOf(candidate)).map(({ letter }) => letter.offset),
        )
        assert.equal(candidate.letter.offset, newest)
      }
    }),
  )
})

test('where lanes died in their order, letters are put back in the order in which they lie', (t) => {
  holdsFor(
    t,
    fc.property(fc.array(fc.nat(3), { maxLength: 30 }), (lanes) => {
      const letters = lanes.map((lane, offset) => aCandidate({ offset, sourceOffset: offset, caseId: `case-${lane}` }))
      const { append } = planRequeue(letters, NOTHING, never)
      assert.deepEqual(append, letters)
    }),
  )
})

test('a run that goes on appends exactly what it had not, and each lane stays in order across the kill', (t) => {
  holdsFor(
    t,
    fc.property(topics, fc.nat(40), (letters, killedAfter) => {
      const whole = planRequeue(letters, NOTHING, never).append
      const byThisRun = new Set(whole.slice(0, killedAfter).map(nameOf))
      const rest = planRequeue(letters, { ...NOTHING, byThisRun }, never)
      assert.deepEqual(rest.append.map(nameOf).toSorted(), whole.slice(killedAfter).map(nameOf).toSorted())
      const both = [...whole.slice(0, killedAfter), ...rest.append]
      for (const ofLane of Map.groupBy(both, laneOf).values()) {
        const offsets = ofLane.map(({ source }) => source.offset)
        assert.deepEqual(
          offsets,
          offsets.toSorted((one, other) => one - other),
        )
      }
      assert.equal(rest.alreadyThere.length, Math.min(killedAfter, whole.length))
    }),
  )
})

test('what is planned counts when it is asked what supersedes: also what this run put back before it was killed', () => {
  const [state, close] = [aCandidate({ offset: 0, sourceOffset: 1 }), aCandidate({ offset: 1, sourceOffset: 2 })]
  const asked: ReadonlySet<string>[] = []
  planRequeue([state, close], { ...NOTHING, byThisRun: new Set([nameOf(close)]) }, (_, planned) => {
    asked.push(planned)
    return null
  })
  assert.deepEqual(asked, [new Set([nameOf(state), nameOf(close)])])
})

test('a state that holds its lane is put back although newer versions exist, with the note that they wait for it', () => {
  const letters = [
    aCandidate({ offset: 0, sourceOffset: 3 }),
    aCandidate({ offset: 1, sourceOffset: 4, caseId: 'case-2' }),
  ]
  const [holder] = letters
  assert.ok(holder)
  const plan = planRequeue(
    letters,
    NOTHING,
    () => 9,
    (delivery) => delivery === nameOf(holder),
  )
  assert.deepEqual(plan.append, [{ ...holder, ifHeld: true }])
  assert.deepEqual(
    plan.superseded.map(({ candidate }) => candidate),
    letters.slice(1),
  )
  // Where there is nothing newer it goes whatever becomes of its lane.
  assert.deepEqual(planRequeue([holder], NOTHING, never, () => true).append, [holder])
})
