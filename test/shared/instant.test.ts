import { test } from 'node:test'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { asMicros } from '../../services/shared/change.ts'
import { readInstant, renderInstant } from '../../services/shared/instant.ts'
import { holdsFor } from '../support/property.ts'

test('an instant is written with six fraction digits and Z, whatever it is', () => {
  for (const [micros, text] of [
    [0, '1970-01-01T00:00:00.000000Z'],
    [1, '1970-01-01T00:00:00.000001Z'],
    [-1, '1969-12-31T23:59:59.999999Z'],
    [1_429_301_674_046_462, '2015-04-17T20:14:34.046462Z'],
    [1_429_301_674_000_000, '2015-04-17T20:14:34.000000Z'],
    [999_010, '1970-01-01T00:00:00.999010Z'],
  ] as const) {
    assert.equal(renderInstant(asMicros(micros)), text)
  }
})

test('ISO 8601 text is read with Z or any spelling of an offset, and cut at the microsecond', () => {
  for (const [text, inUtc] of [
    ['2015-04-17T20:14:34Z', '2015-04-17T20:14:34.000000Z'],
    ['2015-04-17T20:14:34.Z', '2015-04-17T20:14:34.000000Z'],
    ['2015-04-17T20:14:34.5Z', '2015-04-17T20:14:34.500000Z'],
    ['2015-04-17T20:14:34,5Z', '2015-04-17T20:14:34.500000Z'],
    ['2015-04-17T20:14:34.046462Z', '2015-04-17T20:14:34.046462Z'],
    ['2015-04-17T20:14:34.123456999Z', '2015-04-17T20:14:34.123456Z'],
    ['2015-04-17T16:04:54.950-04', '2015-04-17T20:04:54.950000Z'],
    ['2015-04-17T16:04:54.950-0430', '2015-04-17T20:34:54.950000Z'],
    ['2015-04-17T16:04:54.950+05:30', '2015-04-17T10:34:54.950000Z'],
    ['2015-12-31T23:30:00-01:00', '2016-01-01T00:30:00.000000Z'],
    ['2016-02-29T00:00:00Z', '2016-02-29T00:00:00.000000Z'],
    ['2000-02-29T12:00:00+00', '2000-02-29T12:00:00.000000Z'],
    ['1969-12-31T23:59:59.999999Z', '1969-12-31T23:59:59.999999Z'],
    ['1900-03-01T00:00:00Z', '1900-03-01T00:00:00.000000Z'],
    ['0000-01-01T00:00:00Z', '0000-01-01T00:00:00.000000Z'],
    ['9999-12-31T23:59:59Z', '9999-12-31T23:59:59.000000Z'],
  ] as const) {
    const micros = readInstant(text)
    assert.equal(micros === undefined ? undefined : renderInstant(micros), inUtc, text)
  }
})

test('text that is no instant is not read', () => {
  for (const text of [
    '',
    '2015-04-17',
    '2015-04-17T20:14:34',
    '2015-04-17T20:14Z',
    '2015-04-17 20:14:34Z',
    '2015-04-17t20:14:34z',
    '15-04-17T20:14:34Z',
    '20150417T201434Z',
    '2015-13-01T00:00:00Z',
    '2015-00-01T00:00:00Z',
    '2015-04-31T00:00:00Z',
    '2015-04-00T00:00:00Z',
    '2015-02-29T00:00:00Z',
    '1900-02-29T00:00:00Z',
    '2015-04-17T24:00:00Z',
    '2015-04-17T20:60:00Z',
    '2015-06-30T23:59:60Z',
    '2015-04-17T20:14:34.1234567890Z',
    '2015-04-17T20:14:34+24:00',
    '2015-04-17T20:14:34+5',
    '2015-04-17T20:14:34+05:60',
    ' 2015-04-17T20:14:34Z',
    '2015-04-17T20:14:34Z\n',
    '٢٠١٥-04-17T20:14:34Z',
    '0000-01-01T00:00:00+00:01',
    '9999-12-31T23:59:59-00:01',
  ]) {
    assert.equal(readInstant(text), undefined, JSON.stringify(text))
  }
})

test('an instant that was written is read back the same', (t) => {
  const safeFrom1684To2255 = fc.integer({ min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER })
  holdsFor(
    t,
    fc.property(safeFrom1684To2255, (micros) => {
      assert.equal(readInstant(renderInstant(asMicros(micros))), micros)
    }),
  )
})

test('an instant of any year that four digits say is written as exactly as it is kept, just before midnight too', (t) => {
  const days = fc.integer({ min: -719_528, max: 2_932_895 })
  const beforeMidnight = fc.integer({ min: 0, max: 200 })
  holdsFor(
    t,
    fc.property(days, beforeMidnight, (day, before) => {
      const micros = asMicros((day + 1) * 86_400_000_000 - before)
      const text = renderInstant(micros)
      assert.match(text, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
      assert.equal(readInstant(text), micros)
    }),
  )
})

test('every day of the calendar is read as the platform counts it', (t) => {
  const days = fc.integer({ min: Date.UTC(1684, 6, 1) / 86_400_000, max: Date.UTC(2255, 5, 1) / 86_400_000 })
  holdsFor(
    t,
    fc.property(days, (day) => {
      const text = new Date(day * 86_400_000).toISOString()
      assert.equal(readInstant(text), day * 86_400_000_000)
    }),
  )
})
