import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startPosition } from '../../../services/shared/kafka/start-position.ts'

const edges = { earliest: 100, latest: 200 }
const from = (offset: number, startFrom: 'earliest' | 'latest' = 'earliest') => {
  const { offset: at, commit, found } = startPosition('cases', 3, 0, { offset, metadata: 'map' }, edges, startFrom)
  return { at, commit, found }
}

test('a group goes on where it left off, at either end of the log too', () => {
  for (const offset of [100, 150, 200]) {
    assert.deepEqual(from(offset, 'latest'), {
      at: offset,
      commit: { offset, metadata: 'map' },
      found: { kind: 'committed' },
    })
  }
})

test('a group without an offset starts at the end that the settings name', () => {
  assert.deepEqual(from(-1, 'earliest'), { at: 100, commit: null, found: { kind: 'first-start', records: 100 } })
  assert.deepEqual(from(-1, 'latest'), { at: 200, commit: null, found: { kind: 'first-start', records: 0 } })
})

test('removed records are counted, and what was committed above them still counts', () => {
  assert.deepEqual(from(40, 'latest'), {
    at: 100,
    commit: { offset: 40, metadata: 'map' },
    found: { kind: 'unread-removed', records: 60 },
  })
})

test('a log that ends before the committed offset is read from its start', () => {
  assert.deepEqual(from(201, 'latest'), { at: 100, commit: null, found: { kind: 'log-shorter', committed: 201 } })
})

test('an empty log has one place to start', () => {
  const empty = startPosition('cases', 0, 0, { offset: -1, metadata: null }, { earliest: 0, latest: 0 }, 'earliest')
  assert.deepEqual([empty.offset, empty.found], [0, { kind: 'first-start', records: 0 }])
})
