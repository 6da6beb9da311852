// What `npm start` takes: its arguments, its environment, and somebody's own rules.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import fc from 'fast-check'
import { readOwnRules } from '../../deploy/local/start/read-own-rules.ts'
import { kcatLines, publishLines, sampleContents, shellWord } from '../../deploy/local/start/render-publish-lines.ts'
import { sampleChangesFor } from '../../deploy/local/start/sample-change.ts'
import { ownRulesEnvironment, storyEnvironment } from '../../deploy/local/start/settings.ts'
import { HELP, readStartArguments } from '../../deploy/local/start/start-arguments.ts'
import { storyCases, storyRules } from '../../deploy/local/start/story.ts'
import { matchRepeaters } from '../../services/shared/forwarding/match-repeaters.ts'
import { systemClock } from '../../services/shared/clock.ts'
import { readForwardingFile } from '../../services/shared/forwarding/forwarding-file.ts'
import type { Repeater } from '../../services/shared/forwarding/repeater.ts'
import { connectionId, projectId, repeaterId } from '../../services/shared/ids.ts'
import { readSettings } from '../../services/shared/settings.ts'
import { readDocument } from '../../services/shared/wire/read-document.ts'
import { holdsFor } from '../support/property.ts'

const OURS = { brokers: ['127.0.0.1:1'], registryUrl: 'http://127.0.0.1:2', given: false }
const GIVEN = { ...OURS, given: true }

test('a relative file is looked for where npm was called', () => {
  const request = readStartArguments(['--file', 'my rules.yaml'], '/home/somebody')
  assert.deepEqual(request, { kind: 'own-rules', file: '/home/somebody/my rules.yaml' })
  assert.deepEqual(readStartArguments(['-f', '/etc/rules.yaml'], '/x'), { kind: 'own-rules', file: '/etc/rules.yaml' })
})

test('options that would do nothing are refused, and a mistyped one is named', () => {
  const messages = [['--json'], ['--file', 'a', '--once'], ['rules.yaml'], ['--onse'], ['--file']].map((args) => {
    const request = readStartArguments(args, '/')
    return request.kind === 'wrong' ? request.message : request.kind
  })
  assert.match(messages[0] ?? '', /--json goes with --once/)
  assert.match(messages[1] ?? '', /--once and --json are for the samples/)
  assert.match(messages[2] ?? '', /a file is given with --file/)
  assert.match(messages[3] ?? '', /did you mean --once/)
  assert.match(messages[4] ?? '', /--file/)
})

test('the help fits a terminal of 80 columns', () => {
  assert.deepEqual(
    HELP.split('\n').filter((line) => line.length > 80),
    [],
  )
})

test('the story takes nothing of the environment that points elsewhere', () => {
  const env = { PATH: '/bin', ONWARD_TOPIC_CASES: 'theirs', KAFKA_SSL: 'true', KAFKA_SASL_MECHANISM: 'plain' }
  const made = storyEnvironment(env, OURS, 'mark')
  assert.equal(made['PATH'], '/bin')
  assert.equal(made['KAFKA_SSL'], undefined)
  const settings = readSettings(made)
  assert.equal(settings.topics.cases, 'cases')
  assert.deepEqual(settings.kafka.brokers, ['127.0.0.1:1'])
})

test('on a cluster that is not ours the story has topics and a group of its own', () => {
  const settings = readSettings(storyEnvironment({ KAFKA_SSL: 'false' }, GIVEN, 'mark'))
  assert.equal(settings.groupId, 'mark')
  assert.equal(settings.topicPrefix, 'mark.onward.')
  assert.deepEqual(settings.topics, { forms: 'mark.forms', cases: 'mark.cases', apps: 'mark.apps' })
})

test('own rules on a given cluster leave its configuration alone and begin with what is new', () => {
  const settings = readSettings(ownRulesEnvironment({ ONWARD_TOPIC_CASES: 'theirs' }, GIVEN, 'mark'))
  assert.equal(settings.topics.cases, 'theirs')
  assert.equal(settings.topicPrefix, 'mark.onward.')
  assert.equal(settings.startFrom, 'latest')
})

test('loopback is allowed beside what somebody allows themselves', () => {
  const settings = readSettings(ownRulesEnvironment({ ONWARD_ALLOW_ADDRESSES: '10.0.0.0/8' }, OURS, 'mark'))
  assert.deepEqual(settings.allowAddresses, ['10.0.0.0/8', '127.0.0.0/8', '::1/128'])
})

