// A forwarding file is read whole: every key, every default, and every kind of mistake with its place and its remedy.
import { test } from 'node:test'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { holdsFor } from '../../support/property.ts'
import { readForwardingFile } from '../../../services/shared/forwarding/forwarding-file.ts'
import { renderProblem, type Problem } from '../../../services/shared/forwarding/problem.ts'
import { readMarks } from './mistake.ts'
import { MISTAKES } from './mistakes.ts'

for (const { kind, file, told } of MISTAKES) {
  test(`a forwarding file with ${kind} is refused with place and remedy`, () => {
    const { text, places } = readMarks(file)
    const read = readForwardingFile(text, 'f.yaml')
    assert.ok(read.kind === 'invalid')
    assert.equal(read.problems.length, told.length, read.problems.map(renderProblem).join('\n'))
    for (const [index, { message, fix }] of told.entries()) {
      const problem: Problem | undefined = read.problems[index]
      assert.ok(problem)
      matches(problem.message, message)
      matches(problem.fix, fix)
      assert.deepEqual({ line: problem.line, column: problem.column }, places[index])
      assert.doesNotMatch(renderProblem(problem), /hunter2/, 'a secret is never repeated')
    }
  })
}

const matches = (text: string, expected: string | RegExp) =>
  typeof expected === 'string' ? assert.equal(text, expected) : assert.match(text, expected)

const EVERYTHING = `
project: demo
connections:
  - id: registry
    name: National registry
    url: https://registry.example/api/forms?a=1&b=%20
    auth: { type: basic, username: onward, password: \${env:REGISTRY_PASSWORD} }
    tls: { cert: "\${file:/c.pem}", key: "\${file:/k.pem}", keyPassphrase: "\${env:P}", ca: "\${file:/ca.pem}", verify: false, minVersion: TLSv1.3, serverName: api.example }
    signing: { type: standard-webhooks, secrets: [ "\${env:NEW}", "\${env:OLD}" ] }
    headers: { X-Source: onward, X-Token: "t \${file:/run/secrets/t}" }
    notify: [ops@example.org]
    limits: { concurrency: 4, rate: 3000/m, timeout: 1500ms }
    schedule: [1s, 1s, 5m]
    retryOn: [410]
    rejectOn: [404]
    successWhen: { json: /status, equals: 0, otherwise: 422 }
    maxAge: 7d
repeaters:
  - id: patients
    connection: registry
    forward: cases
    format: xml
    method: PUT
    supersede: never
    onDeadLetter: continue
    filters: { caseTypes: [patient], excludeUsers: [u1], formXmlns: [], on: create }
    closedCase: full
    version: 1.0
    contentType: application/xml; charset=utf-8
`

test('every key of a forwarding file is read', () => {
  const read = readForwardingFile(EVERYTHING, 'f.yaml')
  assert.deepEqual(read, {
    kind: 'read',
    project: 'demo',
    connections: [
      {
        id: 'demo/registry',
        project: 'demo',
        name: 'National registry',
        url: 'https://registry.example/api/forms?a=1&b=%20',
        auth: { type: 'basic', username: 'onward', password: '${env:REGISTRY_PASSWORD}' },
        tls: {
          cert: '${file:/c.pem}',
          key: '${file:/k.pem}',
          keyPassphrase: '${env:P}',
          ca: '${file:/ca.pem}',
          verify: false,
          minVersion: 'TLSv1.3',
          serverName: 'api.example',
        },
        signing: { type: 'standard-webhooks', secrets: ['${env:NEW}', '${env:OLD}'] },
        headers: { 'X-Source': 'onward', 'X-Token': 't ${file:/run/secrets/t}' },
        notify: ['ops@example.org'],
        limits: { concurrency: 4, rate: 50, timeout: 1_500 },
        schedule: [1_000, 1_000, 300_000],
        retryOn: [410],
        rejectOn: [404],
        successWhen: { json: '/status', text: null, equals: 0, exists: true, otherwise: 422 },
        maxAge: 604_800_000,
      },
    ],
    repeaters: [
      {
        id: 'demo/patients',
        project: 'demo',
        connection: 'demo/registry',
        forward: 'cases',
        format: 'xml',
        method: 'PUT',
        supersede: 'never',
        onDeadLetter: 'continue',
        filters: { caseTypes: ['patient'], excludeUsers: ['u1'], formXmlns: [], on: 'create' },
        includeAppId: true,
        closedCase: 'full',
        version: '1.0',
        contentType: 'application/xml; charset=utf-8',
      },
    ],
  })
})

