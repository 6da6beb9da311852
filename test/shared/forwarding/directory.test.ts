// The configuration in force follows its records, and a bad one changes nothing.
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { renderConfigRecord, type ConfigStatement } from '../../../services/shared/forwarding/config-record.ts'
import { Directory } from '../../../services/shared/forwarding/directory.ts'
import { readForwardingFile } from '../../../services/shared/forwarding/forwarding-file.ts'
import { connectionId, projectId, repeaterId } from '../../../services/shared/ids.ts'

const DEMO = projectId('demo')
const REGISTRY = connectionId(DEMO, 'registry')

function definitions(url = 'https://registry.example', repeaterIds = ['a', 'b']) {
  const file = {
    project: 'demo',
    connections: [{ id: 'registry', url }],
    repeaters: repeaterIds.map((id) => ({ id, connection: 'registry', forward: 'cases' })),
  }
  const read = readForwardingFile(JSON.stringify(file), 'f.json')
  assert.ok(read.kind === 'read', JSON.stringify(read))
  return read
}

const asRaw = (statement: ConfigStatement) => {
  const { key, value } = renderConfigRecord(statement)
  return { key: Buffer.from(key), value: value === null ? null : Buffer.from(value) }
}

function filled(): Directory {
  const directory = new Directory()
  const { connections, repeaters } = definitions()
  for (const connection of connections) directory.apply(asRaw({ kind: 'connection', connection }))
  for (const repeater of repeaters) directory.apply(asRaw({ kind: 'repeater', repeater }))
  return directory
}

test('an empty directory has nothing, for any project', () => {
  const directory = new Directory()
  assert.deepEqual([directory.repeatersOf(DEMO), directory.connection(REGISTRY)], [[], undefined])
})

test('what was applied is found by its id and by its project', () => {
  const directory = filled()
  assert.equal(directory.connection(REGISTRY)?.url, 'https://registry.example')
  assert.equal(directory.repeater(repeaterId(DEMO, 'b'))?.connection, REGISTRY)
  assert.deepEqual(
    directory.repeatersOf(DEMO).map(({ id }) => id),
    ['demo/a', 'demo/b'],
  )
  assert.deepEqual(directory.repeatersOf(projectId('other')), [])
})

test('the list of a project is the same array until one of its repeaters changes', () => {
  const directory = filled()
  const before = directory.repeatersOf(DEMO)
  assert.equal(directory.repeatersOf(DEMO), before)
  const [repeater] = definitions().repeaters
  assert.ok(repeater)
  directory.apply(asRaw({ kind: 'repeater', repeater: { ...repeater, method: 'PUT' } }))
  assert.notEqual(directory.repeatersOf(DEMO), before)
  assert.deepEqual(
    directory.repeatersOf(DEMO).map(({ id, method }) => `${id} ${method}`),
    ['demo/a PUT', 'demo/b POST'],
  )
})

test('a changed connection is in force at once, and told', () => {
  const directory = filled()
  const [connection] = definitions('https://new.example').connections
  assert.ok(connection)
  const applied = directory.apply(asRaw({ kind: 'connection', connection }))
  assert.deepEqual(applied, { kind: 'changed', what: 'connection', id: REGISTRY, removed: false })
  assert.equal(directory.connection(REGISTRY)?.url, 'https://new.example')
})

test('what was removed is not found any more', () => {
  const directory = filled()
  const id = repeaterId(DEMO, 'a')
  assert.deepEqual(directory.apply(asRaw({ kind: 'repeater-removed', id })), {
    kind: 'changed',
    what: 'repeater',
    id,
    removed: true,
  })
  directory.apply(asRaw({ kind: 'connection-removed', id: REGISTRY }))
  assert.equal(directory.repeater(id), undefined)
  assert.deepEqual(
    directory.repeatersOf(DEMO).map((repeater) => repeater.id),
    ['demo/b'],
  )
  assert.equal(directory.connection(REGISTRY), undefined)
})

test('a bad record leaves the last good definition in force, until a good one follows', () => {
  const directory = filled()
  const bad = { key: Buffer.from('connection/demo/registry'), value: Buffer.from('{"project":"demo","id":"registry"}') }
  const applied = directory.apply(bad)
  assert.ok(applied.kind === 'kept')
  assert.match(applied.reason, /a connection needs url/)
  assert.equal(directory.connection(REGISTRY)?.url, 'https://registry.example')
  assert.deepEqual([...directory.rejected.keys()], ['connection/demo/registry'])

  const [connection] = definitions('https://new.example').connections
  assert.ok(connection)
  directory.apply(asRaw({ kind: 'connection', connection }))
  assert.equal(directory.rejected.size, 0)
  assert.equal(directory.connection(REGISTRY)?.url, 'https://new.example')
})

test('a record of another kind changes nothing', () => {
  const directory = filled()
  const applied = directory.apply({ key: Buffer.from('versions/cases'), value: Buffer.from('{}') })
  assert.deepEqual(applied, { kind: 'foreign', key: 'versions/cases' })
  assert.equal(directory.repeaters().length, 2)
})

test('a repeater may come before its connection, as compaction orders them', () => {
  const directory = new Directory()
  const { repeaters, connections } = definitions()
  for (const repeater of repeaters) directory.apply(asRaw({ kind: 'repeater', repeater }))
  assert.equal(directory.repeatersOf(DEMO).length, 2)
  assert.equal(directory.connection(REGISTRY), undefined)
  for (const connection of connections) directory.apply(asRaw({ kind: 'connection', connection }))
  assert.ok(directory.connection(REGISTRY))
})
