// The temporary folder of one running stack, named after the process that owns it.
// Enters: nothing. Leaves: a new folder; gone are those whose owners died. Never: a process or folder of a living owner.
import { mkdtempSync, existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { isLiving, ownIdentity } from './living-process.mjs'

/** The host's name is in it since containers may share a temporary folder, and can't see each other's processes. */
const PREFIX = `onward-local-${hostname().replaceAll(/[^A-Za-z0-9]/g, '_')}-`
const NAME = new RegExp(`^${PREFIX}(\\d+-\\d+)-\\w+$`)

export const makeRunFolder = (): string => mkdtempSync(join(tmpdir(), `${PREFIX}${ownIdentity}-`))

/** The watchdogs end everything with its owner; this is for what is left when a watchdog was killed too. */
export function sweepRunFolders(): void {
  for (const name of readdirSync(tmpdir())) {
    const identity = NAME.exec(name)?.[1]
    if (identity === undefined || isLiving(identity)) continue
    const folder = join(tmpdir(), name)
    try {
      if (statSync(folder).uid !== process.getuid?.()) continue
      for (const processId of processesNaming(folder)) process.kill(processId, 'SIGKILL')
      rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
    } catch {
      // Somebody else sweeps it at the same time, or the process ended by itself: gone is what was wanted.
    }
  }
}

/** A process is ours to end only if the folder, whose name nobody else can have, stands in its command line. */
function processesNaming(folder: string): number[] {
  return commandLines()
    .filter(({ processId, text }) => processId !== process.pid && text.includes(folder))
    .map(({ processId }) => processId)
}

function commandLines(): { readonly processId: number; readonly text: string }[] {
  if (!existsSync('/proc/self/cmdline')) {
    return execFileSync('ps', ['-axww', '-o', 'pid=,command='], { encoding: 'utf8' })
      .split('\n')
      .map((line) => ({ processId: Number.parseInt(line, 10), text: line }))
  }
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        return [{ processId: Number(name), text: readFileSync(`/proc/${name}/cmdline`, 'utf8') }]
      } catch {
        return []
      }
    })
}
