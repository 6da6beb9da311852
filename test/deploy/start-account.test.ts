// The accounts of `npm start`: they close when four books agree, and name what differs when one of them is touched.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { account, type Books } from '../../deploy/local/start/account.ts'
import { checkOrder } from '../../deploy/local/start/check-order.ts'
import { countDeadLetters, countLogged } from '../../deploy/local/start/read-log-records.ts'
import { readMetrics, settledOf } from '../../deploy/local/start/read-metrics.ts'
import type { ReceivedRequest } from '../../deploy/local/start/receiver.ts'
import type { Expected } from '../../deploy/local/start/story.ts'
import { holdsFor } from '../support/property.ts'

const EXPECTED: readonly Expected[] = [
  { repeater: 'demo/stubs', made: 1, deadLettered: 0, everyState: true, bodyLength: 4 },
  { repeater: 'demo/newest', made: 3, deadLettered: 0, everyState: false, bodyLength: null },
  { repeater: 'demo/strict', made: 1, deadLettered: 1, everyState: true, bodyLength: null },
]

test('accounts close when counters, topics and receiver tell the same', () => {
  const { rows, differences, bodyLengths } = account(EXPECTED, goodBooks())
  assert.deepEqual(differences, [])
  assert.deepEqual(bodyLengths, { 'demo/stubs': 4 })
  assert.deepEqual(rows[1], {
    repeater: 'demo/newest',
    made: 3,
    delivered: 1,
    superseded: 2,
    deadLettered: 0,
    waiting: 0,
    requests: 2,
  })
})

test('accounts name the request that never came', () => {
  const books = goodBooks()
  const { differences } = account(EXPECTED, { ...books, requests: books.requests.slice(1) })
  assert.deepEqual(differences, [
    'demo/stubs: 1 counted as delivered, and the receiver accepted 0',
    "demo/stubs: the guide's example has 4 bytes, and no body came",
  ])
})

test('accounts name a dead letter that the topic does not hold', () => {
  const { differences } = account(EXPECTED, { ...goodBooks(), deadLetters: new Map() })
  assert.deepEqual(differences, ['demo/strict: onward.dead-letters holds 0, not 1'])
})

test('accounts name a delivery that the log of deliveries does not tell of', () => {
  const books = goodBooks()
  const { differences } = account(EXPECTED, { ...books, deliveries: new Map([...books.deliveries].slice(1)) })
  assert.deepEqual(differences, ['demo/stubs: onward.deliveries tells of 0 delivered, not 1'])
})

test('accounts name what waits, and the gauge that denies it', () => {
  const books = goodBooks()
  const repeaters = new Map(books.counters.repeaters)
  repeaters.set('demo/newest', { made: 3, delivered: 1, superseded: 1, deadLettered: 0 })
  const { differences } = account(EXPECTED, { ...books, counters: { ...books.counters, repeaters } })
  assert.deepEqual(differences, [
    'demo/newest: 1 deliveries wait',
    'demo/newest: onward.deliveries tells of 2 superseded, not 1',
    'onward_deliveries_waiting says 0, and made less settled is 1',
  ])
})

test('accounts name a body of another length than the guide gives', () => {
  const books = goodBooks()
  const [stub, ...others] = books.requests
  assert.ok(stub)
  const { differences } = account(EXPECTED, {
    ...books,
    requests: [{ ...stub, body: Buffer.from('stubs') }, ...others],
  })
  assert.deepEqual(differences, ["demo/stubs: the guide's example has 4 bytes, and 5 came"])
})

test('accounts name deliveries of a repeater that nobody expected', () => {
  const books = goodBooks()
  const stranger = request({ repeater: 'demo/stranger', offset: 9 })
  const { differences } = account(EXPECTED, { ...books, requests: [...books.requests, stranger] })
  assert.deepEqual(differences, ['nobody expected deliveries of demo/stranger'])
})

test('attempts of one version may repeat, and versions may only rise', () => {
  const first = request({ repeater: 'demo/newest', offset: 1, status: 503 })
  const again = request({ repeater: 'demo/newest', offset: 1, attempt: 2 })
  const next = request({ repeater: 'demo/newest', offset: 2 })
  assert.deepEqual(checkOrder([first, again, next]), [])
  assert.deepEqual(checkOrder([next, again]), ['demo/newest, case oak: version 1 came after version 2'])
  assert.deepEqual(checkOrder([again, again]), ['demo/newest, case oak: version 1 was accepted and came again'])
  assert.deepEqual(checkOrder([first, first]), ['demo/newest, case oak: attempt 1 came after attempt 1'])
})

test('two cases and two repeaters are each in an order of their own', () => {
  const requests = [
    request({ repeater: 'demo/newest', offset: 5 }),
    request({ repeater: 'demo/newest', offset: 1, caseId: 'elm' }),
    request({ repeater: 'demo/steady', offset: 2 }),
  ]
  assert.deepEqual(checkOrder(requests), [])
})

