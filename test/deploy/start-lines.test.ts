// What `npm start` writes: lines that fit, say what happened, and steer nobody's terminal.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stripVTControlCharacters, styleText } from 'node:util'
import fc from 'fast-check'
import { fitText, wrapText } from '../../deploy/local/start/fit-text.ts'
import { readLogEvent, type LogEvent } from '../../deploy/local/start/log-event.ts'
import { renderAccounts, renderAccountsJson } from '../../deploy/local/start/render-accounts.ts'
import { renderEvent, renderWait } from '../../deploy/local/start/render-attempt.ts'
import { renderNext } from '../../deploy/local/start/render-next.ts'
import { renderBrief, renderWhole } from '../../deploy/local/start/render-received.ts'
import { openScreen, type Paint } from '../../deploy/local/start/screen.ts'
import { holdsFor } from '../support/property.ts'

const WIDTH = 79
const plain: Paint = (_style, text) => text
const coloured: Paint = (style, text) => styleText(style, text, { validateStream: false })

const REQUEST = {
  at: 3_250,
  method: 'POST',
  target: '/guide?app_id=db9f874f0219444ee7848ddd023e292e',
  status: 503,
  headers: new Map([
    ['content-type', 'text/xml'],
    ['content-length', '24'],
    ['idempotency-key', '"demo/in-order:cases:1:4"'],
    ['onward-attempt', '2'],
    ['onward-version', '4'],
  ]),
  body: Buffer.from('<case case_id="oak"></case>'),
}

test('text that is cut ends with an ellipsis and never steers the terminal', () => {
  assert.equal(fitText('abcdef', 4), 'abc…')
  assert.equal(fitText('abcd', 4), 'abcd')
  assert.equal(fitText('a\r\n\tb\x1b[2Jc\x07\x9b', 40), 'a b·[2Jc··')
  assert.equal(fitText('abc', 0), '')
  assert.deepEqual(wrapText('one two three', 7), ['one two', 'three'])
})

test('a fitted text is never longer than asked for and holds no control character', (t) => {
  holdsFor(
    t,
    fc.property(fc.string({ unit: 'binary' }), fc.nat(40), (text, columns) => {
      const fitted = fitText(text, columns)
      assert.ok(Array.from(fitted).length <= columns)
      assert.doesNotMatch(fitted, /\p{Cc}/u)
    }),
  )
})

test('a whole request shows its line, its headers, and the length and beginning of its body', () => {
  assert.deepEqual(renderWhole(REQUEST, WIDTH, plain), [
    '  POST /guide?app_id=db9f874f0219444ee7848ddd023e292e  ← 503',
    '    Content-Type        text/xml',
    '    Content-Length      24',
    '    Idempotency-Key     "demo/in-order:cases:1:4"',
    '    Onward-Attempt      2',
    '    Onward-Version      4',
    '    27 bytes  <case case_id="oak"></case>',
  ])
})

test('a brief request says when, what was answered, whose it is, and which attempt', () => {
  const [first, second] = renderBrief({ ...REQUEST, target: '/shaky' }, 250, WIDTH, plain)
  assert.equal(first, '   3.0 s  ← 503  POST /shaky    in-order   attempt 2  version 4')
  assert.equal(second?.trim(), '27 bytes  <case case_id="oak"></case>')
})

test('requests of any content stay within the width', (t) => {
  const requests = fc.record({
    at: fc.nat(1e7),
    method: fc.string({ maxLength: 10 }),
    target: fc.webPath(),
    status: fc.integer({ min: 100, max: 599 }),
    headers: fc
      .dictionary(fc.constantFrom(...REQUEST.headers.keys()), fc.string({ maxLength: 200 }))
      .map((headers) => new Map(Object.entries(headers))),
    body: fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes)),
  })
  holdsFor(
    t,
    fc.property(requests, fc.constantFrom(60, 79, 119), (request, width) => {
      for (const line of [...renderWhole(request, width, coloured), ...renderBrief(request, 0, width, coloured)]) {
        assert.ok(Array.from(stripVTControlCharacters(line)).length <= width, line)
      }
    }),
  )
})

const ROW = {
  repeater: 'demo/in-order',
  made: 5,
  delivered: 3,
  superseded: 1,
  deadLettered: 1,
  waiting: 0,
  requests: 7,
}

test('the table of accounts is aligned and says that it closes', () => {
  const lines = renderAccounts({ rows: [ROW], bodyLengths: { a: 1135, b: 32 }, differences: [] }, WIDTH, plain)
  assert.deepEqual(lines.slice(0, 4), [
    '  repeater       made  delivered  superseded  dead-lettered  waiting  requests',
    '  demo/in-order     5          3           1              1        ·         7',
    `  ${'─'.repeat(76)}`,
    '  together          5          3           1              1        ·         7',
  ])
  assert.equal(lines.at(-1), "  ✓ the guide's examples arrived with 1135, 32 bytes")
  assert.ok(lines.every((line) => line.length <= WIDTH))
})

