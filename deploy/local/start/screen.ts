// Where `npm start` writes. Enter: lines. Leave: text on one stream, above whatever progress moves there.
// Never: colour where nobody sees it, or a line wider than the terminal unless it is one to copy.
import { styleText } from 'node:util'
import { openProgress, type Progress } from '../progress.mjs'

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'
export type Paint = (style: Style, text: string) => string

export type Screen = {
  /** Columns to fill; 79 where there is no terminal. */
  readonly width: number
  readonly paint: Paint
  readonly progress: Progress
  line(text?: string): void
  /** A new part of what is told: bold, after an empty line. */
  heading(text: string): void
}

export type ScreenStream = { write(text: string): unknown; readonly isTTY?: boolean; readonly columns?: number }

/** Narrower than this the columns could not stand side by side. */
const NARROWEST = 60
const WITHOUT_TERMINAL = 80

/** @param coloursRefused by NO_COLOR or a terminal without any: then nothing moves either */
export function openScreen(stream: ScreenStream, coloursRefused: boolean): Screen {
  const rich = stream.isTTY === true && !coloursRefused
  // The last column stays free: some terminals wrap as soon as it is written.
  const width = Math.max(NARROWEST, stream.columns ?? WITHOUT_TERMINAL) - 1
  const progress = openProgress({ write: (text) => stream.write(text), isTTY: rich, columns: width + 1 })
  const paint: Paint = (style, text) => (rich ? styleText(style, text, { validateStream: false }) : text)
  return {
    width,
    paint,
    progress,
    line: (text = '') => progress.print(text),
    heading: (text) => progress.print(`\n${paint('bold', text)}`),
  }
}
