// `onward dead-letters` as a process, on a real broker: what is listed, shown, counted, exported and deleted.
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { sampleChanges } from '../../services/cli/publish/sample-changes.ts'
import { openAvroEncoder } from '../../services/cli/publish/open-encoder.ts'
import { renderWireDocument } from '../../services/shared/wire/render-document.ts'
import { deadLetterGround, jsonLines } from '../support/dead-letter-ground.ts'
import { runOnward } from '../support/run-onward.ts'

const fieldsOf = (stdout: string, field: string) => jsonLines(stdout).map((line) => line[field])

async function aFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'onward-letters-'))
  t.after(() => rm(folder, { recursive: true }))
  return folder
}

test('list says newest first what died where and why, and keeps to its filters and its limit', async (t) => {
  const { die, run } = await deadLetterGround(t)
  await die([{ offset: 1 }, { offset: 2, repeater: 'others', reason: 'exhausted', status: 503, error: '503: busy' }])
  await die([{ offset: 3, repeater: null, status: null, error: 'wrong-magic-byte: the value begins with byte 0x58' }])
  await die([{ offset: 1, partition: 1, caseId: 'case-2', status: 404 }])

  const all = await run('list', '--json')
  assert.deepEqual([all.code, all.stderr], [0, ''])
  assert.deepEqual(fieldsOf(all.stdout, 'letter').toSorted(), ['0:0', '0:1', '0:2', '1:0'])
  const [newest] = jsonLines((await run('list', '--limit', '1', '--json')).stdout)
  assert.equal(newest?.['letter'], fieldsOf(all.stdout, 'letter')[0])

  const table = await run('list', '--repeater', 'demo/patients', '--in-order')
  assert.match(table.stdout, /^LETTER +WRITTEN +REASON +STATUS +REPEATER +CASE +ERROR\n/)
  assert.match(table.stdout, /\n0:0 +20\S+Z +rejected +422 +demo\/patients +case-1 +422: no such field\n1:0 .*case-2/)

  for (const [args, letters] of [
    [['--repeater', 'others'], ['0:1']],
    [['--repeater', 'none'], ['0:2']],
    [
      ['--reason', 'exhausted', '--reason', 'unreadable'],
      ['0:1', '0:2'],
    ],
    [['--status', '5xx'], ['0:1']],
    [
      ['--status', '4xx'],
      ['0:0', '1:0'],
    ],
    [['--status', 'none'], ['0:2']],
    [['--case', 'case-2'], ['1:0']],
    [
      ['--letter', '0:2', '--letter', '1:0'],
      ['0:2', '1:0'],
    ],
    [['--project', 'other'], []],
    [['--since', '1h', '--connection', 'remote', '--status', '404'], ['1:0']],
    [['--until', '1h'], []],
  ] as const) {
    const { code, stdout } = await run('list', ...args, '--json')
    assert.deepEqual([code, fieldsOf(stdout, 'letter').toSorted()], [0, letters], args.join(' '))
  }
})

test('the case of a letter is what the body says, whatever the key is, and its key where the value cannot be read', async (t) => {
  const { die, run } = await deadLetterGround(t)
  await die([
    { offset: 1, caseId: 'in-the-body', key: 'the-key' },
    { offset: 2, caseId: 'unread', value: 'X' },
    { offset: 3, key: null, value: null },
  ])
  const { stdout } = await run('list', '--in-order', '--json')
  assert.deepEqual(fieldsOf(stdout, 'case'), ['in-the-body', 'unread', null])
  for (const id of ['in-the-body', 'the-key']) {
    assert.deepEqual(fieldsOf((await run('list', '--case', id, '--json')).stdout, 'letter'), ['0:0'], id)
  }
})

test('what a letter says never reaches the terminal as a command to it', async (t) => {
  const { die, run } = await deadLetterGround(t)
  const hostile = '\u001b[2J\u202eevil\u0007'
  await die([{ offset: 1, caseId: hostile, value: `<a>\u001b]0;x\u0007</a>` }])
  for (const args of [
    ['list'],
    ['list', '--json'],
    ['show', '0:0'],
    ['show', '0:0', '--json'],
    ['export', '--to', '-'],
  ]) {
    const { code, stdout } = await run(...args)
    assert.equal(code, 0)
    assert.match(stdout, /\\u001b/)
    assert.doesNotMatch(stdout, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/, args.join(' '))
  }
})

