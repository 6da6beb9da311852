// mailpit, a mail server that shows what it took: for the tests with real servers. Built by Go from its own source, once; where the
// machine has no Go that is recent enough, by one that pip installs. Enter: the Python of foreign-clients.ts. Leave: its path in
// .cache. Never: an install outside that folder.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { PYTHON } from './foreign-clients.ts'
import { findGo } from './go.ts'
import { CACHE } from './paths.ts'
import { takePidLock } from './pid-lock.mjs'
import type { Progress } from './progress.mjs'
import { runInstaller } from './run-installer.mjs'

const VERSION = 'v1.27.11'
const FOLDER = join(CACHE, `mailpit-${VERSION}`)

export const MAILPIT = join(FOLDER, 'mailpit')

export async function installMailServer(progress: Progress, signal: AbortSignal): Promise<void> {
  if (existsSync(MAILPIT)) return
  const waits = () => progress.print('  another process builds mailpit: waiting for it')
  const release = await takePidLock(join(CACHE, 'mailpit.lock'), waits, signal)
  try {
    const env = { ...process.env, GOBIN: FOLDER, GOFLAGS: '-mod=mod' }
    if (!existsSync(MAILPIT)) {
      const go = await findGo(progress, PYTHON)
      await runInstaller(progress, 'mailpit', go, ['install', `github.com/axllent/mailpit@${VERSION}`], env)
    }
  } finally {
    release()
  }
}
