import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Payload } from '../../services/forwarder/render-payload/render-payload.ts'
import { renderRequest, targetOf } from '../../services/forwarder/render-request.ts'
import { repeaterId } from '../../services/shared/ids.ts'
import { USER_AGENT } from '../../services/shared/version.ts'
import { aConnection, aDelivery, aSourceRecord, demo } from '../support/changes.ts'
import { aRepeater } from './render-payload/changes.ts'

const payload: Extract<Payload, { kind: 'rendered' }> = {
  kind: 'rendered',
  body: Buffer.from('<data/>'),
  contentType: 'text/xml',
  headers: [['Received-On', '2015-04-17T20:14:34.046462Z']],
  appId: null,
}

const rendered = (url: string, appId: string | null = null) =>
  renderRequest(aDelivery(aSourceRecord()), aRepeater(), aConnection({ url }), { ...payload, appId }, 'request-1', [])

test('the headers are those of the contract, in its order, and those of the connection after them', () => {
  const record = aSourceRecord({
    topic: 'forms',
    partition: 3,
    offset: 42,
    traceparent: '00-aa-bb-01',
    tracestate: 'a=1',
  })
  const { headers, method, body } = renderRequest(
    aDelivery(record, { attempts: 2 }),
    aRepeater({ id: repeaterId(demo, 'patients'), method: 'PUT' }),
    aConnection(),
    payload,
    'request-1',
    [
      ['Authorization', 'Basic eA=='],
      ['X-Site', 'north'],
    ],
  )
  assert.deepEqual(headers, [
    ...['Content-Type', 'text/xml'],
    ...['User-Agent', USER_AGENT],
    ...['X-Request-Id', 'request-1'],
    ...['Idempotency-Key', '"demo/patients:forms:3:42"'],
    ...['Onward-Attempt', '3'],
    ...['Onward-Version', '42'],
    ...['traceparent', '00-aa-bb-01'],
    ...['tracestate', 'a=1'],
    ...['Received-On', '2015-04-17T20:14:34.046462Z'],
    ...['Authorization', 'Basic eA=='],
    ...['X-Site', 'north'],
  ])
  assert.equal(method, 'PUT')
  assert.equal(body, payload.body)
})

const WRITTEN: readonly (readonly [string, string])[] = [
  ['https://api.example', '/'],
  ['https://api.example/', '/'],
  ['https://api.example?x=1', '/?x=1'],
  ['https://api.example/a/b', '/a/b'],
  ['https://api.example/a?x=&y', '/a?x=&y'],
  ['https://api.example/a?x=a%20b', '/a?x=a%20b'],
  ['https://api.example/a?x=a+b', '/a?x=a+b'],
  ['https://api.example/a?x=1&x=2&x=', '/a?x=1&x=2&x='],
  ['https://api.example/a%2Fb/%e9/%E9', '/a%2Fb/%e9/%E9'],
  ["https://api.example/a'(b)!*?q='[1]{2}|^`", "/a'(b)!*?q='[1]{2}|^`"],
  ['https://api.example/a/../b/./c', '/a/../b/./c'],
  ['https://api.example//a//b', '//a//b'],
  ['https://api.example/a?next=http://other/?b=c', '/a?next=http://other/?b=c'],
  ['https://api.example/a?', '/a?'],
  ['https://api.example/a?x=1#part', '/a?x=1'],
  ['https://api.example/a#part?x=1', '/a'],
  ['HTTPS://API.EXAMPLE:8443/a', '/a'],
  ['https://api.example/fälle?ort=Zürich', '/f%C3%A4lle?ort=Z%C3%BCrich'],
]
for (const [url, path] of WRITTEN) {
  test(`${url} is asked for as ${path}`, () => {
    assert.equal(rendered(url).path, path)
  })
}

const WITH_APP: readonly (readonly [string, string, string])[] = [
  ['https://api.example/a', 'app-1', '/a?app_id=app-1'],
  ['https://api.example', 'app-1', '/?app_id=app-1'],
  ['https://api.example/a?x=a%20b&y=', 'app-1', '/a?x=a%20b&y=&app_id=app-1'],
  ['https://api.example/a?', 'app-1', '/a?app_id=app-1'],
  ['https://api.example/a?x=1&', 'app-1', '/a?x=1&app_id=app-1'],
  ['https://api.example/a?app_id=fixed', 'app-1', '/a?app_id=fixed&app_id=app-1'],
  ['https://api.example/a', 'a&b=c d/é', '/a?app_id=a%26b%3Dc%20d%2F%C3%A9'],
]
for (const [url, appId, path] of WITH_APP) {
  test(`the app ${appId} is added to ${url} as ${path}`, () => {
    assert.equal(rendered(url, appId).path, path)
  })
}

test('the origin is where the URL points, its default port left out', () => {
  assert.equal(targetOf('https://api.example:443/a').origin, 'https://api.example')
  assert.equal(targetOf('http://[::1]:8080/a').origin, 'http://[::1]:8080')
  assert.equal(targetOf('http://0x7f.1/a').origin, 'http://127.0.0.1')
})
