// Starts one of Onward's processes, as an operator would: its main file, its settings in the environment.
// Enter: a file and arguments. Leave: the process. Never: one that outlives this process, or that Ctrl-C reaches before us.
import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pathToFileURL } from 'node:url'
import type { Environment } from '../../../services/shared/settings.ts'
import { REPOSITORY } from '../paths.ts'

export type Child = ChildProcessByStdio<null, Readable, Readable>

const END_WITH_PARENT = pathToFileURL(join(import.meta.dirname, '..', 'end-with-parent.mjs')).href

/** @param file from the repository's folder: `services/cli/main.ts` */
export function startChild(file: string, args: readonly string[], env: Environment): Child {
  return spawn(process.execPath, ['--import', END_WITH_PARENT, join(REPOSITORY, file), ...args], {
    cwd: REPOSITORY,
    env: { ...env },
    // A session of its own: Ctrl-C at the terminal goes to us alone, and we decide the order of the end.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}
