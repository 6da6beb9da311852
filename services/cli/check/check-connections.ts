// Can each connection be reached as it is configured? Enter: connections. Leave: findings. No delivery is sent: it looks at secrets,
// files, the address, opens a socket, and asks for a token where one is needed. Never: a secret in a finding.
import type { Connection } from '../../shared/forwarding/connection.ts'
import { jobOf, sampleRepeater } from '../test/try-jobs.ts'
import { tryConnections } from '../try-connections.ts'
import { counted, type Finding } from './finding.ts'

export async function checkConnections(
  connections: readonly Connection[],
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  if (connections.length === 0) return []
  const jobs = connections.map((connection) => jobOf(connection, sampleRepeater(connection), 'look'))
  const tried = await tryConnections(jobs, signal)
  const bad = tried.flatMap(({ id, steps }): readonly Finding[] => {
    const failed = steps.find(({ ok }) => !ok)
    if (!failed) return []
    // It is the forwarder's environment that counts, and this may be another machine.
    const kind = failed.name === 'secrets' ? 'note' : 'bad'
    return [{ kind, about: id, text: `${failed.text} (npx onward test connection ${id} shows each step)` }]
  })
  const good = tried.length - bad.length
  return good === 0
    ? bad
    : [...bad, { kind: 'good', about: 'connections', text: `${counted(good, 'connection')} can be reached` }]
}
