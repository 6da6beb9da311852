// One run of a program. Enter: a command and its arguments. Leave: its exit code and what it said. Never: a throw for a bad exit code.
import { spawn } from 'node:child_process'

export type ToolRun = {
  /** null: a signal ended it. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

type Options = {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  /** For its standard input. */
  readonly input?: string
}

/** @throws Error when the program can't be started, or the signal aborts */
export async function runTool(
  command: string,
  args: readonly string[],
  { cwd, env, input }: Options,
  signal: AbortSignal,
): Promise<ToolRun> {
  signal.throwIfAborted()
  const child = spawn(command, args, { cwd, env: env ?? process.env, signal, stdio: ['pipe', 'pipe', 'pipe'] })
  const said = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      said[stream] += text
    })
  }
  // A program that ends before it has read its input is judged by its exit code.
  child.stdin.on('error', () => undefined).end(input ?? '')
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve)
  })
  return { code, ...said }
}

/** All that a program said, without empty lines at its ends. */
export const saidBy = ({ stdout, stderr }: ToolRun): string => `${stdout}\n${stderr}`.trim()
