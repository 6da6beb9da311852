// The remote API written in Python, as a process. Enters: nothing. Leave: its address, and the requests as it got them.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'
import { PYTHON } from '../../deploy/local/foreign-clients.ts'
import { until } from '../support/until.ts'

export type Received = {
  readonly method: string
  /** With its query, as it came. */
  readonly path: string
  /** As they came, in their order. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: Buffer
}

export type PythonReceiver = {
  /** `127.0.0.1:port` */
  readonly host: string
  readonly requests: readonly Received[]
  /** Resolves with all requests so far, once there are so many. */
  received(count: number): Promise<readonly Received[]>
}

/** A forwarder's start, schema and first connection are in it, on a busy machine. */
const ARRIVES_WITHIN_MS = 30_000

type Told = {
  readonly port?: number
  readonly method: string
  readonly path: string
  readonly headers: readonly (readonly [string, string])[]
  readonly body: string
}

export async function pythonReceiver(t: TestContext): Promise<PythonReceiver> {
  const child = spawn(PYTHON, [join(import.meta.dirname, 'receiver.py')], { stdio: ['pipe', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  t.after(async () => {
    child.stdin.end()
    await exited
  })
  let port = 0
  const requests: Received[] = []
  createInterface({ input: child.stdout }).on('line', (line) => {
    const told = JSON.parse(line) as Told
    if (told.port !== undefined) port = told.port
    else requests.push({ ...told, body: Buffer.from(told.body, 'base64') })
  })
  await until('the Python receiver listens', () => port > 0)
  return {
    host: `127.0.0.1:${port}`,
    requests,
    received: async (count) => {
      await until(`${count} requests reach the Python receiver`, () => requests.length >= count, ARRIVES_WITHIN_MS)
      return [...requests]
    },
  }
}