test('a request without the contract’s headers is a difference, not a crash', () => {
  const { headers, ...rest } = request({ repeater: 'demo/newest', offset: 1 })
  const without = new Map([...headers].filter(([name]) => name !== 'idempotency-key'))
  assert.equal(checkOrder([{ ...rest, headers: without }]).length, 1)
})

test('any order in which versions fall is told, and any rising one is not', (t) => {
  const versions = fc.uniqueArray(fc.nat(1_000), { minLength: 2, maxLength: 20 })
  holdsFor(
    t,
    fc.property(versions, (given) => {
      const problems = checkOrder(given.map((offset) => request({ repeater: 'demo/steady', offset })))
      const falls = given.filter((version, index) => index > 0 && version < (given[index - 1] ?? 0)).length
      assert.equal(problems.length, falls)
    }),
  )
})

test('metrics are read by repeater, verdict and topic', () => {
  const books = readMetrics(
    [
      '# HELP onward_deliveries_made_total Deliveries made of changes.',
      'onward_deliveries_made_total{repeater="demo/a"} 7',
      'onward_deliveries_settled_total{repeater="demo/a",verdict="delivered"} 3',
      'onward_deliveries_settled_total{repeater="demo/a",verdict="dead-letter"} 1',
      'onward_deliveries_waiting{connection="demo/x"} 2',
      'onward_deliveries_waiting{connection="demo/y"} 1',
      'onward_changes_consumed_total{topic="cases",result="unmatched"} 4',
      'onward_changes_consumed_total{topic="cases",result="matched"} 9',
      'process_cpu_seconds_total 1.5',
      '',
    ].join('\n'),
  )
  assert.deepEqual(books.repeaters.get('demo/a'), { made: 7, delivered: 3, superseded: 0, deadLettered: 1 })
  assert.equal(books.waiting, 3)
  assert.equal(settledOf(books), 4)
  assert.deepEqual([...books.unmatched], [['cases', 4]])
})

test('a failed attempt in the log of deliveries is no end of a delivery', () => {
  const page = {
    v: 1,
    repeaters: ['demo/a', 'demo/b'],
    entries: [
      ['failed', 0],
      ['delivered', 0],
      ['superseded', 1],
      ['dead-letter', 1],
    ],
  }
  const counts = countLogged([Buffer.from(JSON.stringify(page)), Buffer.from(JSON.stringify(page))])
  assert.deepEqual(counts.get('demo/a'), { delivered: 2, superseded: 0, deadLettered: 0 })
  assert.deepEqual(counts.get('demo/b'), { delivered: 0, superseded: 2, deadLettered: 2 })
})

test('a dead letter without repeater is counted as a record that could not be read', () => {
  const record = { partition: 0, offset: 0, timestamp: 0, key: null, value: null }
  const counts = countDeadLetters([
    { ...record, headers: { 'onward-repeater': Buffer.from('demo/a') } },
    { ...record, headers: {} },
  ])
  assert.deepEqual(
    [...counts],
    [
      ['demo/a', 1],
      ['', 1],
    ],
  )
})

function goodBooks(): Books {
  return {
    counters: {
      repeaters: new Map([
        ['demo/stubs', { made: 1, delivered: 1, superseded: 0, deadLettered: 0 }],
        ['demo/newest', { made: 3, delivered: 1, superseded: 2, deadLettered: 0 }],
        ['demo/strict', { made: 1, delivered: 0, superseded: 0, deadLettered: 1 }],
      ]),
      waiting: 0,
      unmatched: new Map(),
    },
    deliveries: new Map([
      ['demo/stubs', { delivered: 1, superseded: 0, deadLettered: 0 }],
      ['demo/newest', { delivered: 1, superseded: 2, deadLettered: 0 }],
      ['demo/strict', { delivered: 0, superseded: 0, deadLettered: 1 }],
    ]),
    deadLetters: new Map([['demo/strict', 1]]),
    requests: [
      request({ repeater: 'demo/stubs', offset: 0, body: 'stub' }),
      request({ repeater: 'demo/newest', offset: 1, status: 503 }),
      request({ repeater: 'demo/newest', offset: 3 }),
      request({ repeater: 'demo/strict', offset: 4, status: 422 }),
    ],
  }
}

type Wanted = {
  readonly repeater: string
  readonly offset: number
  readonly attempt?: number
  readonly status?: number
  readonly caseId?: string
  readonly body?: string
}

function request({ repeater, offset, attempt = 1, status = 200, caseId = 'oak', body }: Wanted): ReceivedRequest {
  return {
    at: 0,
    method: 'POST',
    target: '/x',
    status,
    headers: new Map([
      ['idempotency-key', `"${repeater}:cases:0:${offset}"`],
      ['onward-attempt', String(attempt)],
      ['onward-version', String(offset)],
    ]),
    body: Buffer.from(body ?? `<case case_id="${caseId}" date_modified="">`),
  }
}
