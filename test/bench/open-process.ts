// Starts one system of a benchmark in a process of its own. Leaves its id and a way to end it; never talks to it otherwise.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'

export type OpenProcess = AsyncDisposable & {
  readonly pid: number
  /** The first line of its standard output, asked for at once after the start. */
  firstLine(): Promise<string>
  /** It stands still, with all it has open, until it is resumed. */
  pause(): void
  resume(): void
  /** Null while it runs; else how it ended, with the last of what it said. */
  ended(): string | null
}

/** Longer than a forwarder's own drain, so that a clean exit writes its profile; then it is killed. */
const STOP_WITHIN_MS = 30_000
/** What is kept of a process's words, to be shown when it fails. */
const WORDS_LIMIT = 4_000

export function openProcess(
  file: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  nodeOptions: readonly string[] = [],
): OpenProcess {
  const child = spawn(process.execPath, [...nodeOptions, file, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  })
  running.add(child)
  let words = ''
  let ended: string | null = null
  const hear = (chunk: string) => {
    words = (words + chunk).slice(-WORDS_LIMIT)
  }
  child.stdout.setEncoding('utf8').on('data', hear)
  child.stderr.setEncoding('utf8').on('data', hear)
  const closed = new Promise<void>((resolve) => {
    child.once('close', (code, signal) => {
      running.delete(child)
      ended = `${file} ended with ${signal ?? code ?? 'nothing'}\n${words}`
      resolve()
    })
    child.once('error', (error) => {
      ended = `${file} did not start: ${error.message}`
      resolve()
    })
  })
  const resume = () => child.kill('SIGCONT')
  return {
    pid: child.pid ?? 0,
    // Only who asks pays for splitting lines: a forwarder writes thousands a second.
    firstLine: async () => {
      const lines = createInterface({ input: child.stdout })
      const [line] = (await Promise.race([once(lines, 'line'), closed.then(() => [null])])) as [string | null]
      if (line === null) throw new Error(ended ?? `${file} said nothing`)
      return line
    },
    pause: () => child.kill('SIGSTOP'),
    resume,
    ended: () => ended,
    async [Symbol.asyncDispose]() {
      // One that stands still hears nothing.
      resume()
      child.kill('SIGTERM')
      await Promise.race([closed, sleep(STOP_WITHIN_MS, undefined, { ref: false })])
      if (ended === null) child.kill('SIGKILL')
      await closed
    },
  }
}

const running = new Set<ChildProcess>()
// However the benchmark ends, none of its systems goes on loading the machine.
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')))
