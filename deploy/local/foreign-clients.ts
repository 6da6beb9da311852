// Software of other makers, for the tests that need it: kcat, Apache httpd, Prometheus, and a Python with Confluent's client and servers.
// Enters: nothing. Leave: commands. Never: an installation where they are there already, or outside the cache folder, but
// for Debian packages, and those only as root.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { CACHE } from './paths.ts'
import { installDebian } from './debian.ts'
import { takePidLock } from './pid-lock.mjs'
import type { Progress } from './progress.mjs'
import { pythonEnvironment } from './python.ts'

const environment = pythonEnvironment(join(import.meta.dirname, 'python-requirements.txt'))

/** The Python that has Confluent's client, once installForeignClients has run. */
export const PYTHON = environment.python

/** @throws Error with the line to run where it may not install by itself */
export async function installForeignClients(progress: Progress, signal: AbortSignal): Promise<void> {
  if (missingPrograms().length === 0 && environment.isComplete()) return
  const waits = () =>
    progress.print('  another process installs kcat, Apache httpd, Prometheus and Python packages: waiting for it')
  const release = await takePidLock(join(CACHE, 'foreign-clients.lock'), waits, signal)
  try {
    if (missingPrograms().length > 0) await installDebian(missingPrograms(), progress)
    if (!environment.isComplete()) await environment.install(progress)
  } finally {
    release()
  }
}

/** As Debian calls it. Its package apache2 would start a server; this one is the program alone. */
export const APACHE = '/usr/sbin/apache2'

/** Debian's packages of what is not there. */
const missingPrograms = (): readonly string[] => [
  ...(spawnSync('kcat', ['-V']).status === 0 ? [] : ['kcat']),
  ...(existsSync(APACHE) ? [] : ['apache2-bin']),
  ...(spawnSync('prometheus', ['--version']).status === 0 ? [] : ['prometheus']),
]
