// A Python of our own with packages by a list of exact versions. Enters: the list. Leaves: its interpreter in the cache folder.
// Never: a package installed outside of that folder.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { installDebian } from './debian.ts'
import { CACHE } from './paths.ts'
import type { Progress } from './progress.mjs'
import { runInstaller } from './run-installer.mjs'

export type PythonEnvironment = {
  /** Where it lies; programs of its packages too. */
  readonly bin: string
  readonly python: string
  readonly isComplete: () => boolean
  /** Whoever calls it keeps others from doing so at the same time. @throws Error with the line to run where it may not install by itself */
  readonly install: (progress: Progress) => Promise<void>
}

/** @param requirements the path of a requirements file */
export function pythonEnvironment(requirements: string): PythonEnvironment {
  // A folder for each list of versions: a changed list is installed anew.
  const hash = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 12)
  const folder = join(CACHE, `python-${hash}`)
  const bin = join(folder, 'bin')
  const python = join(bin, 'python')
  const complete = join(folder, 'complete')
  return {
    bin,
    python,
    isComplete: () => existsSync(complete),
    install: async (progress) => {
      rmSync(folder, { recursive: true, force: true })
      // Debian has Python without what makes environments; a version manager's Python has it.
      if (spawnSync('python3', ['-c', 'import venv, ensurepip']).status !== 0) {
        await installDebian(['python3-venv'], progress)
      }
      await runInstaller(progress, 'Python environment', 'python3', ['-m', 'venv', folder])
      await pipInstall(progress, 'Python packages', python, ['-r', requirements])
      writeFileSync(complete, '')
    },
  }
}

/** @param python of an environment of ours @param what pip's own words for it */
export async function pipInstall(
  progress: Progress,
  title: string,
  python: string,
  what: readonly string[],
): Promise<void> {
  const quiet = ['--disable-pip-version-check', '--no-input', '--no-cache-dir']
  await runInstaller(progress, title, python, ['-m', 'pip', 'install', ...quiet, ...what])
}
