import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judgeLetter } from '../../../services/cli/dead-letters/judge-letter.ts'
import type { LetterChange } from '../../../services/cli/dead-letters/letter-case.ts'
import { caseId } from '../../../services/shared/ids.ts'
import { aCaseChange, aFormChange, aRepeater } from '../../forwarder/render-payload/changes.ts'
import { aLetter, AT } from './letters.ts'

type Known = Exclude<LetterChange, { kind: 'schema-needed' }>

const state = (closed = false): Known => ({
  kind: 'read',
  change: aCaseChange({ caseId: caseId('in-the-body'), closed }),
  case: 'in-the-body',
})
const unread: Known = { kind: 'unknown', case: 'case-1', cause: 'unknown-schema' }
const inForce =
  (repeater = aRepeater()) =>
  (id: string) =>
    id === repeater.id ? repeater : undefined

test('a candidate has what its requeue record says: the case of the body, and whether it is a full state', () => {
  const judged = judgeLetter(aLetter(), state(), inForce())
  assert.deepEqual(judged, {
    kind: 'candidate',
    candidate: {
      letter: { partition: 0, offset: 0 },
      repeater: aRepeater(),
      source: { topic: 'cases', partition: 0, offset: 7, base: 0, timestamp: AT },
      case: 'in-the-body',
      full: true,
      isState: true,
      sourceKey: 'case-1',
      ifHeld: false,
      bytes: 2,
    },
  })
})

const FORM: Known = { kind: 'read', change: aFormChange(), case: 'case-1' }

test('what is no full state, or not known to be one, is none', () => {
  for (const [title, change, repeater, expected] of [
    ['a close block', state(true), aRepeater(), { full: false, isState: true }],
    ['a closed case in full', state(true), aRepeater({ closedCase: 'full' }), { full: true, isState: true }],
    ['a form', FORM, aRepeater({ forward: 'forms' }), { full: false, isState: false }],
    ['a value that cannot be read here', unread, aRepeater(), { full: false, isState: true, case: 'case-1' }],
  ] as const) {
    const judged = judgeLetter(aLetter(), change, inForce(repeater))
    assert.ok(judged.kind === 'candidate', title)
    assert.partialDeepStrictEqual(judged.candidate, expected, title)
  }
})

test('what cannot be put back is refused with a sentence', () => {
  for (const [letter, change, why] of [
    [{ ...aLetter(), repeater: null }, state(), /it has no repeater/],
    [aLetter({ headers: { 'onward-source-offset': '' } }), state(), /do not say which source record/],
    [{ ...aLetter(), repeater: 'demo/gone' }, state(), /demo\/gone is not configured/],
    [aLetter(), { ...unread, cause: 'foreign-topic' }, /cases is no source topic/],
    [aLetter({ value: null }), { ...unread, cause: 'no-value' }, /its value was left out/],
    [aLetter({ key: null }), { ...unread, case: null }, /it has no key/],
  ] as const) {
    const judged = judgeLetter(letter, change, inForce())
    assert.ok(judged.kind === 'refused')
    assert.match(judged.why, why)
  }
})
