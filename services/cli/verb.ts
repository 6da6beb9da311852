// A verb of the command line: one file each, exported as `verb`. Enter: the arguments after the verb's name.
// Leave: an exit code. Never: process.exit, process.env or a write that does not go through the terminal.
import type { Terminal } from './terminal.ts'

export type Verb = {
  readonly name: string
  /** One line for `onward --help`. */
  readonly summary: string
  /** Usage, options, exit codes and at least two examples: what `onward <verb> --help` prints. */
  readonly help: string
  /** What may be done with it, where its first argument says: `onward dead-letters list`. Each has a help of its own. */
  readonly parts?: readonly Verb[]
  /** @throws UsageError (arguments.ts) or ClusterError (cluster.ts): main prints the message and picks the exit code */
  run(args: readonly string[], terminal: Terminal, signal: AbortSignal): Promise<number>
}

/** What scripts may rely on, for every verb. A verb's help lists those it adds. */
export const EXIT = {
  done: 0,
  /** What was asked for was refused or is not so: an invalid file, a missing topic. */
  failed: 1,
  usage: 2,
  unreachable: 3,
  /** A dry run: something would be done. */
  wouldChange: 10,
  /** Ctrl-C: 128 + SIGINT. */
  interrupted: 130,
} as const
