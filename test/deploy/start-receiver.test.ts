// The receiver of `npm start`: what it keeps, and how it fails when told to.
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { decideAnswer, openReceiver, type Receiver, type ReceivedRequest } from '../../deploy/local/start/receiver.ts'
import { readReceived } from '../../deploy/local/start/read-received.ts'
import { systemClock } from '../../services/shared/clock.ts'

test('a receiver keeps the target, headers and bytes of each request as they came', async (t) => {
  const { receiver, told } = await receiverOf(t)
  const body = Buffer.from([0x7b, 0xff, 0x00, 0x0a])
  const headers = { 'Idempotency-Key': '"demo/a:cases:2:7"', 'Onward-Attempt': '3', 'Onward-Version': '7' }
  const response = await fetch(`${receiver.origin}/path?b=%20&a=1`, { method: 'PUT', headers, body })
  assert.equal(response.status, 200)
  const [request] = receiver.requests
  assert.ok(request)
  assert.deepEqual(told, [request])
  assert.equal(request.method, 'PUT')
  assert.equal(request.target, '/path?b=%20&a=1')
  assert.deepEqual(request.body, body)
  assert.equal(request.headers.get('idempotency-key'), '"demo/a:cases:2:7"')
  assert.equal(readReceived(request)?.repeater, 'demo/a')
})

test('a path that fails a number of times answers well afterwards, and no other path fails', async (t) => {
  const { receiver } = await receiverOf(t)
  receiver.behave('/shaky', { kind: 'fail-times', status: 503, times: 2, body: 'not now' })
  const statuses: number[] = []
  for (const path of ['/shaky', '/steady', '/shaky?again', '/shaky']) {
    const response = await fetch(`${receiver.origin}${path}`, { method: 'POST', body: 'x' })
    await response.text()
    statuses.push(response.status)
  }
  assert.deepEqual(statuses, [503, 200, 503, 200])
})

test('a path that fails for a time counts it from its first request', () => {
  const behaviour = { kind: 'fail-for', status: 503, millis: 2_000, body: 'later' } as const
  assert.equal(decideAnswer(behaviour, 0, 0).status, 503)
  assert.equal(decideAnswer(behaviour, 9, 1_999).status, 503)
  assert.equal(decideAnswer(behaviour, 1, 2_000).status, 200)
})

test('a path that refuses gives the same answer for ever', () => {
  const behaviour = { kind: 'refuse', status: 422, body: 'no' } as const
  assert.deepEqual(decideAnswer(behaviour, 1_000, 1e9), behaviour)
})

test('the case of a request is read from a case block and from a case in JSON', () => {
  assert.equal(readReceived(received('<case case_id="oak" date_modified="x">'))?.caseId, 'oak')
  assert.equal(readReceived(received('{"case_id":"oak","closed":false}'))?.caseId, 'oak')
  assert.equal(readReceived(received('<data/>'))?.caseId, null)
})

function received(body: string): ReceivedRequest {
  const headers = new Map([
    ['idempotency-key', '"demo/a:cases:0:1"'],
    ['onward-attempt', '1'],
    ['onward-version', '1'],
  ])
  return { at: 0, method: 'POST', target: '/', status: 200, headers, body: Buffer.from(body) }
}

async function receiverOf(t: TestContext): Promise<{ receiver: Receiver; told: ReceivedRequest[] }> {
  const told: ReceivedRequest[] = []
  const receiver = await openReceiver(systemClock, (request) => told.push(request))
  t.after(() => receiver[Symbol.asyncDispose]())
  return { receiver, told }
}
