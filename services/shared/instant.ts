// Instants as text. Enter: microseconds, or ISO 8601 text. Leave: the other of the two.
// Never: the clock, the machine's time zone, or a date that is not on the calendar.
import { asMicros, type Micros } from './change.ts'

const MICROS_PER_SECOND = 1_000_000
const SECONDS_PER_DAY = 86_400
const MICROS_PER_DAY = SECONDS_PER_DAY * MICROS_PER_SECOND

/** Date and time with seconds; then Z or an offset: an instant without either depends on where it is read. */
const SHAPE =
  /^(\d{4})-(\d\d)-(\d\d)T([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(?:[.,](\d{0,9}))?(?:Z|([+-])([01]\d|2[0-3])(?::?([0-5]\d))?)$/

/**
 * @param micros an instant of the years 0000 to 9999; beyond 2255 the last digits may be rounded
 * @returns UTC, always with six fraction digits and `Z`: receivers compare these as text
 */
export function renderInstant(micros: Micros): string {
  const day = Math.floor(micros / MICROS_PER_DAY)
  const ofDay = micros - day * MICROS_PER_DAY
  const seconds = Math.floor(ofDay / MICROS_PER_SECOND)
  const fraction = String(ofDay - seconds * MICROS_PER_SECOND).padStart(6, '0')
  const minutes = Math.floor(seconds / 60)
  return `${dayText(day)}T${twoDigits(Math.floor(minutes / 60))}:${twoDigits(minutes % 60)}:${twoDigits(seconds % 60)}.${fraction}Z`
}

const twoDigits = (value: number): string => (value < 10 ? `0${value}` : `${value}`)

/** A case says four instants, nearly always of the same few days: `Date` is asked once a day, which makes an instant six times as cheap. */
const dayTexts = new Map<number, string>()
/** Bounds the memory of a replay of decades. */
const DAY_TEXTS_LIMIT = 4_000

/** @param day since 1 January 1970 */
function dayText(day: number): string {
  let text = dayTexts.get(day)
  if (text === undefined) {
    if (dayTexts.size >= DAY_TEXTS_LIMIT) dayTexts.clear()
    dayTexts.set(day, (text = new Date(day * SECONDS_PER_DAY * 1_000).toISOString().slice(0, -'T00:00:00.000Z'.length)))
  }
  return text
}

/**
 * ISO 8601, extended format, with `Z` or an offset (±hh:mm, ±hhmm, ±hh). Digits below the microsecond are cut off.
 *
 * @returns undefined when the text is not an instant: no offset, no such day, a leap second, 24:00
 */
export function readInstant(text: string): Micros | undefined {
  const match = SHAPE.exec(text)
  if (!match) return undefined
  const [, year, month, day, hour, minute, second, fraction = '', sign, offsetHour = '0', offsetMinute = '0'] = match
  const days = daysSinceEpoch(Number(year), Number(month), Number(day))
  if (days === undefined) return undefined
  const offset = (Number(offsetHour) * 60 + Number(offsetMinute)) * (sign === '-' ? -60 : 60)
  const seconds = days * SECONDS_PER_DAY + Number(hour) * 3_600 + Number(minute) * 60 + Number(second) - offset
  const instant = seconds * MICROS_PER_SECOND + Number(fraction.slice(0, 6).padEnd(6, '0'))
  return instant < FIRST || instant > LAST ? undefined : asMicros(instant)
}

/** The first and last instants that four digits of a year can say: an offset may lead beyond them. */
const FIRST = -62_167_219_200 * MICROS_PER_SECOND
const LAST = 253_402_300_800 * MICROS_PER_SECOND - 1

/** Of the proleptic Gregorian calendar; undefined when the month has no such day. */
function daysSinceEpoch(year: number, month: number, day: number): number | undefined {
  if (month < 1 || month > 12 || day < 1 || day > daysOfMonth(year, month)) return undefined
  // Counted from 1 March, so that the leap day is the last of its year.
  const shifted = month > 2 ? year : year - 1
  const era = Math.floor(shifted / 400)
  const yearOfEra = shifted - era * 400
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * 146_097 + dayOfEra - 719_468
}

function daysOfMonth(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}
