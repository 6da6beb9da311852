import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startPosition } from '../../../services/shared/kafka/start-position.ts'
import { baseAbove, baseAfterCut, markBase } from '../../../services/shared/kafka/version-base.ts'

const edges = { earliest: 100, latest: 200 }
const from = (offset: number, startFrom: 'earliest' | 'latest' = 'earliest') => {
  const { offset: at, commit, found } = startPosition('cases', 3, 0, { offset, metadata: '1:map' }, edges, startFrom)
  return { at, commit, found }
}

test('a group goes on where it left off, at either end of the log too', () => {
  for (const offset of [100, 150, 200]) {
    assert.deepEqual(from(offset, 'latest'), {
      at: offset,
      commit: { offset, metadata: '1:map' },
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
    commit: { offset: 40, metadata: '1:map' },
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

// ── versions ──────────────────────────────────────────────────────────────────────────────────────────────────────────

const BASE = baseAbove([0])
const above = (metadata: string | null, offset = 150, base = BASE) => {
  const found = startPosition('cases', 3, base, { offset, metadata }, edges, 'latest')
  return { offset: found.offset, base: found.base, kind: found.found.kind, counts: found.commit !== null }
}
const anew = { offset: 100, base: BASE, kind: 'begun-anew', counts: false }

test('a topic that was made anew is read from its beginning, whatever was committed for the one before', () => {
  assert.deepEqual(above(null, -1), anew)
  assert.deepEqual(above('1:'), anew)
  assert.deepEqual(above('1:AAAA', 250), anew, 'also where that was longer')
  assert.deepEqual(above(markBase(BASE, 'AAAA'), 250, baseAbove([BASE])), { ...anew, base: baseAbove([BASE]) })
})

test('it goes on where it was, and where an operator put it', () => {
  assert.deepEqual(above(markBase(BASE, '')), { offset: 150, base: BASE, kind: 'committed', counts: true })
  assert.deepEqual(above(''), { offset: 150, base: BASE, kind: 'committed', counts: true })
  assert.deepEqual(above('set by hand'), { offset: 150, base: BASE, kind: 'committed', counts: true })
})

test('a base above the one that the configuration says goes with its offset: the log was cut, or we have not heard of it', () => {
  const cut = baseAfterCut(BASE)
  assert.deepEqual(above(markBase(cut, '')), { offset: 150, base: cut, kind: 'committed', counts: true })
})

test('a log that was cut gets a higher base each time, below that of the topic that is made anew after it', () => {
  let base = 0
  for (let cuts = 0; cuts < 10; cuts++) {
    const { base: next, kind } = above(markBase(base, ''), 201, 0)
    assert.equal(kind, 'log-shorter')
    assert.ok(next >= base + 2 ** 40)
    base = next
  }
  assert.ok(base < BASE)
})

test('a topic without versions has none after a cut', () => {
  const { base, found } = startPosition('onward.retry.1m', 3, null, { offset: 201, metadata: '1:' }, edges, 'earliest')
  assert.deepEqual([base, found.kind], [0, 'log-shorter'])
})
