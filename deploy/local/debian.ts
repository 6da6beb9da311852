// Debian's packages, installed where we may. Enter: names. Leave: they are there, or an error with the line to run.
import { spawnSync } from 'node:child_process'
import type { Progress } from './progress.mjs'
import { runInstaller } from './run-installer.mjs'

/** @throws Error with the line to run where it may not install by itself */
export async function installDebian(packages: readonly string[], progress: Progress): Promise<void> {
  if (process.getuid?.() !== 0 || spawnSync('apt-get', ['--version']).status !== 0) {
    const line = `sudo apt-get update && sudo apt-get install -y ${packages.join(' ')}`
    throw new Error(
      `${packages.join(' and ')} is needed. Install it with this line, or its like on your system:\n${line}`,
    )
  }
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  await runInstaller(progress, 'Debian package lists', 'apt-get', ['update'], env)
  await runInstaller(
    progress,
    packages.join(', '),
    'apt-get',
    ['install', '-y', '--no-install-recommends', ...packages],
    env,
  )
}
