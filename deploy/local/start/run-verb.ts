// Runs `onward <verb>` as a process. Enter: its arguments and settings. Leave: what it said, or a VerbError with its words.
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import type { Environment } from '../../../services/shared/settings.ts'
import { startChild } from './child.ts'

class VerbError extends Error {
  override readonly name = 'VerbError'
  readonly code = 'VERB_FAILED'
}

/** @returns its standard output @throws VerbError; the signal's reason when it aborts */
export async function runVerb(args: readonly string[], env: Environment, signal: AbortSignal): Promise<string> {
  signal.throwIfAborted()
  const child = startChild('services/cli/main.ts', args, env)
  const end = () => child.kill('SIGTERM')
  signal.addEventListener('abort', end, { once: true })
  try {
    const closed = once(child, 'close')
    const [said, complained] = await Promise.all([text(child.stdout), text(child.stderr)])
    await closed
    signal.throwIfAborted()
    if (child.exitCode === 0) return said
    throw new VerbError(
      `npx onward ${args.join(' ')} ended with ${String(child.exitCode)}:\n${(complained + said).trimEnd()}`,
    )
  } finally {
    signal.removeEventListener('abort', end)
  }
}
