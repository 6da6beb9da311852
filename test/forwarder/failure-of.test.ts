import assert from 'node:assert/strict'
import { test } from 'node:test'
import { failureOf, letterOf } from '../../services/forwarder/failure-of.ts'
import type { SourceKind } from '../../services/shared/change.ts'
import { aConnection, aDelivery, aSourceRecord, caseValue } from '../support/changes.ts'

const FORM = JSON.stringify({
  project: 'demo',
  form_id: 'form-7',
  xmlns: 'http://example.org/visit',
  received_on: '2026-01-01T00:00:00Z',
  case_ids: ['case-1'],
  xml: '<data/>',
})
const APP = JSON.stringify({ project: 'demo', app_id: 'app-3', saved_on: '2026-01-01T00:00:00Z' })

const SAMPLES: readonly (readonly [source: SourceKind, value: string, what: string, id: string])[] = [
  ['forms', FORM, 'form', 'form-7'],
  ['cases', caseValue({ caseId: 'case-9' }), 'case', 'case-9'],
  ['apps', APP, 'app', 'app-3'],
]

for (const [source, value, what, id] of SAMPLES) {
  test(`one of the ${source} is told by the id of its ${what}, whatever lane it waits in`, () => {
    const delivery = aDelivery(aSourceRecord({ source, value: Buffer.from(value) }))
    const found = {
      outcome: { kind: 'broken', error: 'reset' },
      verdict: { kind: 'retry', wait: 1, spendsTry: true, silence: 0, error: 'reset' },
      error: 'reset',
    } as const
    const wanted = { what, id, repeater: 'demo/all' }
    assert.deepEqual(failureOf(delivery, aConnection(), found, new Map(), 0).sample(), wanted)
    assert.deepEqual(letterOf(delivery, 'rejected', '422\r\nno', false, new Map()), {
      ...wanted,
      reason: 'rejected',
      text: '422 no',
    })
  })
}
