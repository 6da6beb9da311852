import { test } from 'node:test'
import assert from 'node:assert/strict'
import type { Change } from '../../../services/shared/change.ts'
import type { Repeater } from '../../../services/shared/forwarding/repeater.ts'
import { renderPayload, type Payload } from '../../../services/forwarder/render-payload/render-payload.ts'
import { aCaseChange, aFormChange, anAppChange, aRepeater, instant, sample } from './changes.ts'

function rendered(change: Change, repeater: Partial<Repeater>): Extract<Payload, { kind: 'rendered' }> {
  const payload = renderPayload(change, aRepeater(repeater))
  assert.equal(payload.kind, 'rendered')
  return payload
}

function refused(change: Change, repeater: Partial<Repeater>): string {
  const payload = renderPayload(change, aRepeater(repeater))
  assert.equal(payload.kind, 'unrenderable')
  return payload.error
}

const notXml = Buffer.from('<data>')

test("the guide's form is forwarded byte for byte: 1135 bytes", () => {
  const change = aFormChange()
  const { body } = rendered(change, { forward: 'forms' })
  assert.equal(body.length, 1135)
  assert.deepEqual(body, sample('form-trees.xml'))
  assert.equal(body, change.xml, 'and not even copied')
})

test("the guide's case block comes out byte for byte: 324 bytes", () => {
  const { body } = rendered(aCaseChange(), {})
  assert.equal(body.length, 324)
  assert.deepEqual(body, sample('case-trees.expected.xml'))
})

test("the guide's form stub comes out byte for byte: 151 bytes", () => {
  const { body } = rendered(aFormChange(), { forward: 'form-stubs' })
  assert.equal(body.length, 151)
  assert.deepEqual(body, sample('form-stub-trees.expected.json'))
})

test("the guide's app change comes out byte for byte: 32 bytes", () => {
  const { body } = rendered(anAppChange(), { forward: 'apps' })
  assert.equal(body.length, 32)
  assert.deepEqual(body, sample('app-schema.expected.txt'))
})

test('each payload has its content type, its header and, for whole forms only, the app id', () => {
  const received = [['Received-On', '2015-04-17T20:14:34.046462Z']]
  const modified = [['Server-Modified-On', '2012-04-05T23:56:41.000000Z']]
  const app = 'db9f874f0219444ee7848ddd023e292e'
  const rows: readonly [Change, Partial<Repeater>, string, string[][], string | null][] = [
    [aFormChange(), { forward: 'forms', format: 'xml' }, 'text/xml', received, app],
    [aFormChange(), { forward: 'forms', format: 'json' }, 'application/json', received, app],
    [aFormChange(), { forward: 'form-stubs' }, 'application/json', received, null],
    [aCaseChange(), { format: 'xml' }, 'text/xml', modified, null],
    [aCaseChange(), { format: 'json' }, 'application/json', modified, null],
    [aCaseChange(), { version: '1.0' }, 'text/xml', modified, null],
    [anAppChange(), { forward: 'apps' }, 'text/xml', [], null],
  ]
  for (const [change, repeater, contentType, headers, appId] of rows) {
    const payload = rendered(change, repeater)
    const about = `${change.kind} ${JSON.stringify(repeater)}`
    assert.equal(payload.contentType, contentType, about)
    assert.deepEqual(payload.headers, headers, about)
    assert.equal(payload.appId, appId, about)
    assert.equal(rendered(change, { ...repeater, contentType: 'text/plain' }).contentType, 'text/plain', about)
  }
})

test('the app id is left out when the repeater says so or the form has none', () => {
  assert.equal(rendered(aFormChange(), { forward: 'forms', includeAppId: false }).appId, null)
  assert.equal(rendered(aFormChange({ appId: null }), { forward: 'forms' }).appId, null)
  assert.equal(rendered(aFormChange({ appId: '' }), { forward: 'forms' }).appId, null)
})

test('a form that is no XML is forwarded as it came, and refused with line and column where it must be read', () => {
  const change = aFormChange({ xml: notXml, caseIds: [] })
  assert.equal(rendered(change, { forward: 'forms' }).body, notXml)
  const error = 'line 1, column 1: <data> is never closed'
  assert.equal(refused(change, { forward: 'forms', format: 'json' }), error)
  assert.equal(refused(change, { forward: 'form-stubs' }), error)
})

test('a stub takes the case ids that upstream gives, and reads the document only when there are none', () => {
  assert.deepEqual(
    rendered(aFormChange({ xml: notXml }), { forward: 'form-stubs' }).body,
    sample('form-stub-trees.expected.json'),
  )
  assert.deepEqual(
    rendered(aFormChange({ caseIds: [] }), { forward: 'form-stubs' }).body,
    sample('form-stub-trees.expected.json'),
  )
})

test('the stub of a form that touches no case has an empty list', () => {
  const change = aFormChange({ caseIds: [], xml: Buffer.from('<data/>'), receivedOn: instant('2020-01-01T00:00:00Z') })
  assert.equal(
    rendered(change, { forward: 'form-stubs' }).body.toString(),
    '{"received_on": "2020-01-01T00:00:00.000000Z", "form_id": "afcb3026-c4b3-463f-85ec-0cb9a2737fc5", "case_ids": []}',
  )
})

test('an app change is the build id when a new version was built', () => {
  assert.equal(rendered(anAppChange({ buildId: 'b-9' }), { forward: 'apps' }).body.toString(), 'b-9')
  assert.equal(rendered(anAppChange({ appId: 'a-1', buildId: '' }), { forward: 'apps' }).body.toString(), 'a-1')
})

test('an app id that neither UTF-8 nor a URL can hold is refused', () => {
  assert.match(refused(anAppChange({ appId: 'a\ud800' }), { forward: 'apps' }), /half a character/)
  assert.match(refused(aFormChange({ appId: 'a\ud800' }), { forward: 'forms' }), /app_id holds half a character/)
})

test('a change of another kind than the repeater forwards is refused, never sent as something else', () => {
  assert.equal(refused(aFormChange(), { forward: 'cases' }), 'a repeater that forwards cases sends no form change')
  assert.equal(refused(aFormChange(), { forward: 'apps' }), 'a repeater that forwards apps sends no form change')
  assert.equal(refused(aCaseChange(), { forward: 'forms' }), 'a repeater that forwards forms sends no case change')
  assert.equal(refused(anAppChange(), { forward: 'cases' }), 'a repeater that forwards cases sends no app change')
})
