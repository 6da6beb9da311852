// A server of another maker as a process. Enter: how it is started. Leave: its first line, and answers to what it is told.
// It ends when its standard input does, and with the test at the latest.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'

export type Started = {
  readonly first: string
  /** Writes a line, and resolves with the next one that it says. */
  readonly tell: (line: string) => Promise<string>
}

/** Python imports for seconds on a busy machine. */
const STARTS_WITHIN_MS = 60_000

export async function startServer(t: TestContext, command: string, args: readonly string[]): Promise<Started> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'ignore'] })
  const exited = once(child, 'exit')
  t.after(async () => {
    child.stdin.end()
    await exited
  })
  const lines = createInterface({ input: child.stdout })
  const next = async () => {
    const signal = AbortSignal.timeout(STARTS_WITHIN_MS)
    const [line] = (await Promise.race([
      once(lines, 'line', { signal }),
      exited.then(() => Promise.reject(new Error(`${command} ${args.join(' ')} ended`))),
    ])) as [string]
    return line
  }
  return {
    first: await next(),
    tell: (line) => {
      const answer = next()
      child.stdin.write(`${line}\n`)
      return answer
    },
  }
}
