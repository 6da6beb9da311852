import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readMoment } from '../../../services/cli/dead-letters/read-moment.ts'
import { UsageError } from '../../../services/cli/arguments.ts'

const NOW = Date.UTC(2026, 10, 25, 12)

const MOMENTS: readonly (readonly [text: string, at: number])[] = [
  ['2h', NOW - 2 * 3_600_000],
  ['30m', NOW - 30 * 60_000],
  ['2026-11-25', Date.UTC(2026, 10, 25)],
  ['2026-11-25T08:00', Date.UTC(2026, 10, 25, 8)],
  ['2026-11-25T08:00Z', Date.UTC(2026, 10, 25, 8)],
  ['2026-11-25T08:00:01', Date.UTC(2026, 10, 25, 8, 0, 1)],
  ['2026-11-25T08:00+02:00', Date.UTC(2026, 10, 25, 6)],
  ['2026-11-25T08:00:00.250Z', Date.UTC(2026, 10, 25, 8, 0, 0, 250)],
]

test('a moment is how long ago, or an instant, of UTC unless it says another zone', () => {
  for (const [text, at] of MOMENTS) assert.equal(readMoment('since', text, NOW), at, text)
})

test('what is no moment is refused', () => {
  for (const text of ['', 'now', '2', '2026-02-30', '2026-11-25T25:00Z', '25.11.2026', '2026-11-25T08', '1h30m'])
    assert.throws(() => readMoment('since', text, NOW), UsageError, text)
})
