import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fits, fitsAll, readLetterFilter } from '../../../services/cli/dead-letters/letter-filter.ts'
import { UsageError } from '../../../services/cli/arguments.ts'
import { aLetter, AT } from './letters.ts'

type Values = Parameters<typeof readLetterFilter>[0]

const NOW = AT + 3_600_000
const unread = aLetter()
const withoutRepeater = {
  ...unread,
  repeater: null,
  connection: null,
  project: null,
  status: null,
  reason: 'unreadable',
}

const FITTING: readonly (readonly [values: Values, letter: boolean, unreadable: boolean])[] = [
  [{}, true, true],
  [{ repeater: ['demo/all'] }, true, false],
  [{ repeater: ['all'] }, true, false],
  [{ repeater: ['ll'] }, false, false],
  [{ repeater: ['none'] }, false, true],
  [{ repeater: ['other/all', 'demo/all'] }, true, false],
  [{ connection: ['remote'] }, true, false],
  [{ project: ['demo'] }, true, false],
  [{ project: ['dem'] }, false, false],
  [{ reason: ['rejected'] }, true, false],
  [{ reason: ['rejected', 'unreadable'] }, true, true],
  [{ reason: ['unreadable'], repeater: ['all'] }, false, false],
  [{ status: ['422'] }, true, false],
  [{ status: ['4xx'] }, true, false],
  [{ status: ['5xx'] }, false, false],
  [{ status: ['none'] }, false, true],
  [{ letter: ['0:0'] }, true, true],
  [{ letter: ['0:1', '1:0'] }, false, false],
  [{ since: '1h' }, true, true],
  [{ since: '59m' }, false, false],
  [{ until: '1h' }, false, false],
  [{ until: '59m' }, true, true],
  [{ since: '2026-11-25T08:00Z', until: '2026-11-25T08:00:00.001Z' }, true, true],
]

test('a letter fits when each option has a value that is its own', () => {
  for (const [values, letter, unreadable] of FITTING) {
    const filter = readLetterFilter(values, NOW)
    assert.deepEqual(
      [fits(unread, filter), fits(withoutRepeater, filter)],
      [letter, unreadable],
      JSON.stringify(values),
    )
    assert.equal(fitsAll(filter), Object.keys(values).length === 0)
  }
})

const WRONG: readonly (readonly [values: Values, said: RegExp])[] = [
  [{ reason: ['rejcted'] }, /there is no reason "rejcted" \(did you mean rejected\?\)/],
  [{ status: ['4x'] }, /--status takes/],
  [{ letter: ['3'] }, /a letter is named <partition>:<offset>/],
  [{ since: 'yesterday' }, /--since takes how long ago/],
  [{ since: '1h', until: '2h' }, /--since is not before --until/],
]

test('a word that no letter can have is a mistake, and not a filter that nothing fits', () => {
  for (const [values, said] of WRONG) {
    assert.throws(
      () => readLetterFilter(values, NOW),
      (error: unknown) => error instanceof UsageError && said.test(error.message),
      JSON.stringify(values),
    )
  }
})
