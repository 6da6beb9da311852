import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { hashCase, LaneTable, type HashCase, type ParkedVersion } from '../../services/forwarder/lane-table.ts'
import { holdsFor } from '../support/property.ts'

const parked = (version: number, full = false, attempted = false): ParkedVersion => ({ version, full, attempted })

test('a lane answers with its versions, oldest first, and with what is known of each', () => {
  const table = new LaneTable()
  table.add('c1', parked(7, true), 100)
  table.add('c1', parked(3, false, true), 50)
  table.add('c2', parked(2 ** 51 - 1), 10)
  assert.deepEqual(table.versionsOf('c1'), [parked(3, false, true), parked(7, true)])
  assert.equal(table.oldest('c1'), 3)
  assert.equal(table.dueAt('c1'), 50)
  assert.equal(table.has('c2', 2 ** 51 - 1), true)
  assert.equal(table.has('c2', 7), false)
  assert.deepEqual([table.lanes, table.versions], [2, 3])
  table.remove('c1', 3)
  table.remove('c1', 3)
  table.remove('c1', 7)
  assert.deepEqual(table.versionsOf('c1'), [])
  assert.equal(table.dueAt('c1'), undefined)
  assert.deepEqual([table.lanes, table.versions], [1, 1])
})

/** Every case has the same place, and only few of the rest: what is behind a lane must be found, and none answers for another. */
const poor: HashCase = (caseId) => [1, caseId.length % 3, hashCase(caseId)[2]]

for (const [what, hash] of Object.entries({ 'a good hash': hashCase, 'a hash that collides': poor })) {
  test(`with ${what} the table is what a map of sets would be, whatever is added and removed`, (t) => {
    const step = fc.record({
      caseId: fc.constantFrom(...Array.from({ length: 40 }, (_, at) => `case${'-'.repeat(at % 5)}${at}`)),
      version: fc.integer({ min: 0, max: 6 }),
      removes: fc.boolean(),
      full: fc.boolean(),
    })
    holdsFor(
      t,
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const table = new LaneTable(hash)
        const model = new Map<string, Map<number, boolean>>()
        for (const { caseId, version, removes, full } of steps) {
          const versions = model.get(caseId) ?? new Map<number, boolean>()
          model.set(caseId, versions)
          if (removes) {
            table.remove(caseId, version)
            versions.delete(version)
          } else {
            table.add(caseId, parked(version, full), version)
            versions.set(version, full)
          }
        }
        for (const [caseId, versions] of model) {
          const expected = [...versions].sort(([one], [other]) => one - other)
          assert.deepEqual(
            table.versionsOf(caseId).map((each) => [each.version, each.full]),
            expected,
            caseId,
          )
          assert.equal(table.oldest(caseId), expected[0]?.[0])
        }
        const sizes = [...model.values()].map(({ size }) => size)
        assert.equal(table.lanes, sizes.filter((size) => size > 0).length)
        assert.equal(
          table.versions,
          sizes.reduce((sum, size) => sum + size, 0),
        )
      }),
    )
  })
}

test('a million lanes that come and go leave no traces that slow the table down or make it grow', () => {
  const table = new LaneTable()
  for (let round = 0; round < 50; round++) {
    for (let at = 0; at < 2_000; at++) table.add(`case-${round}-${at}`, parked(at), 0)
    for (let at = 0; at < 2_000; at++) table.remove(`case-${round}-${at}`, at)
  }
  assert.equal(table.lanes, 0)
  assert(table.capacity <= 8_192, `${table.capacity} slots for nothing`)
})
