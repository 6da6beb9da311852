// One Java process of the stack: begun under the watchdog, ready when its own check says so, ended at once.
// Enter: a folder, a command line, a check. Leaves: a process that can't outlive this one. Never: a slow goodbye, for its
// data is thrown away with it.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'

export type MemberPlan = {
  /** As in messages: `broker 1`, `registry`. */
  readonly name: string
  /** Its own folder: log and data. Made if missing. */
  readonly folder: string
  readonly command: string
  readonly args: readonly string[]
  readonly workingFolder?: string
  /** Asked again and again; never throws for a server that does not answer yet. */
  isReady(log: () => string): Promise<boolean>
}

export type Member = {
  readonly name: string
  /** Of the Java process itself: what a test stops, continues or kills. Another one after every start. */
  processId(): number
  /** kill -9, awaited. Its data stays, so that `start` continues with it. */
  kill(): Promise<void>
  /** Again, on the same port. */
  start(): Promise<void>
  /** Ended and its folder removed, whatever state it is in. */
  end(): Promise<void>
  /** A running member keeps this process alive until then. */
  unref(): void
}

/** The port was taken between choosing and binding: choose others. */
export class PortTakenError extends Error {
  readonly code = 'PORT_TAKEN'
}

/** Not ready after this: it hangs. A busy machine of two cores needs about ten seconds. */
const READY_WITHIN_MS = 120_000
const LOOK_AGAIN_AFTER_MS = 50
const LOG_LINES_SHOWN = 20
const PORT_TAKEN = /Address already in use|BindException|seems to be in use by another process/

const WATCHDOG = join(import.meta.dirname, 'watchdog.sh')

/** @throws PortTakenError; Error with the end of its log when it does not come up */
export async function startMember(plan: MemberPlan, signal?: AbortSignal): Promise<Member> {
  mkdirSync(plan.folder, { recursive: true })
  let running: Running | undefined
  const start = async () => {
    running = await launch(plan)
    try {
      await becomesReady(plan, running, signal)
    } catch (error) {
      await end(running)
      throw error
    }
  }
  await start()
  return {
    name: plan.name,
    start,
    processId: () => {
      if (!running) throw new Error(`${plan.name} does not run`)
      return running.processId
    },
    kill: async () => {
      if (!running) return
      running.watchdog.ref()
      process.kill(running.processId, 'SIGKILL')
      await running.exited
      running = undefined
    },
    end: async () => {
      if (running) await end(running)
      running = undefined
      rmSync(plan.folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
    },
    unref: () => running?.unref(),
  }
}

type Running = {
  readonly watchdog: ChildProcess
  readonly processId: number
  readonly exited: Promise<unknown>
  hasExited(): boolean
  unref(): void
}

async function launch({ folder, command, args, workingFolder, name }: MemberPlan): Promise<Running> {
  // A session of its own: Ctrl-C at the terminal goes to us alone, and we decide the order of the end.
  const watchdog = spawn('sh', [WATCHDOG, folder, command, ...args], {
    cwd: workingFolder ?? folder,
    detached: true,
    // Its own standard error would only say `Killed` at every end.
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  const exited = once(watchdog, 'exit')
  // A pipe that breaks because the watchdog is gone is told by its exit.
  watchdog.stdin.on('error', () => undefined)
  const [line] = await Promise.race([once(createInterface(watchdog.stdout), 'line'), exited.then(() => [''])])
  const processId = Number(line)
  if (!(processId > 0)) throw new Error(`${name} did not start`)
  return {
    watchdog,
    processId,
    exited,
    hasExited: () => watchdog.exitCode !== null || watchdog.signalCode !== null,
    unref: () => {
      watchdog.unref()
      for (const pipe of [watchdog.stdin, watchdog.stdout]) if (pipe instanceof Socket) pipe.unref()
    },
  }
}

async function becomesReady(plan: MemberPlan, running: Running, signal?: AbortSignal): Promise<void> {
  const log = join(plan.folder, 'log')
  const readLog = () => (existsSync(log) ? readFileSync(log, 'utf8') : '')
  const deadline = performance.now() + READY_WITHIN_MS
  while (!(await plan.isReady(readLog))) {
    signal?.throwIfAborted()
    if (running.hasExited()) {
      const said = readLog()
      if (PORT_TAKEN.test(said)) throw new PortTakenError(`${plan.name}: its port was taken meanwhile`)
      throw new Error(`${plan.name} ended before it was ready. The end of its log:\n${tail(said)}`)
    }
    if (performance.now() > deadline) {
      throw new Error(
        `${plan.name} was not ready after ${READY_WITHIN_MS / 1000} s. The end of its log:\n${tail(readLog())}`,
      )
    }
    await sleep(LOOK_AGAIN_AFTER_MS)
  }
}

/** Closing the pipe is all: the watchdog kills its command and removes the folder. */
async function end({ watchdog, exited }: Running): Promise<void> {
  watchdog.ref()
  watchdog.stdin?.end()
  await exited
}

const tail = (log: string): string => log.trimEnd().split('\n').slice(-LOG_LINES_SHOWN).join('\n')
