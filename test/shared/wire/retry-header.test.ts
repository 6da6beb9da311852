import assert from 'node:assert/strict'
import { test } from 'node:test'
import { repeaterId, projectId } from '../../../services/shared/ids.ts'
import { readRetryHeader, renderRetryHeader } from '../../../services/shared/wire/retry-header.ts'

const good = {
  repeater: repeaterId(projectId('demo'), 'cases'),
  topic: 'cases',
  partition: 3,
  offset: 12,
  timestamp: -1,
  attempts: 1,
  tries: 1,
  firstFailedAt: null,
  dueAt: 1_767_323_045_000,
  reason: 'retry',
  epoch: 1,
  full: true,
} as const

test('a header is read as it was written', () => {
  for (const more of [{}, { run: 'r-1', forced: true }, { key: null }, { key: 'YQ==' }, { timestamp: 9e18 }]) {
    const header = { ...good, ...more }
    const read = readRetryHeader(Buffer.from(renderRetryHeader(header)), 3)
    assert.ok(read.kind === 'read', JSON.stringify(read))
    assert.deepEqual(read.header, { v: 1, ...header })
  }
})

const REFUSED: readonly (readonly [what: string, says: Readonly<Record<string, unknown>>])[] = [
  ['another version', { v: 2 }],
  ['a topic that Kafka cannot have', { topic: 'a\r\nb' }],
  ['a repeater with a line break', { repeater: 'demo/a\nb' }],
  ['a run that HTTP cannot carry', { run: 'a\r\nb' }],
  ['a wait without an end', { dueAt: 1e300 }],
  ['an instant that is no date', { firstFailedAt: 1e300 }],
  ['half an offset', { offset: 1.5 }],
  ['another partition', { partition: 4 }],
]
for (const [what, says] of REFUSED) {
  test(`a header is not believed: ${what}`, () => {
    const read = readRetryHeader(JSON.stringify({ v: 1, ...good, ...says }), 3)
    assert.equal(read.kind, 'malformed')
  })
}

test('a header that is absent, doubled, or without a value is not believed', () => {
  for (const given of [undefined, null, [Buffer.from('{}'), Buffer.from('{}')], '', '7', 'null', '[]'])
    assert.equal(readRetryHeader(given, 3).kind, 'malformed')
})
