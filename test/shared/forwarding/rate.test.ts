// Rates are written per second, minute or hour, and come back as they were.
import { test } from 'node:test'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { readRate, renderRate } from '../../../services/shared/forwarding/rate.ts'
import { holdsFor } from '../../support/property.ts'

test('a rate is a number of requests per second, minute or hour', () => {
  const cases = [
    ['50/s', 50],
    ['3000/m', 50],
    ['3600/h', 1],
    ['90/h', 0.025],
  ] as const
  for (const [text, rate] of cases) assert.equal(readRate(text), rate)
})

test('what is no rate is not read as one', () => {
  for (const text of ['', '50', '0/s', '-1/s', '1.5/s', '50/d', '50 / s', '50/s ', '9999999999/s']) {
    assert.equal(readRate(text), undefined, text)
  }
})

test('a rate is rendered in the shortest unit that keeps it whole, and read back as the same', (t) => {
  assert.deepEqual([renderRate(50), renderRate(0.5), renderRate(0.025)], ['50/s', '30/m', '90/h'])
  holdsFor(
    t,
    fc.property(fc.integer({ min: 1, max: 999_999_999 }), fc.constantFrom('s', 'm', 'h'), (count, unit) => {
      const rate = readRate(`${count}/${unit}`) ?? 0
      return readRate(renderRate(rate)) === rate
    }),
  )
})
