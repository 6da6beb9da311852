// The Python that `npm run check:deploy` has programs of. Enters: nothing. Leaves: its environment, complete.
import { join } from 'node:path'
import { CACHE } from '../../local/paths.ts'
import { takePidLock } from '../../local/pid-lock.mjs'
import type { Progress } from '../../local/progress.mjs'
import { pythonEnvironment } from '../../local/python.ts'

export const CHECK_PYTHON = pythonEnvironment(join(import.meta.dirname, '..', 'python-requirements.txt'))

/** @throws Error with the line to run where it may not install by itself */
export async function installCheckPython(progress: Progress, signal: AbortSignal): Promise<void> {
  if (CHECK_PYTHON.isComplete()) return
  const waits = () => progress.print('  another process installs Python packages: waiting for it')
  const release = await takePidLock(join(CACHE, 'check-python.lock'), waits, signal)
  try {
    if (!CHECK_PYTHON.isComplete()) await CHECK_PYTHON.install(progress)
  } finally {
    release()
  }
}