test('a forwarding file of four keys gets every default', () => {
  const read = readForwardingFile(
    `{ project: demo,
      connections: [{ id: a, url: 'http://a.example' }],
      repeaters: [
        { id: c, connection: a, forward: cases },
        { id: f, connection: a, forward: forms },
        { id: s, connection: a, forward: form-stubs },
        { id: p, connection: a, forward: apps } ] }`,
    'f.yaml',
  )
  assert.ok(read.kind === 'read')
  const [connection] = read.connections
  assert.deepEqual(
    { ...connection, schedule: connection?.schedule.length },
    {
      id: 'demo/a',
      project: 'demo',
      name: 'a',
      url: 'http://a.example',
      auth: { type: 'none' },
      tls: null,
      signing: null,
      headers: {},
      notify: [],
      limits: { concurrency: 8, rate: null, timeout: 30_000 },
      schedule: 8,
      retryOn: [],
      rejectOn: [],
      successWhen: null,
      maxAge: 2_592_000_000,
    },
  )
  assert.deepEqual(
    read.repeaters.map(({ forward, format, method, supersede, includeAppId, closedCase, version, contentType }) => [
      forward,
      format,
      method,
      supersede,
      includeAppId,
      closedCase,
      version,
      contentType,
    ]),
    [
      ['cases', 'xml', 'POST', 'waiting', true, 'close-only', '2.0', null],
      ['forms', 'xml', 'POST', 'never', true, 'close-only', '2.0', null],
      ['form-stubs', 'json', 'POST', 'never', true, 'close-only', '2.0', null],
      ['apps', 'xml', 'POST', 'never', true, 'close-only', '2.0', null],
    ],
  )
})

test('a forwarding file may be JSON, indented with tabs', () => {
  const text = JSON.stringify(
    {
      project: 'demo',
      connections: [{ id: 'a', url: 'http://a.example', auth: { type: 'bearer', token: '${env:T}' } }],
      repeaters: [{ id: 'c', connection: 'a', forward: 'cases', version: '1.0' }],
    },
    null,
    '\t',
  )
  const read = readForwardingFile(text, 'f.json')
  assert.ok(read.kind === 'read', JSON.stringify(read))
  assert.deepEqual(read.connections[0]?.auth, { type: 'bearer', token: '${env:T}' })
})

test('all mistakes of a file are told at once, in the order of the file', () => {
  const read = readForwardingFile(
    `project: demo
connections:
  - id: Registry
    url: registry.example
    limits: { rate: fast }
repeaters:
  - id: a
    connection: other
    forward: everything
`,
    'f.yaml',
  )
  assert.ok(read.kind === 'invalid')
  assert.deepEqual(
    read.problems.map(({ line, column }) => `${line}:${column}`),
    ['3:9', '4:10', '5:21', '8:17', '9:14'],
  )
})

test('a problem is rendered as editors and people read it', () => {
  const problem = { file: 'f.yaml', line: 3, column: 9, message: 'it is wrong', fix: 'write it right' }
  assert.equal(renderProblem(problem), 'f.yaml:3:9: it is wrong\n    write it right')
})

test('an empty password is allowed, for it is no secret', () => {
  const read = readForwardingFile(
    `{ project: demo, connections: [{ id: a, url: 'http://a.example',
       auth: { type: basic, username: '\${env:API_KEY}', password: '' } }] }`,
    'f.yaml',
  )
  assert.ok(read.kind === 'read', JSON.stringify(read))
})

test('a header called __proto__ changes no object', () => {
  const read = readForwardingFile(
    `{ project: demo, connections: [{ id: a, url: 'http://a.example', headers: { __proto__: x } }] }`,
    'f.yaml',
  )
  assert.ok(read.kind === 'read', JSON.stringify(read))
  const headers = read.connections[0]?.headers ?? {}
  assert.equal(Object.getPrototypeOf(headers), Object.prototype)
  assert.deepEqual(Object.entries(headers), [['__proto__', 'x']])
})

test('no text makes the reader throw', (t) => {
  const parts = [
    'project: demo\n',
    'connections:\n',
    '  - id: a\n',
    '    url: ',
    '${env:A}',
    '{',
    '}',
    '[',
    '&a ',
    '*a',
    '\t',
  ]
  const fragment = fc.constantFrom(...parts, '---\n', '"', ': ', '!!', '|\n', '? ', '- ', '\n', '\ufdd0')
  const assembled = fc.array(fc.oneof(fragment, fc.string({ maxLength: 4 })), { maxLength: 30 })
  const texts = fc.oneof(
    fc.string({ unit: 'binary' }),
    assembled.map((written) => written.join('')),
  )
  holdsFor(
    t,
    fc.property(texts, (text) => {
      const read = readForwardingFile(text, 'f.yaml')
      if (read.kind === 'invalid') assert.ok(read.problems.every(({ line, column }) => line >= 1 && column >= 1))
      return read.kind === 'read' || read.problems.length > 0
    }),
  )
})
