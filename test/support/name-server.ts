// A real name server on a free port that answers as a script says, and may answer twice differently. `dns.lookup` asks it
// for as long as the test lasts: the machine's own resolver is not ours to set. Servers listen before: they look up, too.
// Enter: names with the addresses of each answer in turn; the last stays. Leave: how often each was asked for.
import { createSocket } from 'node:dgram'
import dns from 'node:dns'
import { once } from 'node:events'
import { syncBuiltinESMExports } from 'node:module'
import type { TestContext } from 'node:test'

export type NameServer = { readonly asked: ReadonlyMap<string, number> }

export async function nameServer(
  t: TestContext,
  names: Readonly<Record<string, readonly (readonly string[])[]>>,
): Promise<NameServer> {
  const asked = new Map<string, number>()
  const socket = createSocket('udp4')
  socket.on('message', (query, from) => {
    const { name, end } = readName(query)
    const count = asked.get(name) ?? 0
    asked.set(name, count + 1)
    const answers = names[name]
    socket.send(answerTo(query, end, answers?.[count] ?? answers?.at(-1) ?? null), from.port, from.address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const resolver = new dns.Resolver()
  resolver.setServers([`127.0.0.1:${socket.address().port}`])
  const ask = (name: string, _options: unknown, done: (error: Error | null, found: dns.LookupAddress[]) => void) =>
    resolver.resolve4(name, (error, addresses) =>
      done(error, error ? [] : addresses.map((address) => ({ address, family: 4 }))),
    )
  t.mock.method(dns, 'lookup', ask)
  syncBuiltinESMExports()
  t.after(async () => {
    t.mock.restoreAll()
    syncBuiltinESMExports()
    resolver.cancel()
    socket.close()
    await once(socket, 'close')
  })
  return { asked }
}

/** RFC 1035, 4.1.2: labels with their lengths; nobody compresses a question. */
function readName(query: Buffer): { name: string; end: number } {
  const labels: string[] = []
  let at = 12
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('ascii', at + 1, at + 1 + length))
    at += length + 1
  }
  return { name: labels.join('.').toLowerCase(), end: at + 5 }
}

function answerTo(query: Buffer, end: number, addresses: readonly string[] | null): Buffer {
  const head = Buffer.from(query.subarray(0, 12))
  head.writeUInt16BE(addresses === null ? 0x8183 : 0x8180, 2)
  head.writeUInt16BE(addresses?.length ?? 0, 6)
  head.writeUInt32BE(0, 8)
  const records = (addresses ?? []).map((address) =>
    Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, ...address.split('.').map(Number)]),
  )
  return Buffer.concat([head, query.subarray(12, end), ...records])
}
