import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Tiers } from '../../services/forwarder/tiers.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const tiers = new Tiers('onward.', [6 * HOUR, MINUTE, 30 * MINUTE, 5 * MINUTE, 2 * HOUR])

test('a wait goes to the longest tier that is not above it', () => {
  const chosen: readonly (readonly [number, string])[] = [
    [0, '1m'],
    [59_999, '1m'],
    [MINUTE, '1m'],
    [2 * MINUTE, '1m'],
    [10 * MINUTE, '5m'],
    [HOUR, '30m'],
    [3 * HOUR, '2h'],
    [81 * HOUR, '6h'],
  ]
  for (const [wait, name] of chosen) assert.equal(tiers.of(wait, undefined).name, name, `${wait} ms`)
})

test('while a connection is open its deliveries come back every minute, later every five, later every thirty', () => {
  const chosen: readonly (readonly [number, string])[] = [
    [0, '1m'],
    [5 * MINUTE - 1, '1m'],
    [5 * MINUTE, '5m'],
    [30 * MINUTE, '30m'],
    [72 * HOUR, '30m'],
  ]
  for (const [openFor, name] of chosen) assert.equal(tiers.of(0, openFor).name, name, `open for ${openFor} ms`)
  assert.equal(tiers.of(9 * HOUR, 0).name, '6h', 'a longer wait of the delivery itself stands')
})

test('the tiers have their topics, shortest first', () => {
  assert.deepEqual(
    tiers.all.map(({ topic }) => topic),
    ['onward.retry.1m', 'onward.retry.5m', 'onward.retry.30m', 'onward.retry.2h', 'onward.retry.6h'],
  )
  assert.equal(tiers.shortWait, 35_000)
  assert.equal(new Tiers('x.', [2_000]).shortWait, 2_000)
})
