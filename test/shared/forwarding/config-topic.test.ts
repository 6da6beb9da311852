// The configuration topic of a real broker is read to its end first and followed after.
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { renderConfigRecord } from '../../../services/shared/forwarding/config-record.ts'
import { followConfig, writeConfig } from '../../../services/shared/forwarding/config-topic.ts'
import { Directory } from '../../../services/shared/forwarding/directory.ts'
import { readForwardingFile } from '../../../services/shared/forwarding/forwarding-file.ts'
import { kafkaGround, silentLog } from '../../support/kafka-ground.ts'
import { until } from '../../support/until.ts'

const records = (url: string) => {
  const read = readForwardingFile(`{ project: demo, connections: [{ id: a, url: '${url}' }] }`, 'f.yaml')
  assert.ok(read.kind === 'read')
  return read.connections.map((connection) => renderConfigRecord({ kind: 'connection', connection }))
}

test('what is there is in force when following begins, and what comes later soon after', async (t) => {
  const { kafka, producer, createTopic } = await kafkaGround(t)
  const topic = await createTopic(1, { 'cleanup.policy': 'compact' })
  await writeConfig(producer, topic, [...records('https://one.example'), ...records('https://two.example')])
  const stop = new AbortController()
  t.after(() => stop.abort())
  const directory = new Directory()
  const onRecord = (record: Parameters<Directory['apply']>[0]) => void directory.apply(record)
  await followConfig({ kafka, topic, log: silentLog, signal: stop.signal, onRecord })
  const urls = () => directory.connections().map(({ url }) => url)
  assert.deepEqual(urls(), ['https://two.example'])

  await writeConfig(producer, topic, records('https://three.example'))
  await until('the change is in force', () => urls()[0] === 'https://three.example')
})

test('following an empty topic begins at once', async (t) => {
  const { kafka, createTopic } = await kafkaGround(t)
  const topic = await createTopic(1)
  const stop = new AbortController()
  t.after(() => stop.abort())
  await followConfig({ kafka, topic, log: silentLog, signal: stop.signal, onRecord: () => assert.fail('a record') })
})
