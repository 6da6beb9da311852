// What a receiver writes down of every request, and the judgement over it: nothing missing, nothing out of order.
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'

export type Arrival = {
  readonly version: number
  readonly attempt: number
  /** `performance.now()` */ readonly at: number
}

export type OrderBook = {
  readonly origin: string
  /** Requests so far. */
  readonly count: () => number
  /** Arrivals of a path and a case (`<partition>:<case>`), in their order. */
  readonly lanes: ReadonlyMap<string, readonly Arrival[]>
  /** Resolves when the book holds what the test waits for. @throws after `within` milliseconds */
  until(holds: () => boolean, within: number): Promise<void>
  /** Requests that repeat an earlier version of their lane. */
  duplicates(path: string): number
}

/**
 * @param latency milliseconds before the answer, for each request
 * @param caseOf what tells the case of a request, from its body
 */
export async function openOrderBook(
  t: TestContext,
  latency: () => number,
  caseOf: (body: string) => string,
): Promise<OrderBook> {
  const lanes = new Map<string, Arrival[]>()
  let count = 0
  const note = (request: IncomingMessage, body: string) => {
    count++
    const lane = `${String(request.url)} ${caseOf(body)}`
    const arrivals = lanes.get(lane)
    const arrival = {
      version: Number(request.headers['onward-version']),
      attempt: Number(request.headers['onward-attempt']),
      at: performance.now(),
    }
    if (arrivals) arrivals.push(arrival)
    else lanes.set(lane, [arrival])
  }
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      // Written down on arrival: a sender that dies before the answer has still been heard.
      note(request, Buffer.concat(chunks).toString('utf8'))
      setTimeout(() => response.writeHead(200, { 'Content-Length': '0' }).end(), latency())
    })
  })
  server.keepAliveTimeout = 60_000
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    count: () => count,
    lanes,
    async until(holds, within) {
      const end = performance.now() + within
      while (!holds()) {
        if (performance.now() > end) throw new Error(`not within ${within} ms; ${count} requests so far`)
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    },
    duplicates(path) {
      let repeated = 0
      for (const [lane, arrivals] of lanes) {
        if (lane.startsWith(`${path} `))
          repeated += arrivals.length - new Set(arrivals.map(({ version }) => version)).size
      }
      return repeated
    },
  }
}

/** First occurrences, in the order of arrival. */
export const firstOccurrences = (arrivals: readonly Arrival[]): readonly number[] => [
  ...new Set(arrivals.map(({ version }) => version)),
]

export const risesStrictly = (versions: readonly number[]): boolean =>
  versions.every((version, index) => index === 0 || version > (versions[index - 1] ?? Infinity))
