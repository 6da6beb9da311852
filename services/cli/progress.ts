// How far a long piece of work is: a bar that moves on a terminal, a line now and then elsewhere. Enter: counts.
// Leave: text on standard error. Never: more than ten redraws a second, or a bar in somebody's log file.
import type { Clock, Millis } from '../shared/clock.ts'
import { styled, type Terminal } from './terminal.ts'

export type Progress = {
  /** @param done how many are done by now, of the total */
  advance(done: number): void
  /** Leaves the last state standing and ends the line. */
  finish(done: number): void
}

const REDRAW_EVERY: Millis = 100
/** Elsewhere than on a terminal. */
const LINE_EVERY: Millis = 2_000
const BAR_WIDTH = 30

/** @param noun what is counted, in the plural: `changes` */
export function openProgress(terminal: Terminal, clock: Clock, noun: string, total: number): Progress {
  const startedAt = clock.monotonic()
  let shownAt = startedAt
  let shown = -1

  const show = (done: number, last: boolean) => {
    shown = done
    shownAt = clock.monotonic()
    const seconds = (shownAt - startedAt) / 1_000
    const rate = seconds > 0 ? Math.round(done / seconds) : 0
    const figures = `${group(done)} of ${group(total)} ${noun}, ${group(rate)}/s`
    if (!terminal.isTTY) {
      terminal.stderr(`${figures}\n`)
      return
    }
    const filled = total === 0 ? BAR_WIDTH : Math.floor((BAR_WIDTH * Math.min(done, total)) / total)
    const bar = `${styled(terminal, 'cyan', '█'.repeat(filled))}${styled(terminal, 'dim', '░'.repeat(BAR_WIDTH - filled))}`
    // Carriage return and erase to the end: the line stays one.
    terminal.stderr(
      `\r${terminal.width > BAR_WIDTH + figures.length ? `${bar} ` : ''}${figures}\x1b[K${last ? '\n' : ''}`,
    )
  }
  return {
    advance: (done) => {
      if (clock.monotonic() - shownAt >= (terminal.isTTY ? REDRAW_EVERY : LINE_EVERY)) show(done, false)
    },
    finish: (done) => {
      if (done !== shown || terminal.isTTY) show(done, true)
    },
  }
}

/** 100000 → 100,000, whatever the machine's language. */
const group = (count: number): string => String(count).replace(/\B(?=(\d{3})+$)/g, ',')
