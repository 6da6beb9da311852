// Retry schedules: the wait after attempt 1, 2, …; after the last wait comes the dead letter.
import type { Millis } from '../clock.ts'
import { SCHEDULE_NAMES } from './forwarding-keys.ts'
import type { Located } from './located.ts'
import { choice, duration, kindOf, type Reader } from './read-values.ts'

const SECOND: Millis = 1_000
const MINUTE: Millis = 60 * SECOND
const HOUR: Millis = 60 * MINUTE
const DAY: Millis = 24 * HOUR

/**
 * | name | waits | for |
 * |---|---|---|
 * | `standard` | 30s, 2m, 10m, 1h, 3h, 9h, 27h, 81h | a remote API that is back after minutes as well as one that is away for days |
 * | `commcare` | 1h, 3h, 9h, 27h, 81h | those who expect the rhythm of CommCare HQ |
 */
export const SCHEDULES: Readonly<Record<(typeof SCHEDULE_NAMES)[number], readonly Millis[]>> = {
  standard: [30 * SECOND, 2 * MINUTE, 10 * MINUTE, HOUR, 3 * HOUR, 9 * HOUR, 27 * HOUR, 81 * HOUR],
  commcare: [HOUR, 3 * HOUR, 9 * HOUR, 27 * HOUR, 81 * HOUR],
}

const LONGEST_WAIT: Millis = 30 * DAY
/** More waits than this were written by mistake: a month of attempts every quarter of an hour is no schedule. */
const MOST_WAITS = 50

const EXAMPLE = 'schedule: standard, schedule: commcare or schedule: [30s, 2m, 10m]'
const named = choice(SCHEDULE_NAMES)
const wait = duration(LONGEST_WAIT, '[30s, 2m, 10m]')

export const schedule: Reader<readonly Millis[]> = (node, name, report) => {
  if (node.kind === 'list') return waits(node, name, report)
  if (node.kind === 'scalar' && typeof node.value === 'string' && /^\d/.test(node.value)) {
    report(node.place, `${name} must be a name or a list`, `write ${name}: [${node.value}]`)
    return undefined
  }
  if (node.kind === 'scalar' && typeof node.value === 'string' && node.value !== '') {
    const word = named(node, name, report)
    return word === undefined ? undefined : SCHEDULES[word]
  }
  report(node.place, `${name} must be a name or a list, not ${kindOf(node)}`, `write ${EXAMPLE}`)
  return undefined
}

/** The same wait may come several times, so this is no plain list. */
function waits(node: Extract<Located, { kind: 'list' }>, ...[name, report]: [string, Parameters<Reader<never>>[2]]) {
  if (node.items.length === 0 || node.items.length > MOST_WAITS) {
    report(node.place, `${name} must hold from 1 to ${MOST_WAITS} waits`, `write ${EXAMPLE}`)
  }
  return node.items.map((item) => wait(item, name, report)).filter((each) => each !== undefined)
}