test('the rules and the changes of the story are valid', () => {
  assert.equal(readForwardingFile(storyRules('http://127.0.0.1:9'), 'story').kind, 'read')
  for (const document of storyCases()) assert.equal(readDocument('cases', document).kind, 'case')
})

test('own rules with mistakes are refused with the place of each', (t) => {
  const file = fileOf(t, 'project: demo\nconnections:\n  - id: mine\n    url: ftp://x\nrepeaters: []\n')
  assert.throws(() => readOwnRules(file, {}, systemClock), /forwarding\.yaml:4:10: [^]*1 mistake: nothing was started/)
})

test('own rules that refer to a secret that is not there are refused by its name', (t) => {
  const file = fileOf(
    t,
    'project: demo\nconnections:\n  - id: mine\n    url: http://127.0.0.1:9\n    auth: { type: bearer, token: "${env:MY_TOKEN}" }\n' +
      'repeaters:\n  - { id: cases, connection: mine, forward: cases }\n',
  )
  assert.throws(() => readOwnRules(file, {}, systemClock), /demo\/mine: \$\{env:MY_TOKEN\}/)
  assert.equal(readOwnRules(file, { MY_TOKEN: 'x' }, systemClock).repeaters.length, 1)
})

test('a file that is not there is said to be so', () => {
  assert.throws(
    () => readOwnRules('/nowhere/forwarding.yaml', {}, systemClock),
    /\/nowhere\/forwarding.yaml cannot be read/,
  )
})

test('a sample change passes the filters of the first repeater that forwards its kind', (t) => {
  const words = fc.array(fc.string({ minLength: 1, maxLength: 8 }), { maxLength: 3 })
  const repeaters = fc.array(
    fc.record({
      forward: fc.constantFrom('cases', 'forms', 'form-stubs', 'apps'),
      caseTypes: words,
      excludeUsers: fc.subarray(['danny', 'danny-2', 'x']),
      formXmlns: words,
      on: fc.constantFrom('any', 'create', 'update'),
    }),
    { maxLength: 4 },
  )
  holdsFor(
    t,
    fc.property(repeaters, (given) => {
      const rules = given.map(({ forward, ...filters }, index) => repeaterOf(forward, filters, index))
      const kinds = new Set(given.map(({ forward }) => (forward === 'form-stubs' ? 'forms' : forward)))
      const samples = sampleChangesFor(rules, '2026-05-04T09:00:00.000Z')
      assert.equal(samples.length, kinds.size)
      for (const { source, document } of samples) {
        const change = readDocument(source, document)
        const first = rules.find(({ forward }) => (forward === 'form-stubs' ? 'forms' : forward) === source)
        assert.ok(first && matchRepeaters(change, rules).includes(first))
      }
    }),
  )
})

test('the lines to copy name murmur2 and quote what a shell would take apart', () => {
  const [sample] = sampleChangesFor([repeaterOf('cases', {}, 0)], '2026-05-04T09:00:00.000Z')
  assert.ok(sample)
  const files = { publish: '/tmp/with space/case.json', kcat: "/tmp/it's/cases.kcat" }
  assert.deepEqual(publishLines(sample, files), ['npx onward publish cases \\', "  --file '/tmp/with space/case.json'"])
  assert.deepEqual(kcatLines('cases', ['127.0.0.1:1'], files), [
    'kcat -P -b 127.0.0.1:1 -t cases \\',
    "  -K '|' -X partitioner=murmur2_random \\",
    "  -l '/tmp/it'\\''s/cases.kcat'",
  ])
  assert.match(sampleContents(sample).kcat, /^oak\|\{"project":"demo"/)
  assert.equal(shellWord('plain-1.2'), 'plain-1.2')
})

function repeaterOf(forward: Repeater['forward'], filters: Partial<Repeater['filters']>, index: number): Repeater {
  const project = projectId('demo')
  return {
    id: repeaterId(project, `r${index}`),
    project,
    connection: connectionId(project, 'mine'),
    forward,
    format: 'json',
    method: 'POST',
    supersede: 'waiting',
    onDeadLetter: 'continue',
    filters: { caseTypes: [], excludeUsers: [], formXmlns: [], on: 'any', ...filters },
    includeAppId: true,
    closedCase: 'close-only',
    version: '2.0',
    contentType: null,
  }
}

function fileOf(t: TestContext, content: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'onward start '))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'forwarding.yaml')
  writeFileSync(file, content)
  return file
}
