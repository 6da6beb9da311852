import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OffsetMap } from '../../../services/forwarder/offset-map.ts'
import { startPosition, type KnownOf } from '../../../services/shared/kafka/start-position.ts'
import { baseAbove, markBase } from '../../../services/shared/kafka/version-base.ts'

const edges = { earliest: 100, latest: 200 }
const position = (known: Partial<KnownOf> & Pick<KnownOf, 'committed'>) =>
  startPosition('cases', 3, { base: 0, cutAt: 0, edges, startFrom: 'latest', ...known })
const from = (offset: number, startFrom: 'earliest' | 'latest' = 'earliest') => {
  const { offset: at, commit, found } = position({ committed: { offset, metadata: '1:' }, startFrom })
  return { at, commit, found }
}

test('a group goes on where it left off, at either end of the log too', () => {
  for (const offset of [100, 150, 200]) {
    assert.deepEqual(from(offset, 'latest'), {
      at: offset,
      commit: { offset, metadata: '1:' },
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
    commit: { offset: 40, metadata: '1:' },
    found: { kind: 'unread-removed', records: 60 },
  })
})

test('a log that ends before the committed offset is read from its start', () => {
  assert.deepEqual(from(201, 'latest'), { at: 100, commit: null, found: { kind: 'log-shorter', readTo: 201 } })
})

test('an empty log has one place to start', () => {
  const empty = position({ committed: { offset: -1, metadata: null }, edges: { earliest: 0, latest: 0 } })
  assert.deepEqual([empty.offset, empty.found], [0, { kind: 'first-start', records: 0 }])
})

// ── versions ──────────────────────────────────────────────────────────────────────────────────────────────────────────

const BASE = baseAbove([0])
const above = (metadata: string | null, offset = 150, base: number | null = BASE, cutAt = 0) => {
  const found = position({ base, committed: { offset, metadata }, cutAt })
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

test('a base above the one that the configuration says goes with its offset: we have not heard of it', () => {
  const raised = baseAbove([BASE])
  assert.deepEqual(above(markBase(raised, '')), { offset: 150, base: raised, kind: 'committed', counts: true })
})

test('a log that was cut is read from its beginning under a higher base: its offsets are given anew', () => {
  const cut = { offset: 100, base: baseAbove([BASE]), kind: 'log-shorter', counts: false }
  assert.deepEqual(above(markBase(BASE, ''), 201), cut)
  assert.deepEqual(above(markBase(BASE, ''), 150, BASE, 201), cut, 'we had read further')
  assert.deepEqual(above(null, -1, BASE, 201), cut)
  assert.deepEqual(above(markBase(BASE, ''), 150, BASE, 200).kind, 'committed')
})

test('it was cut, too, where what was finished above the committed offset is not there', () => {
  const map = new OffsetMap(150, null, BASE)
  const open = map.open(150)
  for (let offset = 151; offset < 205; offset++) map.skip(offset)
  const commit = map.takeCommit(0)
  assert(commit && !open.complete)
  assert.deepEqual(position({ base: BASE, committed: commit }).found, { kind: 'log-shorter', readTo: 205 })
  assert.deepEqual(
    position({ base: null, committed: commit }).found,
    { kind: 'log-shorter', readTo: 205 },
    'of any log',
  )
})

test('a topic without versions has none after a cut', () => {
  const { base, kind } = above('1:', 201, null)
  assert.deepEqual([base, kind], [0, 'log-shorter'])
})
