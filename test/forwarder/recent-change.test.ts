import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SourceRecord } from '../../services/forwarder/delivery.ts'
import { RecentChange } from '../../services/forwarder/recent-change.ts'
import { caseValue } from '../support/changes.ts'

const value = (caseId: string) => Buffer.from(caseValue({ caseId }))
const record = (bytes: Buffer | null) => ({ source: 'cases', value: bytes }) as Partial<SourceRecord> as SourceRecord

test('what was read of the last record is at hand, and what a record before it says is read again', () => {
  const changes = new RecentChange(new Map())
  const [first, second] = [value('c1'), value('c2')]
  const read = changes.read('cases', first)
  assert(read.kind === 'read')
  assert.equal(changes.of(record(first)), read.change)
  changes.read('cases', second)
  const again = changes.of(record(first))
  assert.notEqual(again, read.change)
  assert.deepEqual(again, read.change)
})

test('a record that cannot be read leaves nothing of the one before it in its place', () => {
  const changes = new RecentChange(new Map())
  changes.read('cases', value('c1'))
  const broken = Buffer.from('{')
  assert.equal(changes.read('cases', broken).kind, 'unreadable')
  assert.throws(() => changes.of(record(broken)), /unreadable/)
  assert.equal(changes.read('cases', null).kind, 'tombstone')
  assert.throws(() => changes.of(record(null)), /tombstone/)
})
