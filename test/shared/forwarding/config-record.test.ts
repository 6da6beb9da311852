// What is written to the configuration topic is read back as it was, and what others write there is judged.
import { test } from 'node:test'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  readConfigRecord,
  renderConfigRecord,
  type ConfigStatement,
} from '../../../services/shared/forwarding/config-record.ts'
import { readForwardingFile } from '../../../services/shared/forwarding/forwarding-file.ts'
import { renderForwardingFile } from '../../../services/shared/forwarding/render-forwarding-file.ts'
import { connectionId, projectId, repeaterId } from '../../../services/shared/ids.ts'
import { connections, repeaters } from '../../support/definitions.ts'
import { holdsFor } from '../../support/property.ts'

const raw = (key: string | null, value: string | null) => ({
  key: key === null ? null : Buffer.from(key),
  value: value === null ? null : Buffer.from(value),
})
const reread = (statement: ConfigStatement) => {
  const { key, value } = renderConfigRecord(statement)
  return readConfigRecord(raw(key, value))
}

test('a connection comes back from its record as it was', (t) => {
  holdsFor(
    t,
    fc.property(connections, (connection) => {
      const key = `connection/${connection.id}`
      assert.deepEqual(reread({ kind: 'connection', connection }), { kind: 'connection', key, connection })
    }),
  )
})

test('a repeater comes back from its record as it was', (t) => {
  holdsFor(
    t,
    fc.property(repeaters, (repeater) => {
      const key = `repeater/${repeater.id}`
      assert.deepEqual(reread({ kind: 'repeater', repeater }), { kind: 'repeater', key, repeater })
    }),
  )
})

test('a project comes back from a rendered forwarding file as it was', (t) => {
  holdsFor(
    t,
    fc.property(connections, repeaters, (connection, repeater) => {
      const joined = { ...repeater, connection: connection.id }
      const text = renderForwardingFile(connection.project, [connection], [joined])
      const read = readForwardingFile(text, 'f.yaml')
      assert.deepEqual(
        read,
        { kind: 'read', project: connection.project, connections: [connection], repeaters: [joined] },
        text,
      )
    }),
  )
})

test('a record without a value is a removal', () => {
  const id = connectionId(projectId('demo'), 'a')
  assert.deepEqual(reread({ kind: 'connection-removed', id }), {
    kind: 'connection-removed',
    key: 'connection/demo/a',
    id,
  })
  const repeater = repeaterId(projectId('demo'), 'a')
  assert.deepEqual(reread({ kind: 'repeater-removed', id: repeater }), {
    kind: 'repeater-removed',
    key: 'repeater/demo/a',
    id: repeater,
  })
})

test('a record of another part of Onward is not judged', () => {
  assert.deepEqual(readConfigRecord(raw('versions/cases', '{}')), { kind: 'foreign', key: 'versions/cases' })
  assert.deepEqual(readConfigRecord(raw(null, '{}')), { kind: 'foreign', key: '' })
})

const GOOD = { project: 'demo', id: 'a', url: 'https://a.example' }
const BAD: readonly (readonly [what: string, key: string, value: string, reason: RegExp])[] = [
  ['a key without an id', 'connection/demo', JSON.stringify(GOOD), /the key is not connection\/<project>\/<id>/],
  ['a key with too many parts', 'connection/demo/a/b', JSON.stringify(GOOD), /the key is not/],
  ['a value that is no JSON', 'connection/demo/a', '{', /no JSON object/],
  ['a value that is a list', 'connection/demo/a', '[]', /no JSON object/],
  ['an empty value', 'connection/demo/a', '', /no JSON object/],
  ['the id of another', 'connection/demo/b', JSON.stringify(GOOD), /the value's id is a, and the key's is b/],
  ['the project of another', 'connection/other/a', JSON.stringify(GOOD), /the value's project is not other/],
  ['no project', 'connection/demo/a', JSON.stringify({ ...GOOD, project: undefined }), /project is not demo/],
  [
    'an unknown key',
    'connection/demo/a',
    JSON.stringify({ ...GOOD, urll: 1 }),
    /a connection has no key urll: write url/,
  ],
  [
    'a plain secret',
    'connection/demo/a',
    JSON.stringify({ ...GOOD, auth: { type: 'bearer', token: 'hunter2' } }),
    /token is written/,
  ],
  [
    'two mistakes',
    'repeater/demo/a',
    JSON.stringify({ project: 'demo', id: 'a', forward: 'x' }),
    /forward must be .*; a repeater needs connection/,
  ],
]
for (const [what, key, value, reason] of BAD) {
  test(`a record with ${what} is bad and says why`, () => {
    const read = readConfigRecord(raw(key, value))
    assert.ok(read.kind === 'bad', JSON.stringify(read))
    assert.equal(read.key, key)
    assert.match(read.reason, reason)
    assert.doesNotMatch(read.reason, /hunter2/)
  })
}

test('no bytes make the reader of records throw', (t) => {
  const keys = fc.oneof(fc.constantFrom('connection/demo/a', 'repeater/demo/a'), fc.string())
  const values = fc.oneof(fc.json(), fc.string({ unit: 'binary' }))
  holdsFor(
    t,
    fc.property(keys, values, (key, value) => readConfigRecord(raw(key, value)).key === Buffer.from(key).toString()),
  )
})
