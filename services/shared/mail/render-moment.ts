// Instants and durations as a person reads them in a mail. Pure. Always with the zone: a mail is read anywhere.
import type { Millis } from '../clock.ts'

/** `2026-11-25 22:12:04 UTC`. */
export const renderMoment = (at: Millis): string => `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC`

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const

/** The two largest units: `1 h 5 min`, `40 s`. */
export function renderSpan(span: Millis): string {
  const parts: string[] = []
  let rest = Math.max(0, span)
  for (const [unit, millis] of UNITS) {
    const count = Math.floor(rest / millis)
    rest -= count * millis
    if (count > 0 && parts.length < 2) parts.push(`${count} ${unit}`)
    else if (parts.length > 0) break
  }
  return parts.length === 0 ? 'less than a second' : parts.join(' ')
}
