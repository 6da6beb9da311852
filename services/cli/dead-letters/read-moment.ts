// When, as people write it: how long ago (`2h`, `3d`), or an instant. Pure. Enter: text, now. Leave: Unix milliseconds.
// Never: the machine's time zone: what names none is UTC.
import type { Millis } from '../../shared/clock.ts'
import { readDuration } from '../../shared/duration.ts'
import { readInstant } from '../../shared/instant.ts'
import { UsageError } from '../arguments.ts'

const DAY = /^\d{4}-\d\d-\d\d$/
const MINUTE = /^(\d{4}-\d\d-\d\dT\d\d:\d\d)(:\d\d(?:[.,]\d+)?)?(Z|[+-]\d\d(?::?\d\d)?)?$/

/** @param option for the error @throws UsageError */
export function readMoment(option: string, text: string, now: Millis): Millis {
  const ago = readDuration(text)
  if (ago !== undefined) return now - ago
  const micros = readInstant(DAY.test(text) ? `${text}T00:00:00Z` : text.replace(MINUTE, withSecondsAndZone))
  if (micros === undefined) {
    throw new UsageError(
      `--${option} takes how long ago (30m, 2h, 3d) or an instant (2026-11-25, 2026-11-25T08:00Z), not "${text}"`,
    )
  }
  return Math.floor(micros / 1_000)
}

const withSecondsAndZone = (_: string, minute: string, seconds = ':00', zone = 'Z'): string =>
  `${minute}${seconds}${zone}`
