import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ASPECTS, LetterTally, renderTally, tallyJson } from '../../../services/cli/dead-letters/tally-letters.ts'
import { repeaterId } from '../../../services/shared/ids.ts'
import { capturedTerminal } from '../../support/captured-terminal.ts'
import { demo } from '../../support/changes.ts'
import { holdsFor } from '../../support/property.ts'
import { aLetter } from './letters.ts'

const letters = fc.array(
  fc.record({
    repeater: fc.constantFrom('demo/a', 'demo/b', null),
    reason: fc.constantFrom('rejected', 'exhausted', null),
    // Whoever wrote the record chose it: it may be no date at all.
    writtenAt: fc.oneof(fc.integer({ min: 0, max: 2e12 }), fc.constantFrom(-1, 9e15, 8.64e15)),
  }),
  { maxLength: 50 },
)

test('the counts of each aspect add up to the total, whatever the timestamps are', (t) => {
  holdsFor(
    t,
    fc.property(letters, (all) => {
      const tally = new LetterTally()
      for (const one of all) tally.add({ ...aLetter(), ...one })
      for (const aspect of ASPECTS) {
        const counts = tally.counts(aspect).map(([, count]) => count)
        assert.equal(
          counts.reduce((sum, count) => sum + count, 0),
          all.length,
        )
        if (aspect !== 'day')
          assert.deepEqual(
            counts,
            counts.toSorted((one, other) => other - one),
          )
      }
      assert.equal(tally.total, all.length)
      const terminal = capturedTerminal({ isTTY: true, width: 20 })
      assert.match(renderTally(tally, terminal), all.length === 0 ? /^No dead letters\.\n$/ : /BY REPEATER/)
    }),
  )
})

test('days are those of UTC, in their order', () => {
  const tally = new LetterTally()
  for (const at of [Date.UTC(2026, 10, 25, 0), Date.UTC(2026, 10, 24, 23, 59), Date.UTC(2026, 10, 25, 23)])
    tally.add({ ...aLetter(), writtenAt: at })
  assert.deepEqual(tally.counts('day'), [
    ['2026-11-24', 1],
    ['2026-11-25', 2],
  ])
})

test('cases that are held now are counted once, however often their change died', () => {
  const tally = new LetterTally()
  const held = { 'onward-held': 'true' }
  for (const headers of [held, held, { ...held, 'onward-source-offset': '8' }, {}]) tally.add(aLetter({ headers }))
  assert.equal(tally.didHold.size, 2)
  const [first = '', other = ''] = tally.didHold
  const lane = { repeater: repeaterId(demo, 'all'), case: 'case-1', since: 0 }
  const source = { topic: 'cases', partition: 0, offset: 7, base: 0, timestamp: 0 }
  tally.countHeld(new Map([[first, { ...lane, source }]]))
  assert.notEqual(first, other)
  assert.match(renderTally(tally, capturedTerminal()), /\n1 case is held by its letter: .*requeue or cancel\n/)
  assert.equal(tallyJson(tally)['held'], 1)
})
