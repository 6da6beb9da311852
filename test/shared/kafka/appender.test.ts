import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import kafkajs from 'kafkajs'
import { openAppender } from '../../../services/shared/kafka/appender.ts'
import { kafkaGround } from '../../support/kafka-ground.ts'

/** What the wire says a produce request is. */
const PRODUCE = 0

type Sent = { readonly request: { readonly apiKey: number } }
type Prototype = { send: (this: unknown, sent: Sent) => Promise<unknown> }

test('an append whose answer is lost is told as unknown, and lies in the log once: the client repeats nothing', async (t) => {
  const ground = await kafkaGround(t)
  const topic = await ground.createTopic(1)
  const appender = await openAppender(ground.kafka)
  t.after(() => appender[Symbol.asyncDispose]())
  const require = createRequire(import.meta.url)
  const { prototype } = require('kafkajs/src/network/connection') as { readonly prototype: Prototype }
  const { send } = prototype
  let lost = 0
  t.after(() => void (prototype.send = send))
  prototype.send = async function (sent) {
    const answer = await send.call(this, sent)
    if (sent.request.apiKey !== PRODUCE || lost > 0) return answer
    lost++
    // The broker took it; whoever asked hears that the connection broke.
    throw new kafkajs.KafkaJSConnectionError('Closed connection')
  }
  const appended = await appender.append(topic, [{ partition: 0, key: 'c1', value: 'a' }])
  assert.equal(lost, 1)
  assert.equal(appended.kind, 'unknown')
  const next = await appender.append(topic, [{ partition: 0, key: 'c1', value: 'b' }])
  assert.deepEqual(next, { kind: 'appended', count: 1, ends: new Map([[0, 2]]) })
})
