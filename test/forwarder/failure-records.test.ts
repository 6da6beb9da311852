import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FailureBook } from '../../services/forwarder/failure-book.ts'
import { writeFailureRecords } from '../../services/forwarder/failure-records.ts'
import { connectionId } from '../../services/shared/ids.ts'
import { ProduceError, type Producer } from '../../services/shared/kafka/producer.ts'
import { readFailureRecord, sampleOf } from '../../services/shared/notices/failure-record.ts'
import { demo } from '../support/changes.ts'
import { manualClock } from '../support/clock.ts'
import { silentLog } from '../support/kafka-ground.ts'

const REMOTE = connectionId(demo, 'remote')

test('one send at a time; what happens meanwhile is told by the next, also after the cluster refused one', async (t) => {
  const clock = manualClock(t)
  const book = new FailureBook('host:1', clock.now(), 35_000)
  const sends: { values: string[]; settle: (error?: Error) => void }[] = []
  const producer: Producer = {
    send: (_topic, records) =>
      new Promise((resolve, reject) => {
        const settle = (error?: Error) => (error ? reject(error) : resolve())
        sends.push({ values: records.map(({ value }) => String(value)), settle })
      }),
    [Symbol.asyncDispose]: async () => undefined,
  }
  const stop = new AbortController()
  const waiting = () => new Map([[REMOTE, 7]])
  const options = { book, producer, topic: 'onward.failures', clock, log: silentLog, waiting }
  const written = writeFailureRecords(options, stop.signal)
  const fail = () =>
    book.failed({
      connection: REMOTE,
      project: demo,
      words: { outcome: 'broken', status: null, text: 'reset', at: clock.now() },
      wait: 120_000,
      sample: () => sampleOf('form', 'f1', 'demo/forms'),
      delivery: {},
      firstFailedAt: null,
    })
  const told = (send: number) => {
    const read = readFailureRecord(Buffer.from(sends[send]?.values[0] ?? ''))
    return read.kind === 'read' ? [read.record.kind, read.record.failed, read.record.waiting] : [read]
  }

  fail()
  await clock.advance(1_000)
  fail()
  await clock.advance(600_000)
  assert.equal(sends.length, 1, 'the brokers are away: nothing more is sent')
  assert.deepEqual(told(0), ['failing', 1, 7])
  sends[0]?.settle(new ProduceError('PRODUCE_REFUSED', 0, 'onward.failures', new Error('no such right')))
  await clock.advance(30_000)
  assert.deepEqual(sends[1]?.values, sends[0]?.values, 'the same record again')
  sends[1]?.settle()
  await clock.advance(1_000)
  assert.deepEqual(told(2), ['streak', 2, 7])
  sends[2]?.settle()
  stop.abort()
  await written
})
