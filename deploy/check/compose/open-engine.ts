// A container engine: the machine's, or one of our own. Enters: nothing. Leaves: how to call it.
// Never: a container of our own engine that outlives this process. What stays of one is what every engine leaves on its machine: the
// package, the bridge docker0, rules of the firewall, packets that are forwarded; and what it keeps in .cache/engine.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { startMember } from '../../local/member.ts'
import { CACHE } from '../../local/paths.ts'
import { takePidLock } from '../../local/pid-lock.mjs'
import type { Progress } from '../../local/progress.mjs'
import { makeRunFolder, sweepRunFolders } from '../../local/run-folder.ts'
import { runTool, saidBy, type ToolRun } from '../run-tool.ts'
import { COMPOSE, DOCKERD } from '../tools/engine-tools.ts'

export type Calls = {
  /** `docker` with these words. */
  readonly docker: (...args: readonly string[]) => Promise<ToolRun>
  /** Docker Compose with these words, in a folder. */
  readonly compose: (folder: string, env: NodeJS.ProcessEnv, ...args: readonly string[]) => Promise<ToolRun>
}

export type Engine = AsyncDisposable &
  Calls & {
    /** False: the machine's, whose images are somebody's. */
    readonly isOwn: boolean
    /** For whatever talks to it. */
    readonly env: NodeJS.ProcessEnv
    /** The same, when all else was aborted: for what has to be ended. */
    readonly lastly: Calls
  }

/** Of what a program said when it failed. */
const LINES_SHOWN = 20

/** @throws Error with what to do where there is none and none can be started */
export async function openEngine(progress: Progress, signal: AbortSignal): Promise<Engine> {
  if (await answers(process.env, signal)) {
    const hasCompose = await succeeds('docker', ['compose', 'version'], process.env, signal)
    if (!hasCompose) await COMPOSE.install(progress, signal)
    const compose = hasCompose ? ['docker', 'compose'] : [COMPOSE.command]
    return engineOf({ env: process.env, isOwn: false, compose, end: async () => undefined }, signal)
  }
  if (process.getuid?.() !== 0) {
    throw new Error(
      'No container engine answers, and only root may start one. Start yours (docker info tells), or run this as root.',
    )
  }
  await DOCKERD.install(progress, signal)
  await COMPOSE.install(progress, signal)
  return startEngine(progress, signal)
}

async function startEngine(progress: Progress, signal: AbortSignal): Promise<Engine> {
  mkdirSync(CACHE, { recursive: true })
  const waits = () => progress.print('  another process uses the container engine in .cache: waiting for it')
  const release = await takePidLock(join(CACHE, 'engine.lock'), waits, signal)
  const step = progress.step('container engine')
  try {
    sweepRunFolders()
    const folder = join(makeRunFolder(), 'engine')
    const socket = `unix://${join(folder, 'socket')}`
    const env = { ...process.env, DOCKER_HOST: socket }
    const member = await startMember(
      {
        name: 'container engine',
        folder,
        // The end of its process namespace is the end of every container, and the end of its mounts.
        command: 'unshare',
        args: [
          ...['--pid', '--fork', '--kill-child', '--mount', '--mount-proc'],
          ...[DOCKERD.command, '--host', socket, '--data-root', join(CACHE, 'engine')],
          ...['--exec-root', join(folder, 'exec'), '--pidfile', join(folder, 'pid'), '--log-level', 'warn'],
        ],
        isReady: () => answers(env, signal),
      },
      signal,
    )
    step.done()
    const end = async () => {
      await member.end()
      release()
    }
    return engineOf({ env, isOwn: true, compose: [COMPOSE.command], end }, signal)
  } catch (error) {
    step.failed()
    release()
    throw error
  }
}

type Found = {
  readonly env: NodeJS.ProcessEnv
  readonly isOwn: boolean
  /** What Docker Compose is called by. */
  readonly compose: readonly string[]
  readonly end: () => Promise<void>
}

function engineOf({ env, isOwn, compose: [command = '', ...words], end }: Found, signal: AbortSignal): Engine {
  const callsUntil = (aborted: AbortSignal): Calls => ({
    docker: (...args) => runTool('docker', args, { env }, aborted),
    compose: (cwd, more, ...args) => runTool(command, [...words, ...args], { cwd, env: { ...env, ...more } }, aborted),
  })
  const lastly = callsUntil(new AbortController().signal)
  return { isOwn, env, lastly, ...callsUntil(signal), [Symbol.asyncDispose]: end }
}

const answers = (env: NodeJS.ProcessEnv, signal: AbortSignal) => succeeds('docker', ['version'], env, signal)

async function succeeds(command: string, args: readonly string[], env: NodeJS.ProcessEnv, signal: AbortSignal) {
  try {
    return (await runTool(command, args, { env }, signal)).code === 0
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false
    throw error
  }
}

/** @returns what it said on standard output @throws Error with all that it said where it failed */
export async function well(run: Promise<ToolRun>): Promise<string> {
  const ran = await run
  if (ran.code !== 0) throw new Error(saidBy(ran).split('\n').slice(-LINES_SHOWN).join('\n'))
  return ran.stdout
}
