// The yardstick of a benchmark, a process of its own: undici alone, as many requests at once as it has sockets, for ever.
// Enter: the receiver's origin, and a file with the bodies that Onward sends in the same run. Leave: requests, until SIGTERM.
// Never: Kafka, order, retries or accounting. What it reaches is what nothing built on undici can pass by much.
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { Pool } from 'undici'

const { values } = parseArgs({
  options: {
    origin: { type: 'string', default: '' },
    bodies: { type: 'string', default: '' },
    connections: { type: 'string', default: '100' },
    sockets: { type: 'string', default: '4' },
    call: { type: 'string', default: 'request' },
  },
})
const connections = Number(values.connections)
const socketsEach = Number(values.sockets)

/** One body a line. Buffers, since that is what a forwarder's payload is. */
const bodies = readFileSync(values.bodies, 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => Buffer.from(line))
const instant = '2015-04-17T20:14:34.139959Z'

const headersOf = (count: number): string[] => [
  'Content-Type',
  'application/json',
  'User-Agent',
  'Onward/0.1.0 (+https://onward.example/docs)',
  'X-Request-Id',
  randomUUID(),
  'Idempotency-Key',
  `"p00/r:cases:3:${count}"`,
  'Onward-Attempt',
  '1',
  'Onward-Version',
  String(count),
  'Server-Modified-On',
  instant,
]

type Post = { readonly method: 'POST'; readonly path: string; readonly headers: string[]; readonly body: Buffer }
type Send = (pool: Pool, post: Post) => Promise<void>

/** The documented call. */
const request: Send = async (pool, post) => {
  const { body } = await pool.request(post)
  await body.dump()
}

/** The lowest level there is: no streams, no response object. */
const dispatch: Send = (pool, post) =>
  new Promise((resolve, reject) => {
    pool.dispatch(post, {
      onRequestStart: () => undefined,
      onResponseStart: () => undefined,
      onResponseData: () => undefined,
      onResponseEnd: () => resolve(),
      onResponseError: (_controller, error) => reject(error),
    })
  })

/** A pool a connection, as Onward has: one pool of 400 sockets looks through all of them for each request. */
async function run(pool: Pool, path: string, first: number, send: Send): Promise<never> {
  for (let count = first; ; count += connections * socketsEach) {
    const body = bodies[count % bodies.length]
    if (body === undefined) throw new Error(`No bodies in ${values.bodies}`)
    await send(pool, { method: 'POST', path, headers: headersOf(count), body })
  }
}

process.on('SIGTERM', () => process.exit(0))
const loops: Promise<never>[] = []
for (let connection = 0; connection < connections; connection += 1) {
  const pool = new Pool(values.origin, { connections: socketsEach, pipelining: 1 })
  const path = `/p${String(connection).padStart(2, '0')}`
  for (let socket = 0; socket < socketsEach; socket += 1) {
    loops.push(run(pool, path, connection * socketsEach + socket, values.call === 'dispatch' ? dispatch : request))
  }
}
await Promise.all(loops)
