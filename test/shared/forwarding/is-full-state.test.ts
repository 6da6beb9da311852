import { test } from 'node:test'
import assert from 'node:assert/strict'
import { isFullState } from '../../../services/shared/forwarding/is-full-state.ts'
import { aCaseChange, aFormChange, anAppChange, aRepeater } from '../../forwarder/render-payload/changes.ts'

test('a case is a full state unless it is closed and sent as just a close block', () => {
  for (const [closed, format, closedCase, expected] of [
    [false, 'xml', 'close-only', true],
    [false, 'xml', 'full', true],
    [false, 'json', 'close-only', true],
    [true, 'xml', 'close-only', false],
    [true, 'xml', 'full', true],
    [true, 'json', 'close-only', true],
    [true, 'json', 'full', true],
  ] as const) {
    const full = isFullState(aCaseChange({ closed }), aRepeater({ format, closedCase }))
    assert.equal(full, expected, `closed ${String(closed)}, ${format}, ${closedCase}`)
  }
})

test('forms and app changes are events, never a full state', () => {
  assert.equal(isFullState(aFormChange(), aRepeater({ forward: 'forms' })), false)
  assert.equal(isFullState(aFormChange(), aRepeater({ forward: 'form-stubs' })), false)
  assert.equal(isFullState(anAppChange(), aRepeater({ forward: 'apps' })), false)
})
