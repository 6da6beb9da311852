// The receiver's process, and its counters as values.
import { fileURLToPath } from 'node:url'
import type { BookFigures } from './case-book.ts'
import type { LatencyFigures } from './latencies.ts'
import { openProcess } from './open-process.ts'
import type { RefusalFigures } from './refusal-book.ts'
import type { Errand } from './troubles.ts'

export type ReceiverFigures = BookFigures & {
  readonly requests: number
  /** Of `settled`, what arrived at paths that answer as they should. */
  readonly wellSettled: number
  readonly refusals: RefusalFigures
  /** Of changes that say when they were published, from then to their request. */
  readonly latency: LatencyFigures
  readonly mostSockets: number
  /** Milliseconds from the first request to the newest answer; 0 before any. */
  readonly span: number
}

export type Receiver = AsyncDisposable & {
  readonly origin: string
  readonly pid: number
  figures(): Promise<ReceiverFigures>
  /** Counts from 0, and answers as the errand says. */
  begin(errand: Errand): Promise<void>
  /** What follows is measured: what came before was warming up. */
  forgetLatencies(): Promise<void>
}

/** @param latency milliseconds until a request is answered @param hangFor the same at paths that hang */
export async function openReceiver(latency: number, hangFor: number): Promise<Receiver> {
  const file = fileURLToPath(new URL('receiver.ts', import.meta.url))
  const child = openProcess(file, ['--latency', String(latency), '--hang-for', String(hangFor)])
  const { port, controlPort } = JSON.parse(await child.firstLine()) as { port: number; controlPort: number }
  const control = `http://127.0.0.1:${controlPort}`
  const post = async (path: string, body: unknown) => {
    await (await fetch(`${control}${path}`, { method: 'POST', body: JSON.stringify(body) })).arrayBuffer()
  }
  return {
    origin: `http://127.0.0.1:${port}`,
    pid: child.pid,
    figures: async () => (await (await fetch(control)).json()) as ReceiverFigures,
    begin: (errand) => post('/', errand),
    forgetLatencies: () => post('/forget-latencies', {}),
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  }
}
