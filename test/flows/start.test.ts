// A start that waits for brokers ends when it is asked to, whatever keeps it waiting.
import assert from 'node:assert/strict'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { spawnForwarder } from '../support/forwarder-process.ts'
import { until } from '../support/until.ts'

/** Takes connections and never says a word; closed, nobody listens at its port. */
async function silentBroker(t: TestContext) {
  const sockets: Socket[] = []
  const server = createServer((socket) => sockets.push(socket.on('error', () => undefined)))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const close = async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  }
  t.after(close)
  return { address: `127.0.0.1:${port}`, sockets, close }
}

/** Far below what kafkajs waits for an answer, and above what a busy machine needs to end a process. */
const ENDS_WITHIN_MS = 10_000

test('a start whose brokers are away ends at the first SIGTERM with exit code 0', async (t) => {
  const broker = await silentBroker(t)
  await broker.close()
  const forwarder = await spawnForwarder(t, { KAFKA_BROKERS: broker.address, ONWARD_HTTP_PORT: '0' })
  await forwarder.line(({ event }) => event === 'kafka-client-warned')
  assert.equal(await withinDeadline(forwarder.stop('SIGTERM')), 0)
  await forwarder.line(({ event, signal }) => event === 'start-given-up' && signal === 'SIGTERM')
})

test('a start whose broker takes the connection and stays silent ends at the first SIGTERM with exit code 0', async (t) => {
  const broker = await silentBroker(t)
  const forwarder = await spawnForwarder(t, { KAFKA_BROKERS: broker.address, ONWARD_HTTP_PORT: '0' })
  await until('it connected', () => broker.sockets.length > 0)
  assert.equal(await withinDeadline(forwarder.stop('SIGTERM')), 0)
  await forwarder.line(({ event, signal }) => event === 'start-given-up' && signal === 'SIGTERM')
})

async function withinDeadline<Value>(promise: Promise<Value>): Promise<Value> {
  let done = false
  const value = promise.finally(() => (done = true))
  await until('it ended', () => done, ENDS_WITHIN_MS)
  return value
}
