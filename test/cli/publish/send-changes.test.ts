import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeKey } from '../../../services/cli/publish/change-key.ts'
import { generateLoad } from '../../../services/cli/publish/generate-load.ts'
import { encodeJson } from '../../../services/cli/publish/open-encoder.ts'
import { sendChanges } from '../../../services/cli/publish/send-changes.ts'
import type { Change } from '../../../services/shared/change.ts'
import type { ProducerRecord } from '../../../services/shared/kafka/producer.ts'
import { manualClock } from '../../support/clock.ts'

const load = (count: number): Change[] =>
  Array.from(
    generateLoad({ kind: 'cases', count, cases: 10, projects: ['demo'], zipf: null, size: 1, seed: 1 }),
    ({ change }) => change,
  )

test('no send begins before the one before it is acknowledged, and all changes go in their order', async (t) => {
  let open = 0
  const keys: unknown[] = []
  const send = async (records: readonly ProducerRecord[]) => {
    assert.equal(open++, 0)
    await Promise.resolve()
    keys.push(...records.map(({ key }) => key))
    open--
  }
  const sending = { send, encode: encodeJson, perSecond: null, onSent: () => undefined }
  const sent = await sendChanges(load(7_000), sending, manualClock(t), t.signal)
  assert.equal(sent, 7_000)
  assert.deepEqual(keys, load(7_000).map(changeKey))
})

test('at a rate, what is sent keeps to it', async (t) => {
  const clock = manualClock(t)
  let sent = 0
  const send = async (records: readonly ProducerRecord[]) => void (sent += records.length)
  const sending = { send, encode: encodeJson, perSecond: 500, onSent: () => undefined }
  const all = sendChanges(load(1_500), sending, clock, t.signal)
  for (const second of [1, 2]) {
    await clock.advance(1_000)
    assert.ok(Math.abs(sent - second * 500) <= 20, `${sent} after ${second} s`)
  }
  await clock.advance(1_100)
  assert.equal(await all, 1_500)
})

test('a slow rate sends one at a time and ends', async (t) => {
  const clock = manualClock(t)
  const sizes: number[] = []
  const send = async (records: readonly ProducerRecord[]) => void sizes.push(records.length)
  const all = sendChanges(load(3), { send, encode: encodeJson, perSecond: 2, onSent: () => undefined }, clock, t.signal)
  await clock.advance(3_000)
  assert.equal(await all, 3)
  assert.deepEqual(sizes, [1, 1, 1])
})

test('an interrupted load says how much was acknowledged', async (t) => {
  const interrupted = new AbortController()
  const send = async () => interrupted.abort()
  const sending = { send, encode: encodeJson, perSecond: null, onSent: () => undefined }
  const sent = await sendChanges(load(100_000), sending, manualClock(t), interrupted.signal)
  assert.ok(sent > 0 && sent < 100_000)
})

test('a refused send ends the load with its error', async (t) => {
  const sending = {
    send: () => Promise.reject(new Error('refused')),
    encode: encodeJson,
    perSecond: null,
    onSent: () => undefined,
  }
  await assert.rejects(sendChanges(load(5_000), sending, manualClock(t), t.signal), /refused/)
})
