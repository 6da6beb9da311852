import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readLetter, readPlace, renderPlace, sourceOf } from '../../../services/cli/dead-letters/letter.ts'
import { aDeadRecord, aLetter, AT } from './letters.ts'

test('a place is a partition and an offset, and nothing else is', () => {
  assert.deepEqual(readPlace('3:1042'), { partition: 3, offset: 1042 })
  assert.equal(renderPlace({ partition: 3, offset: 1042 }), '3:1042')
  for (const text of ['', '3', '3:', ':3', '3:1:2', '-1:2', '3:1.5', '3: 4', '3:99999999999999999999', 'a:b'])
    assert.equal(readPlace(text), undefined, text)
})

test('a letter says its source record, or that its headers do not', () => {
  assert.deepEqual(sourceOf(aLetter()), { topic: 'cases', partition: 0, offset: 7, base: 0, timestamp: AT })
  for (const headers of [
    { 'onward-source-topic': '' },
    { 'onward-source-partition': '-1' },
    { 'onward-source-offset': '7.5' },
    { 'onward-source-offset': '' },
    { 'onward-source-timestamp': 'now' },
  ])
    assert.equal(sourceOf(aLetter({ headers })), null, JSON.stringify(headers))
})

test('a letter without headers is one that says nothing', () => {
  const letter = readLetter({ ...aDeadRecord(), headers: {} })
  const { repeater, project, connection, reason, status } = letter
  assert.deepEqual([repeater, project, connection, reason, status], [null, null, null, null, null])
  assert.equal(sourceOf(letter), null)
})
