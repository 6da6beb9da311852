// Where a verb writes. Enter: text. Leave: bytes on standard output (what was asked for) or standard error (everything else).
// Never: colour where nobody sees it (NO_COLOR is honoured).
import { styleText } from 'node:util'

export type Terminal = {
  stdout(text: string): void
  stderr(text: string): void
  /** Resolves when standard output took what was written: who writes much waits for it, so that it does not lie in memory. */
  drained(): Promise<void>
  /** A person looks at both streams. */
  readonly isTTY: boolean
  readonly colours: boolean
  /** Columns; 80 where there is no terminal. */
  readonly width: number
}

type OutputStream = {
  write(text: string, written?: () => void): unknown
  readonly isTTY?: boolean
  readonly columns?: number
}

const USUAL_WIDTH = 80

/** @param environment where NO_COLOR and TERM are looked up */
export function openTerminal(
  stdout: OutputStream,
  stderr: OutputStream,
  environment: Readonly<Record<string, string | undefined>>,
): Terminal {
  const isTTY = stdout.isTTY === true && stderr.isTTY === true
  // https://no-color.org: any value but the empty one.
  const refused = (environment['NO_COLOR'] ?? '') !== '' || environment['TERM'] === 'dumb'
  return {
    stdout: (text) => void stdout.write(text),
    stderr: (text) => void stderr.write(text),
    drained: () => new Promise((resolve) => void stdout.write('', () => resolve())),
    isTTY,
    colours: isTTY && !refused,
    // A terminal that was never told its size says 0.
    width: stdout.columns || USUAL_WIDTH,
  }
}

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'

/** The text in a style where the terminal shows colours, else the text as it is. */
export const styled = (terminal: Terminal, style: Style, text: string): string =>
  terminal.colours ? styleText(style, text, { validateStream: false }) : text
