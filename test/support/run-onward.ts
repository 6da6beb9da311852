// The command line as a process of its own, as a person runs it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../services/cli/main.ts', import.meta.url))

export type Ran = { readonly code: number | null; readonly stdout: string; readonly stderr: string }

/** @param onOutput told all output so far, whenever there is more; may interrupt the process */
export function runOnward(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  onOutput: (text: string, interrupt: () => void) => void = () => undefined,
  entry = MAIN,
): Promise<Ran> {
  return startOnward(args, environment, onOutput, entry).ended
}

export type Running = {
  /** What was printed by the time it ended; its code is null when a signal ended it. */
  readonly ended: Promise<Ran>
  readonly kill: (signal: NodeJS.Signals) => void
}

/** The same, for who has something to do with it meanwhile. */
export function startOnward(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  onOutput: (text: string, interrupt: () => void) => void = () => undefined,
  entry = MAIN,
): Running {
  const child = spawn(process.execPath, [entry, ...args], {
    env: { PATH: process.env['PATH'], NODE_OPTIONS: process.env['NODE_OPTIONS'], ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text
      onOutput(output.stdout + output.stderr, () => child.kill('SIGINT'))
    })
  }
  const ended = once(child, 'close').then(() => ({ code: child.exitCode, ...output }))
  return { ended, kill: (signal) => void child.kill(signal) }
}
