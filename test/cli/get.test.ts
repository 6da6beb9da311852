// `onward get` prints what is in force, in three forms, and never a secret.
import { test, type TestContext } from 'node:test'
import assert from 'node:assert/strict'
import { renderConfigRecord } from '../../services/shared/forwarding/config-record.ts'
import { readForwardingFile } from '../../services/shared/forwarding/forwarding-file.ts'
import { verbGround, type VerbGround } from '../support/verb-ground.ts'

const DEMO = `
project: demo
connections:
  - id: registry
    url: https://registry.example/api
    auth: { type: bearer, token: \${env:API_TOKEN} }
    notify: [ops@example.org]
repeaters:
  - { id: patients, connection: registry, forward: cases, filters: { caseTypes: [patient], on: create } }
  - { id: saved-apps, connection: registry, forward: apps }
`
const OTHER = DEMO.replace('project: demo', 'project: other')

async function groundWith(t: TestContext, ...files: readonly string[]): Promise<VerbGround> {
  const ground = await verbGround(t)
  for (const file of files) {
    const read = readForwardingFile(file, 'f.yaml')
    assert.ok(read.kind === 'read')
    const records = [
      ...read.connections.map((connection) => renderConfigRecord({ kind: 'connection', connection })),
      ...read.repeaters.map((repeater) => renderConfigRecord({ kind: 'repeater', repeater })),
    ]
    await ground.producer.send(ground.topic, records)
  }
  return ground
}

test('get prints tables of what is in force', async (t) => {
  const { onward } = await groundWith(t, DEMO)
  const { code, stdout, stderr } = await onward('get')
  assert.deepEqual([code, stderr], [0, ''])
  assert.equal(
    stdout,
    `CONNECTION     URL                           AUTH    LIMITS        NOTIFY
demo/registry  https://registry.example/api  bearer  8, none, 30s  ops@example.org

REPEATER         CONNECTION     FORWARDS      METHOD  SUPERSEDE  FILTERS
demo/patients    demo/registry  cases as xml  POST    waiting    types patient; on create
demo/saved-apps  demo/registry  apps          POST    never      all
`,
  )
})

test('get of nothing says that there is nothing', async (t) => {
  const { onward } = await groundWith(t)
  assert.equal((await onward('get')).stdout, 'No connections.\n\nNo repeaters.\n')
})

test('get of one project as YAML can be applied again as it is', async (t) => {
  const { onward } = await groundWith(t, DEMO, OTHER)
  const { code, stdout } = await onward('get', '--project', 'demo', '--yaml')
  assert.equal(code, 0)
  assert.deepEqual(readForwardingFile(stdout, 'f.yaml'), readForwardingFile(DEMO, 'f.yaml'))
  const all = await onward('get', '--yaml')
  assert.deepEqual(all.stdout.match(/^project: .*$/gm), ['project: demo', 'project: other'])
})

test('get of one id prints that one, by its whole id or by the part that is its own', async (t) => {
  const { onward } = await groundWith(t, DEMO)
  for (const args of [
    ['repeaters', 'demo/patients'],
    ['repeaters', 'patients'],
    ['repeater', 'patients'],
  ]) {
    const { code, stdout } = await onward('get', ...args, '--json')
    assert.equal(code, 0)
    const { connections, repeaters } = JSON.parse(stdout) as { connections: unknown[]; repeaters: unknown[] }
    assert.deepEqual(connections, [])
    assert.deepEqual(repeaters, [
      {
        project: 'demo',
        id: 'patients',
        connection: 'registry',
        forward: 'cases',
        format: 'xml',
        method: 'POST',
        supersede: 'waiting',
        onDeadLetter: 'continue',
        filters: { caseTypes: ['patient'], excludeUsers: [], on: 'create' },
        closedCase: 'close-only',
        version: '2.0',
      },
    ])
  }
})

test('get of an id that is not there, or not the only one, says what there is', async (t) => {
  const { onward } = await groundWith(t, DEMO, OTHER)
  const mistyped = await onward('get', 'connections', 'demo/registri')
  assert.deepEqual([mistyped.code, mistyped.stdout], [1, ''])
  assert.equal(mistyped.stderr, 'nothing in force has the id demo/registri (did you mean demo/registry?)\n')
  const several = await onward('get', 'connections', 'registry')
  assert.equal(several.code, 1)
  assert.match(several.stderr, /several have the id registry: demo\/registry, other\/registry/)
  const strange = await onward('get', 'conections')
  assert.equal(strange.code, 2)
  assert.match(strange.stderr, /did you mean connections\?/)
})

test('get shows the last good definition and says that a later record is bad', async (t) => {
  const { producer, topic, onward } = await groundWith(t, DEMO)
  await producer.send(topic, [{ key: 'connection/demo/registry', value: 'not JSON' }])
  const { code, stdout, stderr } = await onward('get', 'connections')
  assert.equal(code, 0)
  assert.match(stdout, /https:\/\/registry\.example\/api/)
  assert.match(
    stderr,
    /^connection\/demo\/registry is not in force as its last record says: the value is no JSON object/,
  )
})
