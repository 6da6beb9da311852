// Retry-After, as RFC 9110 10.2.3 has it: seconds, or an HTTP date. Pure.
import type { Millis } from '../shared/clock.ts'

/** A remote may ask for a day; beyond that it is a mistake, and somebody has been told by then. */
const LONGEST: Millis = 24 * 3_600_000

/** Date.parse believes much that is no date (`soon, in 2050`): all three forms of an HTTP date begin with a day's name. */
const HTTP_DATE = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? [\w -]+:\d\d:\d\d( \d{4}| GMT)$/

/** @param now Unix milliseconds @returns the wait it asks for, 0 when it says nothing we understand */
export function readRetryAfter(value: string | null, now: Millis): Millis {
  const text = value?.trim() ?? ''
  const wait = /^\d+$/.test(text) ? Number(text) * 1_000 : readDate(text) - now
  return wait > 0 ? Math.min(wait, LONGEST) : 0
}

/** NaN when it is no date. The oldest form (`Fri Jan  2 03:06:05 2026`) names no zone and means GMT. */
const readDate = (text: string): Millis =>
  HTTP_DATE.test(text) ? Date.parse(text.endsWith('GMT') ? text : `${text} GMT`) : NaN
