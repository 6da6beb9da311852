// The rival of a benchmark, a process of its own: the forwarder most people would write first.
// Enter: a source topic. Leave: one POST a record, awaited in `eachMessage`, as many partitions at once as there are.
// Never: retries, lanes or isolation: a record that fails holds its partition, as such forwarders do.
import { SchemaRegistry } from '@kafkajs/confluent-schema-registry'
import { Kafka, logLevel } from 'kafkajs'
import { parseArgs } from 'node:util'
import { Pool } from 'undici'

const { values } = parseArgs({
  options: {
    brokers: { type: 'string', default: '' },
    registry: { type: 'string', default: '' },
    topic: { type: 'string', default: '' },
    group: { type: 'string', default: '' },
    partitions: { type: 'string', default: '12' },
    origin: { type: 'string', default: '' },
    sockets: { type: 'string', default: '400' },
  },
})

const registry = values.registry === '' ? null : new SchemaRegistry({ host: values.registry })
const pool = new Pool(values.origin, { connections: Number(values.sockets), pipelining: 1 })
const kafka = new Kafka({ clientId: 'plain', brokers: values.brokers.split(','), logLevel: logLevel.ERROR })
const consumer = kafka.consumer({ groupId: values.group })

/** Avro is decoded and sent as JSON; a value that is JSON already is sent as it is: the least work there can be. */
async function bodyOf(value: Buffer): Promise<Buffer | string> {
  if (registry === null || value[0] !== 0) return value
  const change: unknown = await registry.decode(value)
  return JSON.stringify(change, (_name, field: unknown) => (typeof field === 'bigint' ? Number(field) : field))
}

const stop = async (): Promise<never> => {
  await consumer.disconnect()
  process.exit(0)
}
process.on('SIGTERM', () => void stop().catch(() => process.exit(1)))

await consumer.connect()
await consumer.subscribe({ topic: values.topic, fromBeginning: true })
await consumer.run({
  partitionsConsumedConcurrently: Number(values.partitions),
  eachMessage: async ({ partition, message }) => {
    if (message.value === null) return
    const { statusCode, body } = await pool.request({
      method: 'POST',
      path: '/plain',
      headers: {
        'Content-Type': 'application/json',
        'Idempotency-Key': `"plain:${partition}:${message.offset}"`,
      },
      body: await bodyOf(message.value),
    })
    await body.dump()
    if (statusCode >= 300) throw new Error(`The receiver answered ${statusCode}`)
  },
})
