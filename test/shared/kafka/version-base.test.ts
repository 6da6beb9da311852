import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  baseAbove,
  isBase,
  LONGEST_MARK,
  markBase,
  readMark,
  versionOf,
} from '../../../services/shared/kafka/version-base.ts'

/** No log of changes is as long. */
const LONGEST_LOG = 10 ** 13

test('a hundred times a base above the last, and no version falls, and each fits beside two bits', () => {
  let base = 0
  for (let times = 0; times < 126; times++) {
    const next = baseAbove([base, 0])
    assert.ok(next > versionOf({ base, offset: LONGEST_LOG }))
    assert.ok(isBase(next), `${times}`)
    base = next
  }
  assert.ok(versionOf({ base, offset: LONGEST_LOG }) * 4 < Number.MAX_SAFE_INTEGER)
  assert.ok(!isBase(baseAbove([baseAbove([base])])), 'and no further')
})

test('a commit says its base, and one that is not ours says none', () => {
  for (const base of [0, baseAbove([0]), 126 * baseAbove([0])]) {
    const mark = markBase(base, 'AAAA')
    assert.deepEqual(readMark(mark), { base, map: 'AAAA' })
    assert.ok(mark.length - 4 <= LONGEST_MARK)
    assert.deepEqual(readMark(markBase(base, '')), { base, map: '' })
  }
  for (const other of [null, '', 'by hand', '2:', '2:1', '2:-1:', '2:9999999999999999:', '3:1:AAAA'])
    assert.equal(readMark(other), null, String(other))
})
