import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { judgeSuccess } from '../../services/forwarder/judge-success.ts'
import type { SuccessWhen } from '../../services/shared/forwarding/connection.ts'
import { holdsFor } from '../support/property.ts'

const condition = (part: Partial<SuccessWhen>): SuccessWhen => ({
  json: null,
  text: null,
  equals: null,
  exists: true,
  otherwise: 422,
  ...part,
})

for (const [part, body, lacking] of [
  [{ json: '/status', equals: 'ok' }, '{"status":"ok"}', null],
  [{ json: '/status', equals: 'ok' }, '\ufeff{"status":"ok"}', null],
  [{ json: '/status', equals: 'ok' }, '{"status":"OK"}', '/status of the answer is not "ok"'],
  [{ json: '/code', equals: 0 }, '{"code":0}', null],
  [{ json: '/code', equals: 0 }, '{"code":"0"}', '/code of the answer is not 0'],
  [{ json: '/ok', equals: false }, '{"ok":false}', null],
  [{ json: '/results/1/id' }, '{"results":[{},{"id":7}]}', null],
  [{ json: '/results/1/id' }, '{"results":[{}]}', 'the answer has no /results/1/id'],
  [{ json: '/error', exists: false }, '{"error":null}', null],
  [{ json: '/error', exists: false }, '{"error":""}', 'the answer has /error'],
  [{ json: '/a~1b/c~0d' }, '{"a/b":{"c~d":1}}', null],
  [{ json: '/length' }, '[1,2]', 'the answer has no /length'],
  [{ json: '/__proto__' }, '{}', 'the answer has no /__proto__'],
  [{ json: '/status' }, '{"status":', 'the answer is no whole JSON document'],
  [{ text: 'SUCCESS' }, '<r>SUCCESS</r>', null],
  [{ text: 'SUCCESS' }, '<r>ERROR</r>', 'the answer lacks "SUCCESS"'],
  [{ text: 'ERROR', exists: false }, '<r>ERROR</r>', 'the answer holds "ERROR"'],
  [{ text: 'ERROR', exists: false }, '', null],
] as const) {
  test(`${JSON.stringify(part)} of ${body}: ${lacking ?? 'success'}`, () => {
    assert.equal(judgeSuccess(condition(part), body), lacking)
  })
}

test('no body makes the judgement throw', (t) => {
  holdsFor(
    t,
    fc.property(fc.oneof(fc.string(), fc.json()), fc.stringMatching(/^(\/[a-z0-9~]{0,3}){1,4}$/), (body, json) => {
      judgeSuccess(condition({ json }), body)
    }),
  )
})
