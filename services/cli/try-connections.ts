// Tries connections by the forwarder's own rooms, in a process of its own: services never import each other, and what is
// tried must be what the forwarder does. Enter: jobs. Leave: what each found. Never: a secret on that process's command line.
import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import type { Tried, TryJob } from '../shared/connection-try.ts'

const TRY = fileURLToPath(new URL('../forwarder/try-connection.ts', import.meta.url))

class TryError extends Error {
  override readonly name = 'TryError'
  readonly code = 'TRY_FAILED'
}

/** @throws TryError with what the process said, when it says nothing that can be read */
export async function tryConnections(jobs: readonly TryJob[], signal: AbortSignal): Promise<readonly Tried[]> {
  const child = spawn(process.execPath, [TRY], { stdio: ['pipe', 'pipe', 'pipe'], signal })
  const ended = new Promise<void>((resolve, reject) => child.on('error', reject).on('close', () => resolve()))
  child.stdin.on('error', () => undefined)
  child.stdin.end(JSON.stringify(jobs))
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr), ended])
  try {
    return JSON.parse(output) as readonly Tried[]
  } catch {
    throw new TryError(errors.trim() === '' ? 'the try ended without a word' : errors.trim())
  }
}