test('show prints all of one letter, its value readable, and the line that puts it back', async (t) => {
  const { die, run, topics, registryUrl } = await deadLetterGround(t)
  const [form, aCase] = sampleChanges()
  const encode = await openAvroEncoder(
    { url: registryUrl ?? '', username: null, password: null },
    'cases',
    topics.cases,
    10_000,
    t.signal,
  )
  await die([
    { offset: 7 },
    { offset: 8, value: encode(aCase) },
    { offset: 9, topic: topics.forms, repeater: 'visits', value: JSON.stringify(renderWireDocument(form)) },
    { offset: 10, value: Buffer.from([0xff, 0xfe, 0x41]) },
  ])
  const json = await run('show', '0:0')
  assert.equal(json.code, 0)
  assert.match(json.stdout, /^Dead letter 0:0\n/)
  assert.match(json.stdout, /reason +rejected: the remote refused it for good\nthe remote said +422: no such field\n/)
  assert.match(json.stdout, /source record +\S+\.cases, partition 0, offset 7, of 2026-01-02T/)
  assert.match(json.stdout, /Value: \d+ bytes, JSON\n\{\n  "project": "demo",/)
  assert.match(json.stdout, /\n {2}onward dead-letters requeue --letter 0:0 --yes\n/)

  assert.match((await run('show', '0:1')).stdout, /bytes, Avro, shown as JSON\n\{\n[^}]*"case_name": "Trees"/)
  assert.match(
    (await run('show', '0:2')).stdout,
    /"xml": "\(\d+ bytes, below\)"[\s\S]*\nXML:\n<\?xml [\s\S]*<\/data>\n/,
  )
  assert.match(
    (await run('show', '0:3')).stdout,
    /3 bytes, hexadecimal\n.*wrong-magic-byte.*\n00000000 {2}ff fe 41 +\.\.A\n/,
  )
  const [shown] = jsonLines((await run('show', '0:1', '--json')).stdout)
  assert.partialDeepStrictEqual(shown, { letter: '0:1', form: 'avro', value: { case_name: 'Trees' } })
})

test('show of Avro without a registry says why it is not decoded', async (t) => {
  const { die, environment } = await deadLetterGround(t)
  await die([{ offset: 1, value: Buffer.concat([Buffer.from([0, 0, 0, 0, 9]), Buffer.from([0xc3])]) }])
  const { code, stdout } = await runOnward(['dead-letters', 'show', '0:0'], { ...environment, SCHEMA_REGISTRY_URL: '' })
  assert.equal(code, 0)
  assert.match(
    stdout,
    /Not decoded: the value is Avro, and SCHEMA_REGISTRY_URL is not set\.\n00000000 {2}00 00 00 00 09 c3/,
  )
})

test('a letter that is not there is told apart from one that never was', async (t) => {
  const { die, run } = await deadLetterGround(t)
  await die([{ offset: 1 }])
  const cases = [
    ['0:5', /there is no letter 0:5: partition 0 has 0:0 to 0:0/],
    ['1:0', /partition 1 is empty/],
    ['9:0', /has no partition 9/],
  ] as const
  for (const [place, said] of cases) {
    const { code, stderr } = await run('show', place)
    assert.equal(code, 1)
    assert.match(stderr, said)
  }
  assert.equal((await run('show', 'x')).code, 2)
})

test('stats counts by repeater, connection, reason and day, with the filters of list', async (t) => {
  const { die, run } = await deadLetterGround(t)
  assert.equal((await run('stats')).stdout, 'No dead letters.\n')
  await die([{ offset: 1 }, { offset: 2 }, { offset: 3, repeater: 'others', reason: 'exhausted' }])
  await die([{ offset: 4, repeater: null, status: null }])
  const { code, stdout } = await run('stats')
  assert.equal(code, 0)
  assert.match(stdout, /^4 dead letters, written from /)
  assert.match(stdout, /BY REPEATER\n2 {2}demo\/patients\n1 {2}demo\/others\n1 {2}none\n/)
  assert.match(stdout, /BY CONNECTION\n3 {2}demo\/remote\n1 {2}none\n/)
  assert.match(stdout, /BY REASON\n2 {2}rejected\n1 {2}exhausted\n1 {2}unreadable\n/)
  const [counted] = jsonLines((await run('stats', '--repeater', 'patients', '--json')).stdout)
  assert.partialDeepStrictEqual(counted, { total: 2, reason: { rejected: 2 }, repeater: { 'demo/patients': 2 } })
})

test('export keeps every byte, in a file that only its owner reads and that is there only when it is whole', async (t) => {
  const { die, run } = await deadLetterGround(t)
  const bytes = Buffer.from([0, 0xff, 0x80, 0x0a])
  await die([{ offset: 1 }, { offset: 2, value: bytes }, { offset: 3, key: null, value: null }])
  const file = join(await aFolder(t), 'letters.jsonl')
  const { code, stdout, stderr } = await run('export', '--to', file)
  assert.deepEqual([code, stderr], [0, ''])
  assert.match(stdout, /^3 dead letters written to /)
  assert.equal((await stat(file)).mode & 0o777, 0o600)
  const lines = jsonLines(await readFile(file, 'utf8'))
  assert.deepEqual(
    lines.map(({ letter }) => letter),
    ['0:0', '0:1', '0:2'],
  )
  assert.partialDeepStrictEqual(lines[0], { key: { text: 'case-1' }, headers: { 'onward-repeater': 'demo/patients' } })
  assert.deepEqual([lines[1]?.['value'], lines[2]?.['value']], [{ base64: bytes.toString('base64') }, null])

  const again = await run('export', '--to', file)
  assert.equal(again.code, 1)
  assert.match(again.stderr, /is there already: choose another name/)
  assert.equal(jsonLines(await readFile(file, 'utf8')).length, 3)

  const piped = await run('export', '--to', '-', '--letter', '0:1')
  assert.deepEqual(fieldsOf(piped.stdout, 'letter'), ['0:1'])
  assert.match(piped.stderr, /1 dead letter written to standard output/)
})

test('export into a folder that is not there fails before anything is read', async (t) => {
  const { run } = await deadLetterGround(t)
  const { code, stderr } = await run('export', '--to', join(await aFolder(t), 'absent', 'letters.jsonl'))
  assert.equal(code, 1)
  assert.match(stderr, /cannot be written: ENOENT/)
})

test('purge deletes the oldest of each partition, only with --yes, and says what it would', async (t) => {
  const { die, run } = await deadLetterGround(t)
  await die([1, 2, 3].map((offset) => ({ offset })))
  await die([{ offset: 1, partition: 1 }])
  const dry = await run('purge', '--through', '0:1')
  assert.equal(dry.code, 10)
  assert.match(dry.stdout, /PARTITION +LETTERS +OFFSETS\n0 +2 +0 to 1\n\nA dry run: 2 letters/)
  assert.equal(jsonLines((await run('list', '--json')).stdout).length, 4)

  const done = await run('purge', '--through', '0:1', '--yes', '--json')
  assert.equal(done.code, 0)
  assert.partialDeepStrictEqual(jsonLines(done.stdout)[0], { done: true, letters: 2 })
  assert.deepEqual(fieldsOf((await run('list', '--json')).stdout, 'letter').toSorted(), ['0:2', '1:0'])
  const nothing = await run('purge', '--before', '1h', '--yes')
  assert.deepEqual([nothing.code, nothing.stdout], [0, 'Nothing to delete.\n'])
  assert.equal((await run('purge', '--all', '--yes')).code, 0)
  assert.equal((await run('list')).stdout, 'No dead letters.\n')
})

test('purge refuses what the beginning of a log cannot honour, and says how it is done', async (t) => {
  const { run } = await deadLetterGround(t)
  const filtered = await run('purge', '--repeater', 'demo/patients', '--all', '--yes')
  assert.equal(filtered.code, 2)
  assert.match(filtered.stderr, /--repeater does not go with purge: Kafka deletes the beginning of a partition/)
  assert.match(filtered.stderr, /onward dead-letters export --to kept\.jsonl/)
  assert.match((await run('purge', '--yes')).stderr, /up to where\?/)
})

test('a word that dead-letters does not know is met with the nearest, and a missing topic with the line to run', async (t) => {
  const { environment, run } = await deadLetterGround(t)
  const mistyped = await run('lst')
  assert.equal(mistyped.code, 2)
  assert.match(mistyped.stderr, /dead-letters has no lst \(did you mean list\?\)/)
  assert.match((await run('list', '--reason', 'rejcted')).stderr, /did you mean rejected\?/)
  const elsewhere = { ...environment, ONWARD_TOPIC_PREFIX: `absent-${crypto.randomUUID()}.` }
  for (const args of [['list'], ['stats'], ['requeue', '--all']]) {
    const { code, stderr } = await runOnward(['dead-letters', ...args], elsewhere)
    assert.equal(code, 1)
    assert.match(stderr, /there is no topic .*npx onward topics/)
  }
})
