import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  areOfOneLog,
  baseAbove,
  baseAfterCut,
  LONGEST_MARK,
  markBase,
  readMetadata,
} from '../../../services/shared/kafka/version-base.ts'
import { holdsFor } from '../../support/property.ts'

/** No log of changes is as long. */
const LONGEST_LOG = 10 ** 12

test('through a life of makings anew, growths and cuts no version falls, and each fits beside two bits', (t) => {
  const events = fc.array(fc.constantFrom('anew', 'cut', 'grown'), { maxLength: 40 })
  holdsFor(
    t,
    fc.property(
      events,
      fc.array(fc.integer({ min: 0, max: LONGEST_LOG }), { minLength: 41, maxLength: 41 }),
      (life, offsets) => {
        let bases = [0, 0]
        let cuts = 0
        let highest = -1
        for (const [at, event] of life.entries()) {
          highest = Math.max(highest, ...bases.map((base) => base + (offsets[at] ?? 0)))
          if (event === 'cut' && cuts < 15) {
            cuts++
            bases = bases.map(baseAfterCut)
          } else {
            const raised = baseAbove(bases)
            cuts = 0
            bases = event === 'grown' ? [raised, raised] : bases.map(() => raised)
          }
          for (const base of bases) assert.ok(base > highest, `${life.join(' ')}: ${base} after ${highest}`)
          assert.ok(Math.max(...bases) + LONGEST_LOG < 2 ** 51)
        }
      },
    ),
  )
})

test('the base above those that the configuration knows is above those that cuts have raised', () => {
  assert.ok(baseAbove([0]) > baseAfterCut(baseAfterCut(0)) + LONGEST_LOG)
  assert.ok(areOfOneLog(0, baseAfterCut(0)))
  assert.ok(!areOfOneLog(0, baseAbove([0])))
})

test('a commit says its base, and one that is not ours says none', () => {
  for (const base of [0, baseAbove([0]), 2 ** 51]) {
    const mark = markBase(base, 'AAAA')
    assert.deepEqual(readMetadata(mark), { base, map: 'AAAA' })
    assert.ok(mark.length - 4 <= LONGEST_MARK)
    assert.deepEqual(readMetadata(markBase(base, '')), { base, map: '' })
  }
  for (const other of [null, '', 'by hand', '2:', '2:1', '2:-1:', '2:99999999999999999:', '3:1:AAAA'])
    assert.equal(readMetadata(other), null, String(other))
})
