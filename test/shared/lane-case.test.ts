import assert from 'node:assert/strict'
import { test } from 'node:test'
import { laneCase } from '../../services/shared/lane-case.ts'
import { caseId, formId } from '../../services/shared/ids.ts'
import { aCaseChange, aFormChange, anAppChange } from '../forwarder/render-payload/changes.ts'

const key = Buffer.from('the-key')

test("a case change's lane is the case of its body, whatever the record key is", () => {
  assert.equal(laneCase(aCaseChange({ caseId: caseId('c1') }), key), 'c1')
  assert.equal(laneCase(aCaseChange({ caseId: caseId('c1') }), null), 'c1')
})

test("a form's lane is the first case it touches, else the record key, else the form itself", () => {
  const touching = aFormChange({ caseIds: [caseId('c2'), caseId('c1')] })
  const touchingNone = aFormChange({ caseIds: [], formId: formId('f1') })
  assert.equal(laneCase(touching, key), 'c2')
  assert.equal(laneCase(touchingNone, key), 'the-key')
  assert.equal(laneCase(touchingNone, Buffer.alloc(0)), 'f1')
  assert.equal(laneCase(touchingNone, null), 'f1')
})

test("an app change's lane is its app", () => {
  assert.equal(laneCase(anAppChange({ appId: 'a1' }), key), 'a1')
})
