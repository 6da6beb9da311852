// oidc-provider, with an API behind it that takes its tokens, as a process. Leaves: where both are, and what they were asked.
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { startServer } from './start-server.ts'

type Counts = { readonly tokens: number; readonly requests: number; readonly refused: number }

export async function startOidc(t: TestContext) {
  const started = await startServer(t, process.execPath, [join(import.meta.dirname, 'oidc-server.mjs')])
  const ports = JSON.parse(started.first) as { readonly authority: number; readonly api: number }
  return {
    tokenUrl: `http://127.0.0.1:${ports.authority}/token`,
    api: `http://127.0.0.1:${ports.api}/`,
    counts: async () => JSON.parse(await started.tell('counts')) as Counts,
    revoke: async () => JSON.parse(await started.tell('revoke')) as Counts,
  }
}
