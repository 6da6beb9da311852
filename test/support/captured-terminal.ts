// A terminal that keeps what was written to it.
import type { Terminal } from '../../services/cli/terminal.ts'

export type CapturedTerminal = Terminal & { readonly written: { stdout: string; stderr: string } }

export function capturedTerminal(
  traits: { isTTY?: boolean; colours?: boolean; width?: number } = {},
): CapturedTerminal {
  const written = { stdout: '', stderr: '' }
  return {
    written,
    stdout: (text) => void (written.stdout += text),
    stderr: (text) => void (written.stderr += text),
    drained: () => Promise.resolve(),
    isTTY: traits.isTTY ?? false,
    colours: traits.colours ?? false,
    width: traits.width ?? 80,
  }
}