test('accounts that do not close say what differs and claim nothing else', () => {
  const accounts = { rows: [ROW], bodyLengths: {}, differences: ['demo/in-order: 1 deliveries wait'] }
  const lines = renderAccounts(accounts, WIDTH, plain)
  assert.ok(lines.includes('  ✗ demo/in-order: 1 deliveries wait'))
  assert.ok(!lines.some((line) => line.includes('✓')))
  assert.deepEqual(JSON.parse(renderAccountsJson(accounts, 1.5)), {
    closes: false,
    differences: accounts.differences,
    repeaters: [ROW],
    bodyLengths: {},
    seconds: 1.5,
  })
})

test('what to do next fits a terminal of 80 columns', () => {
  const topics = { forms: 'forms', cases: 'mark.cases', apps: null }
  const registryUrl = 'http://127.0.0.1:28081/apis/ccompat/v7'
  const place = { brokers: ['127.0.0.1:29092'], registryUrl, topics, topicPrefix: 'mark.onward.' }
  const lines = renderNext(place, { origin: 'http://127.0.0.1:45678' }, 'http://127.0.0.1:34567', plain)
  assert.deepEqual(
    lines.filter((line) => line.length > WIDTH),
    [],
  )
  assert.deepEqual(
    lines.filter((line) => line.startsWith('  export')),
    [
      '  export KAFKA_BROKERS=127.0.0.1:29092',
      `  export SCHEMA_REGISTRY_URL=${registryUrl}`,
      '  export ONWARD_TOPIC_CASES=mark.cases',
      '  export ONWARD_TOPIC_APPS=',
      '  export ONWARD_TOPIC_PREFIX=mark.onward.',
    ],
  )
})

test('a delivered attempt is one quiet line', () => {
  const lines = renderEvent(attempted({ status: 200, verdict: 'delivered', duration: 12.3 }), WIDTH, plain)
  assert.equal(lines.length, 1)
  assert.match(lines[0] ?? '', /← 200 {2}demo\/cases {2}oak {2}version 4 {2}attempt 1 {2}12.3 ms$/)
})

test('a refused attempt says when it comes again and what the remote said', () => {
  const lines = renderEvent(attempted({ status: 503, verdict: 'retry', wait: 1_100, error: '503: busy' }), WIDTH, plain)
  assert.match(lines[0] ?? '', /← 503 {2}demo\/cases .* again in 1.1 s$/)
  assert.equal(lines[1]?.trim(), '503: busy')
})

test('an endpoint that nobody listens at is asked after once', () => {
  const refused = { status: null, verdict: 'retry', wait: 1_000, outcome: 'unreachable', error: 'connect ECONNREFUSED' }
  assert.match(renderEvent(attempted(refused), WIDTH, plain).at(-1) ?? '', /Does the endpoint run/)
  assert.equal(renderEvent(attempted({ ...refused, attempt: 2 }), WIDTH, plain).length, 2)
})

test('dead letters are told loudly, with the place of the record', () => {
  const event = { event: 'dead-lettered', level: 'warn', at: '2026-05-04T09:00:00Z' }
  const place = { topic: 'cases', partition: 1, offset: 7 }
  const [line] = renderEvent({ ...event, fields: { ...place, repeater: 'demo/a', reason: 'rejected' } }, WIDTH, plain)
  assert.equal(line?.trim(), 'DEAD LETTER: demo/a, rejected, offset 7 of cases-1')
  const unreadable = renderEvent(
    { ...event, fields: { ...place, reason: 'unreadable', error: 'no JSON' } },
    WIDTH,
    plain,
  )
  assert.equal(unreadable.at(-1)?.trim(), 'no JSON')
})

test('the quiet events of the forwarder and lines that are none are not shown', () => {
  const quiet = readLogEvent('{"at":"2026-05-04T09:00:00Z","level":"info","event":"partition-started"}')
  assert.ok(quiet)
  assert.deepEqual(renderEvent(quiet, WIDTH, plain), [])
  assert.equal(readLogEvent('{"at":'), undefined)
  assert.equal(readLogEvent('Warning: something'), undefined)
})

test('waits are written in the unit a person would use', () => {
  assert.deepEqual([950, 59_000, 60_000, 3_600_000].map(renderWait), ['0.9 s', '59.0 s', '1 min', '1.0 h'])
})

test('colours and moving lines are for terminals that want them', () => {
  const written: string[] = []
  const stream = { isTTY: true, columns: 100, write: (text: string) => written.push(text) }
  assert.equal(openScreen(stream, true).paint('red', 'x'), 'x')
  assert.equal(openScreen({ ...stream, isTTY: false }, false).paint('red', 'x'), 'x')
  const screen = openScreen(stream, false)
  assert.equal(screen.paint('red', 'x'), '\x1b[31mx\x1b[39m')
  assert.equal(screen.width, 99)
  openScreen(stream, true).progress.step('broker').done()
  assert.doesNotMatch(written.join(''), /\x1b|\r/)
})

function attempted(fields: Readonly<Record<string, unknown>>): LogEvent {
  const base = {
    repeater: 'demo/cases',
    connection: 'demo/mine',
    case: 'oak',
    version: 4,
    attempt: 1,
    outcome: 'answered',
  }
  return { event: 'attempted', level: 'info', at: '2026-05-04T09:00:00Z', fields: { ...base, ...fields } }
}
