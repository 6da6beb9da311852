// `onward apply` against a real broker: nothing is written with a mistake, what differs is shown, what is asked for is done.
import { test, type TestContext } from 'node:test'
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runOnward } from '../support/run-onward.ts'
import { verbGround } from '../support/verb-ground.ts'

const file = (t: TestContext, text: string): string => {
  const folder = mkdtempSync(join(tmpdir(), 'onward-apply-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'forwarding.yaml')
  writeFileSync(path, text)
  return path
}

const FIRST = `
project: demo
connections:
  - id: registry
    url: https://registry.example/api
    auth: { type: bearer, token: \${env:API_TOKEN} }
repeaters:
  - { id: patients, connection: registry, forward: cases }
  - { id: submissions, connection: registry, forward: forms }
`
const SECOND = `
project: demo
connections:
  - id: registry
    url: https://registry.example/api
    auth: { type: bearer, token: \${env:OTHER_TOKEN} }
    limits: { rate: 50/s }
repeaters:
  - { id: patients, connection: registry, forward: cases, filters: { caseTypes: [patient] } }
`

test('apply writes connections before the repeaters that name them, and nothing when nothing differs', async (t) => {
  const { readAll, onward } = await verbGround(t)
  const path = file(t, FIRST)
  const first = await onward('apply', '-f', path)
  assert.deepEqual([first.code, first.stderr], [0, ''])
  assert.equal(
    first.stdout,
    [
      '+ connection demo/registry',
      '+ repeater   demo/patients',
      '+ repeater   demo/submissions',
      'Applied: 3 added, 0 changed, 0 removed, 0 unchanged.',
      '',
    ].join('\n'),
  )
  const keys = async () => (await readAll()).map(({ key }) => key?.toString())
  assert.deepEqual(await keys(), ['connection/demo/registry', 'repeater/demo/patients', 'repeater/demo/submissions'])
  const value: unknown = JSON.parse((await readAll())[0]?.value?.toString() ?? '')
  assert.deepEqual(value, {
    project: 'demo',
    id: 'registry',
    name: 'registry',
    url: 'https://registry.example/api',
    auth: { type: 'bearer', token: '${env:API_TOKEN}' },
    headers: {},
    notify: [],
    limits: { concurrency: 8, rate: 'none', timeout: '30s' },
    schedule: ['30s', '2m', '10m', '1h', '3h', '9h', '27h', '81h'],
    retryOn: [],
    rejectOn: [],
    maxAge: '30d',
  })

  const again = await onward('apply', '-f', path)
  assert.deepEqual([again.code, again.stdout], [0, 'Nothing to do: 0 added, 0 changed, 0 removed, 3 unchanged.\n'])
  assert.equal((await keys()).length, 3)
})

test('a dry run shows each field that would change, says so with its exit code, and writes nothing', async (t) => {
  const { readAll, onward } = await verbGround(t)
  await onward('apply', '-f', file(t, FIRST))
  const dry = await onward('apply', '-f', file(t, SECOND), '--dry-run')
  assert.equal(dry.code, 10)
  assert.equal(
    dry.stdout,
    [
      '~ connection demo/registry',
      '      auth.token: ${env:API_TOKEN} → ${env:OTHER_TOKEN}',
      '      limits.rate: none → 50/s',
      '~ repeater   demo/patients',
      '      filters.caseTypes: [] → ["patient"]',
      '? repeater   demo/submissions  in force, and not in the file: --prune removes it',
      'Would apply: 0 added, 2 changed, 0 removed, 0 unchanged; 1 left in force.',
      '',
    ].join('\n'),
  )
  assert.equal((await readAll()).length, 3)
  const same = await onward('apply', '-f', file(t, FIRST), '--dry-run')
  assert.equal(same.code, 0)
})

test('prune removes what the file does not have, of its own project only', async (t) => {
  const { readAll, onward } = await verbGround(t)
  await onward('apply', '-f', file(t, FIRST), '-f', file(t, FIRST.replace('demo', 'other')))
  const pruned = await onward('apply', '-f', file(t, 'project: demo\n'), '--prune')
  assert.deepEqual(
    [pruned.code, pruned.stdout],
    [
      0,
      '- repeater   demo/patients\n- repeater   demo/submissions\n- connection demo/registry\n' +
        'Applied: 0 added, 0 changed, 3 removed, 0 unchanged.\n',
    ],
  )
  const records = (await readAll()).slice(6)
  assert.deepEqual(
    records.map(({ key, value }) => [key?.toString(), value]),
    [
      ['repeater/demo/patients', null],
      ['repeater/demo/submissions', null],
      ['connection/demo/registry', null],
    ],
  )
  const again = await onward('apply', '-f', file(t, 'project: demo\n'), '--prune')
  assert.match(again.stdout, /^Nothing to do/)
})

test('a record that nobody can read is written anew', async (t) => {
  const { producer, topic, onward } = await verbGround(t)
  const path = file(t, FIRST)
  await onward('apply', '-f', path)
  await producer.send(topic, [{ key: 'connection/demo/registry', value: '{"project":"demo","id":"registry"}' }])
  const repaired = await onward('apply', '-f', path)
  assert.match(repaired.stdout, /~ connection demo\/registry\n +instead of a record that cannot be read: .*needs url/)
  const again = await onward('apply', '-f', path)
  assert.match(again.stdout, /^Nothing to do/)
})

test('a file with a mistake writes nothing of any file, and tells all mistakes', async (t) => {
  const { readAll, onward } = await verbGround(t)
  const bad = file(t, 'project: other\nconnections: [{ id: a }]\nrepeaters: [{ id: b, forward: cases }]\n')
  const refused = await onward('apply', '-f', file(t, FIRST), '-f', bad)
  assert.deepEqual([refused.code, refused.stdout], [1, ''])
  assert.equal(
    refused.stderr,
    `${bad}:2:15: a connection needs url\n    add url: https://api.example.org/records\n` +
      `${bad}:3:13: a repeater needs connection\n    add connection: registry\n2 mistakes: nothing was written.\n`,
  )
  assert.deepEqual(await readAll(), [])
})

test('two files for one project are a mistake', async (t) => {
  const { onward } = await verbGround(t)
  const [one, two] = [file(t, 'project: demo\n'), file(t, 'project: demo\n')]
  const refused = await onward('apply', '-f', one, '-f', two)
  assert.equal(refused.code, 1)
  assert.ok(refused.stderr.includes(`${two}:1:1: project demo is in ${one} too`), refused.stderr)
})

test('scripts get the difference and the mistakes as JSON', async (t) => {
  const { onward } = await verbGround(t)
  const added = file(t, 'project: demo\nconnections: [{ id: a, url: "http://a.example" }]\n')
  const dry = await onward('apply', '-f', added, '--json', '--dry-run')
  assert.equal(dry.code, 10)
  assert.deepEqual(JSON.parse(dry.stdout), {
    applied: false,
    changes: [{ action: 'added', what: 'connection', id: 'demo/a', fields: [], repairs: null }],
  })
  const path = file(t, 'project: a/b\n')
  const refused = await onward('apply', '-f', path, '--json')
  assert.equal(refused.code, 1)
  const { problems } = JSON.parse(refused.stdout) as {
    problems: readonly { file: string; line: number; column: number }[]
  }
  assert.deepEqual(
    problems.map(({ file: named, line, column }) => [named, line, column]),
    [[path, 1, 10]],
  )
})

test('a missing topic is told with the line to run', async (t) => {
  const { brokers } = await verbGround(t)
  const environment = { KAFKA_BROKERS: brokers.join(','), ONWARD_TOPIC_PREFIX: 'nowhere.' }
  const refused = await runOnward(['apply', '-f', file(t, FIRST)], environment)
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /there is no topic nowhere\.config: create it with npx onward topics/)
})

/** Nothing listens there. */
const AWAY = { KAFKA_BROKERS: '127.0.0.1:1' }

test('a cluster that does not answer ends apply within the time limit', async (t) => {
  const refused = await runOnward(['apply', '-f', file(t, FIRST), '--timeout', '500ms'], AWAY)
  assert.equal(refused.code, 3)
  assert.match(refused.stderr, /no answer from Kafka at 127\.0\.0\.1:1 within 500ms/)
})

test('a command line without a file, or with one that is not there, is a usage error', async () => {
  const cases = [
    [[], /no file: onward apply -f forwarding\.yaml/],
    [['forwarding.yaml'], /onward apply -f forwarding\.yaml/],
    [['-f', '/none.yaml'], /\/none\.yaml cannot be read: ENOENT/],
    [['-f', 'a', '--dryrun'], /did you mean --dry-run\?/],
  ] as const
  for (const [args, message] of cases) {
    const refused = await runOnward(['apply', ...args], AWAY)
    assert.equal(refused.code, 2)
    assert.match(refused.stderr, message)
  }
})
