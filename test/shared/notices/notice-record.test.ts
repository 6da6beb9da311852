import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { connectionId } from '../../../services/shared/ids.ts'
import { sampleNotices } from '../../../services/shared/mail/sample-notices.ts'
import { emptyBox, type Stop } from '../../../services/shared/notices/notice.ts'
import { readNoticeRecord, renderNoticeRecord } from '../../../services/shared/notices/notice-record.ts'
import { demo } from '../../support/changes.ts'
import { holdsFor } from '../../support/property.ts'

const read = (key: string, value: string | null) =>
  readNoticeRecord({ key: Buffer.from(key), value: value === null ? null : Buffer.from(value) })

const STOP: Stop = {
  address: 'ops@example.org',
  scope: { kind: 'connection', connection: connectionId(demo, 'remote') },
  at: 5,
  by: 'link',
  why: '',
}

test('a box is read back as it was written', () => {
  const box = { ...emptyBox('ops@example.org'), tries: 3 }
  const { key, value } = renderNoticeRecord({ kind: 'box', box })
  assert.deepEqual(read(key, value), { kind: 'box', box })
})

test('a box that would make a reader throw is refused', () => {
  const [notice] = sampleNotices('exhausted', 1_000)
  assert.ok(notice)
  const said = (spoilt: object) => {
    const pending = [{ ...notice, facts: { ...notice.facts, ...spoilt } }]
    return read('address/ops@example.org', JSON.stringify({ v: 1, ...emptyBox('ops@example.org'), pending })).kind
  }
  assert.equal(said({}), 'box')
  for (const spoilt of [{ last: 7 }, { last: { text: 7 } }, { samples: [{}] }, { letters: ['x'] }, { refusal: 'x' }])
    assert.equal(said(spoilt), 'unreadable', JSON.stringify(spoilt))
})

test('what a later version wrote is known as that, and no opt-out of it is forgotten', () => {
  const { key } = renderNoticeRecord({ kind: 'stop', stop: STOP })
  assert.deepEqual(read(key, '{"v":2,"at":5,"by":"link","why":"","more":true}'), { kind: 'stop', stop: STOP })
  for (const each of ['address/ops@example.org', 'connection/demo/remote'])
    assert.deepEqual(read(each, '{"v":2,"what":"else"}'), { kind: 'newer', key: each, version: 2 })
})

test('any key and any value are read or refused, and never throw', (t) => {
  const key = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('address/a@b.example', 'connection/demo/a', 'stop/all/a@b.example', 'stop/x/a', 'address/'),
  )
  const value = fc.option(fc.oneof(fc.json(), fc.string({ unit: 'binary' }), fc.constant('{"v":1}')))
  holdsFor(
    t,
    fc.property(key, value, (written, said) => {
      assert.notEqual(read(written, said).kind, 'box')
    }),
  )
})
