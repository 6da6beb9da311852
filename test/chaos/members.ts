// The forwarders of a chaos run: processes that are killed, stopped, ended and started again.
// Enter: an environment for each and a folder. Leave: figures, and what ended by itself, which nothing of a chaos run may.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { whoAsksFrom } from './who-asks-from.ts'

export type Members = {
  readonly counts: { kills: number; stops: number; terms: number; starts: number }
  /** One sentence each. */
  readonly faults: readonly string[]
  /** No more than one process of a name at a time: one that runs stays. */
  start(name: string): void
  signal(name: string, signal: 'SIGSTOP' | 'SIGCONT'): void
  kill(name: string): Promise<void>
  /** SIGTERM, once to each process, awaited. @param brokersAreUp then its exit code must be 0 */
  term(name: string, brokersAreUp: () => boolean): Promise<void>
  runs(name: string): boolean
  /** A metric, summed over those that answer; null while one does not. */
  sum(metric: string): Promise<number | null>
  /** How often lines of an event were logged, by all there ever were, or by those of this name. */
  logged(event: string, name?: string): number
  /** Whose socket has this port of its own; undefined where that cannot be told. */
  whoAsksFrom(port: number): string | undefined
}

const MAIN = fileURLToPath(new URL('../../services/forwarder/main.ts', import.meta.url))
/** A run that is killed takes its members with it. */
const END_WITH_PARENT = new URL('../../deploy/local/end-with-parent.mjs', import.meta.url).href
/** Above the drain of 20 s and what leaving the group takes; then a shutdown hangs. */
const TERM_WITHIN_MS = 60_000
const ASK_WITHIN_MS = 2_000

type Running = {
  readonly child: ChildProcess
  readonly log: string
  readonly exited: Promise<unknown>
  asked: boolean
  killed: boolean
  /** A second SIGTERM would cut short the shutdown that the first began. */
  shutdown?: Promise<void>
}

export function openMembers(
  environmentOf: (name: string) => Readonly<Record<string, string>>,
  folder: string,
): Members {
  const counts = { kills: 0, stops: 0, terms: 0, starts: 0 }
  const faults: string[] = []
  const running = new Map<string, Running>()
  const logs: { readonly name: string; readonly file: string }[] = []
  process.on('exit', () => {
    for (const { child } of running.values()) child.kill('SIGKILL')
  })
  const start = (name: string): void => {
    if (running.has(name)) return
    const log = join(folder, `forwarder-${name}-${++counts.starts}.log`)
    logs.push({ name, file: log })
    const file = openSync(log, 'w')
    const child = spawn(process.execPath, ['--import', END_WITH_PARENT, MAIN], {
      env: { ...process.env, ...environmentOf(name) },
      stdio: ['ignore', file, file],
    })
    closeSync(file)
    const one: Running = { child, log, asked: false, killed: false, exited: once(child, 'exit') }
    running.set(name, one)
    child.once('exit', (code, signal) => {
      if (running.get(name) === one) running.delete(name)
      if (one.asked) return
      faults.push(`a forwarder ended by itself with ${String(code ?? signal)}: the end of ${log}`)
      start(name)
    })
  }
  const shutDown = async (one: Running, brokersAreUp: () => boolean): Promise<void> => {
    counts.terms++
    one.asked = true
    const wereUp = brokersAreUp()
    one.child.kill('SIGTERM')
    const timer = setTimeout(() => {
      faults.push(`a shutdown took longer than ${TERM_WITHIN_MS / 1_000} s: ${one.log}`)
      one.child.kill('SIGKILL')
    }, TERM_WITHIN_MS)
    await one.exited
    clearTimeout(timer)
    const { exitCode, signalCode } = one.child
    // Node itself ends a process that has not yet come to its first line.
    const hadStarted = readFileSync(one.log, 'utf8').includes('"event":"forwarder-started"')
    if (hadStarted && wereUp && brokersAreUp() && exitCode !== 0 && !one.killed) {
      faults.push(`a shutdown ended with ${String(exitCode ?? signalCode)}: the end of ${one.log}`)
    }
  }
  return {
    counts,
    faults,
    start,
    runs: (name) => running.has(name),
    signal(name, signal) {
      if (signal === 'SIGSTOP') counts.stops++
      running.get(name)?.child.kill(signal)
    },
    async kill(name) {
      const one = running.get(name)
      if (!one) return
      counts.kills++
      one.asked = true
      one.killed = true
      one.child.kill('SIGKILL')
      await one.exited
    },
    async term(name, brokersAreUp) {
      const one = running.get(name)
      if (one) await (one.shutdown ??= shutDown(one, brokersAreUp))
    },
    async sum(metric) {
      let sum = 0
      for (const { log } of running.values()) {
        const port = /"event":"forwarder-started".*?"port":(\d+)/.exec(readFileSync(log, 'utf8'))?.[1]
        if (port === undefined) return null
        try {
          const answer = await fetch(`http://127.0.0.1:${port}/metrics`, { signal: AbortSignal.timeout(ASK_WITHIN_MS) })
          for (const line of (await answer.text()).split('\n'))
            if (line.startsWith(`${metric}{`) || line.startsWith(`${metric} `)) sum += Number(line.split(' ').at(-1))
        } catch {
          return null
        }
      }
      return sum
    },
    logged: (event, name) =>
      logs
        .filter((log) => name === undefined || log.name === name)
        .reduce((sum, { file }) => sum + readFileSync(file, 'utf8').split(`"event":"${event}"`).length - 1, 0),
    whoAsksFrom(port) {
      const byProcess = new Map([...running].map(([name, { child }]) => [child.pid ?? 0, name]))
      const processId = whoAsksFrom(port, [...byProcess.keys()])
      return processId === undefined ? undefined : byProcess.get(processId)
    },
  }
}
