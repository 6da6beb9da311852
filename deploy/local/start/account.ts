// The accounts: four books that were kept apart must say the same of every delivery. Pure.
// Enter: what had to come, the forwarder's counters, its two topics, the receiver's requests. Leave: a row a repeater, and in
// words whatever differs. Never: a row that is made to fit.
import { checkOrder } from './check-order.ts'
import type { LoggedDeliveries } from './read-log-records.ts'
import type { ForwarderBooks } from './read-metrics.ts'
import { readReceived } from './read-received.ts'
import type { ReceivedRequest } from './receiver.ts'
import type { Expected } from './story.ts'

export type Books = {
  readonly counters: ForwarderBooks
  readonly deliveries: ReadonlyMap<string, LoggedDeliveries>
  readonly deadLetters: ReadonlyMap<string, number>
  readonly requests: readonly ReceivedRequest[]
}

export type AccountRow = {
  readonly repeater: string
  readonly made: number
  readonly delivered: number
  readonly superseded: number
  readonly deadLettered: number
  readonly waiting: number
  /** That the receiver got, failed ones too. */
  readonly requests: number
}

export type Accounts = {
  readonly rows: readonly AccountRow[]
  /** Bytes of each guide example's body, by repeater; null where none came. */
  readonly bodyLengths: Readonly<Record<string, number | null>>
  /** Empty: the accounts close. */
  readonly differences: readonly string[]
}

export function account(expected: readonly Expected[], books: Books): Accounts {
  const received = receivedByRepeater(books.requests)
  const rows = expected.map(({ repeater }) => rowOf(repeater, books, received.get(repeater)))
  const strangers = [...new Set([...books.counters.repeaters.keys(), ...received.keys(), ...books.deadLetters.keys()])]
    .filter((repeater) => !expected.some((known) => known.repeater === repeater))
    .map((repeater) => (repeater === '' ? 'a record could not be read' : `nobody expected deliveries of ${repeater}`))
  return {
    rows,
    bodyLengths: Object.fromEntries(
      expected
        .filter(({ bodyLength }) => bodyLength !== null)
        .map(({ repeater }) => [repeater, received.get(repeater)?.firstAccepted?.length ?? null]),
    ),
    differences: [
      ...expected.flatMap((wanted, index) => differencesOf(wanted, rows[index], books, received.get(wanted.repeater))),
      ...waitingDifference(rows, books.counters.waiting),
      ...strangers,
      ...checkOrder(books.requests),
    ],
  }
}

type Received = { requests: number; readonly accepted: Set<string>; firstAccepted: Buffer | undefined }

function receivedByRepeater(requests: readonly ReceivedRequest[]): ReadonlyMap<string, Received> {
  const received = new Map<string, Received>()
  for (const request of requests) {
    const delivery = readReceived(request)
    if (!delivery) continue
    const of = received.get(delivery.repeater) ?? { requests: 0, accepted: new Set<string>(), firstAccepted: undefined }
    received.set(delivery.repeater, of)
    of.requests++
    if (request.status >= 300) continue
    of.accepted.add(delivery.idempotencyKey)
    of.firstAccepted ??= request.body
  }
  return received
}

function rowOf(repeater: string, { counters }: Books, received: Received | undefined): AccountRow {
  const counted = counters.repeaters.get(repeater)
  const { made = 0, delivered = 0, superseded = 0, deadLettered = 0 } = counted ?? {}
  const waiting = made - delivered - superseded - deadLettered
  return { repeater, made, delivered, superseded, deadLettered, waiting, requests: received?.requests ?? 0 }
}

function differencesOf(
  wanted: Expected,
  row: AccountRow | undefined,
  { deliveries, deadLetters }: Books,
  received: Received | undefined,
): readonly string[] {
  if (!row) return []
  const logged = deliveries.get(wanted.repeater)
  const accepted = received?.accepted.size ?? 0
  const letters = deadLetters.get(wanted.repeater) ?? 0
  const length = received?.firstAccepted?.length
  const told: readonly (readonly [boolean, string])[] = [
    [row.made === wanted.made, `${wanted.made} deliveries were expected and ${row.made} made`],
    [row.waiting === 0, `${row.waiting} deliveries wait`],
    [
      row.deadLettered === wanted.deadLettered,
      `${wanted.deadLettered} dead letters were expected, not ${row.deadLettered}`,
    ],
    [!wanted.everyState || row.superseded === 0, `${row.superseded} were superseded, and none may be`],
    [wanted.everyState || row.delivered > 0, 'not even the newest state was delivered'],
    [row.delivered === accepted, `${row.delivered} counted as delivered, and the receiver accepted ${accepted}`],
    [
      row.delivered === (logged?.delivered ?? 0),
      `onward.deliveries tells of ${logged?.delivered ?? 0} delivered, not ${row.delivered}`,
    ],
    [
      row.superseded === (logged?.superseded ?? 0),
      `onward.deliveries tells of ${logged?.superseded ?? 0} superseded, not ${row.superseded}`,
    ],
    [
      row.deadLettered === (logged?.deadLettered ?? 0),
      `onward.deliveries tells of ${logged?.deadLettered ?? 0} dead letters, not ${row.deadLettered}`,
    ],
    [row.deadLettered === letters, `onward.dead-letters holds ${letters}, not ${row.deadLettered}`],
    [
      wanted.bodyLength === null || wanted.bodyLength === length,
      `the guide's example has ${wanted.bodyLength ?? 0} bytes, and ${length ?? 'no body'} came`,
    ],
  ]
  return told.filter(([holds]) => !holds).map(([, what]) => `${wanted.repeater}: ${what}`)
}

/** The gauge is kept apart from the counters: it counts what the lanes hold. */
function waitingDifference(rows: readonly AccountRow[], gauge: number): readonly string[] {
  const waiting = rows.reduce((sum, row) => sum + row.waiting, 0)
  return waiting === gauge ? [] : [`onward_deliveries_waiting says ${gauge}, and made less settled is ${waiting}`]
}
