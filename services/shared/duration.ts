// Durations as people write them: `250ms`, `30s`, `5m`, `2h`, `3d`.
import type { Millis } from './clock.ts'

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const SHAPE = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/

/** @returns milliseconds, or undefined when the text is not a duration */
export function readDuration(text: string): Millis | undefined {
  const match = SHAPE.exec(text.trim())
  if (!match) return undefined
  const unit = match[2] as keyof typeof UNITS
  return Math.round(Number(match[1]) * UNITS[unit])
}

/** The largest unit that divides the duration: 90000 is `90s`, 120000 is `2m`. */
export function renderDuration(duration: Millis): string {
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    if (duration > 0 && duration % UNITS[unit] === 0) return `${duration / UNITS[unit]}${unit}`
  }
  return `${duration}ms`
}
