import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { SAMPLE_NAMES } from '../../services/shared/mail/sample-notices.ts'
import { runOnward } from '../support/run-onward.ts'
import { verbGround } from '../support/verb-ground.ts'

function folder(t: TestContext): string {
  const made = mkdtempSync(join(tmpdir(), 'onward-preview-'))
  t.after(() => rmSync(made, { recursive: true }))
  return made
}

test('a preview of every kind is written as subject, text and HTML, without a cluster', async (t) => {
  const out = folder(t)
  const { code, stdout } = await runOnward(['notices', 'preview', '--out', out], {})
  assert.equal(code, 0)
  assert.match(stdout, new RegExp(`^${SAMPLE_NAMES.length} mails written`))
  const wanted = SAMPLE_NAMES.flatMap((name) => [`${name}.html`, `${name}.subject.txt`, `${name}.txt`])
  assert.deepEqual(readdirSync(out).toSorted(), wanted.toSorted())
  for (const file of wanted) {
    const text = readFileSync(join(out, file), 'utf8')
    assert.doesNotMatch(text, /\{\{|\}\}|undefined|\[object|hidden/, file)
  }
})

test('a template of one’s own takes the place of ours; one with a mistake is told', async (t) => {
  const templates = folder(t)
  writeFileSync(join(templates, 'subject.txt'), 'Onward: {{count}}\n')
  const shown = await runOnward(['notices', 'preview', 'failing', '--templates', templates], {})
  assert.match(shown.stdout, /^failing: Onward: 1\n/)
  writeFileSync(join(templates, 'mail.txt'), '{{#incidents}} never closed\n')
  const refused = await runOnward(['notices', 'preview', 'failing', '--templates', templates], {})
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /mail\.txt: \{\{#incidents\}\} is not closed/)
})

test('notices are stopped, listed, and resumed', async (t) => {
  const { topicAdmin, topic, deleteAfter, onward } = await verbGround(t)
  const notices = topic.replace(/config$/, 'notices')
  await topicAdmin.createTopics([
    { name: notices, partitions: 1, replication: 1, settings: { 'cleanup.policy': 'compact' } },
  ])
  deleteAfter((name) => name === notices)
  const empty = await onward('notices', 'list')
  assert.equal(empty.stdout, 'No incident is open.\nNo notice waits.\nNobody stopped notices.\n')

  const stopped = await onward('notices', 'stop', 'ops@example.org', '--connection', 'demo/registry')
  assert.equal(stopped.stdout, 'ops@example.org gets no more notices: connection/demo/registry\n')
  const listed = await onward('notices', 'list')
  assert.match(listed.stdout, /^ {2}ops@example\.org {2}connection\/demo\/registry {2}by operator at \S+ \S+ UTC$/m)

  const other = await onward('notices', 'resume', 'ops@example.org', '--all')
  assert.equal(other.code, 1)
  const resumed = await onward('notices', 'resume', 'ops@example.org', '--connection', 'demo/registry')
  assert.equal(resumed.code, 0)
  assert.match((await onward('notices', 'list')).stdout, /Nobody stopped notices/)
})

const MISTAKES: readonly (readonly [args: readonly string[], complaint: RegExp])[] = [
  [[], /say what: list, stop, resume, preview/],
  [['lst'], /say what: .*did you mean list/],
  [['stop'], /whose\?/],
  [['stop', 'a@b.example'], /say one of --connection C, --project P, --all/],
  [['stop', 'a@b.example', '--all', '--project', 'demo'], /say one of/],
  [['stop', 'a@b.example', '--connection', 'registry'], /takes <project>\/<id>/],
  [['stop', 'a@b.example', '--project', 'a/b'], /--project takes a project/],
  [['preview', 'failling'], /there is no kind failling \(did you mean failing\?\)/],
]

for (const [args, complaint] of MISTAKES) {
  test(`onward notices ${args.join(' ')} is told what is wrong`, async () => {
    const { code, stderr } = await runOnward(['notices', ...args], {})
    assert.equal(code, 2)
    assert.match(stderr, complaint)
  })
}
