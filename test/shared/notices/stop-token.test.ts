import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { connectionId } from '../../../services/shared/ids.ts'
import { readStopToken, renderStopToken, type StopWish } from '../../../services/shared/notices/stop-token.ts'
import { demo } from '../../support/changes.ts'
import { holdsFor } from '../../support/property.ts'

const OLD = 'o'.repeat(32)
const NEW = 'n'.repeat(32)
const NOW = Date.UTC(2026, 0, 2)
const DAY = 86_400_000
const WISH: StopWish = {
  address: 'ops@example.org',
  scope: { kind: 'connection', connection: connectionId(demo, 'remote') },
}

test('a token says who wants to stop what, for each of the secrets that are accepted', () => {
  const token = renderStopToken(OLD, WISH, NOW)
  assert.match(token, /^[\w-]+\.[\w-]+$/)
  assert.deepEqual(readStopToken([NEW, OLD], token, NOW), { kind: 'valid', ...WISH })
  assert.deepEqual(readStopToken([NEW], token, NOW), { kind: 'forged' })
  assert.deepEqual(readStopToken([], token, NOW), { kind: 'forged' })
})

test('a token works for half a year', () => {
  const token = renderStopToken(NEW, { address: 'a@b.example', scope: { kind: 'all' } }, NOW)
  assert.equal(readStopToken([NEW], token, NOW + 180 * DAY).kind, 'valid')
  assert.equal(readStopToken([NEW], token, NOW + 181 * DAY).kind, 'expired')
})

test('a token that was changed in any place is forged', (t) => {
  const token = renderStopToken(NEW, WISH, NOW)
  const place = fc.nat(token.length - 1)
  holdsFor(
    t,
    fc.property(
      place,
      fc.constantFrom('A', 'b', '0', '9', '-', '_', '.', '~', '%', '/', ' ', 'é'),
      fc.constantFrom('replace', 'insert', 'cut'),
      (at, character, how) => {
        const rest = how === 'replace' ? at + 1 : at
        const changed = how === 'cut' ? token.slice(0, at) : token.slice(0, at) + character + token.slice(rest)
        if (changed === token) return
        assert.equal(readStopToken([NEW], changed, NOW).kind, 'forged')
      },
    ),
    1_000,
  )
})

test('any text is read without a throw', (t) => {
  holdsFor(
    t,
    fc.property(fc.string({ unit: 'binary', maxLength: 3_000 }), (text) => {
      assert.equal(readStopToken([NEW], text, NOW).kind, 'forged')
    }),
  )
})
