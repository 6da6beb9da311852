// The verdict tables of the documents against the code that judges.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decideNext } from '../../services/forwarder/decide-next.ts'
import { openDeadLetters } from '../../services/forwarder/dead-letter.ts'
import { systemClock } from '../../services/shared/clock.ts'
import { DEAD_LETTER_REASONS } from '../../services/shared/dead-letter-reason.ts'
import type { Producer } from '../../services/shared/kafka/producer.ts'
import { aConnection, aDelivery, aSourceRecord } from '../support/changes.ts'
import { silentLog } from '../support/kafka-ground.ts'
import { named, page, rows, section } from './documents.ts'

const failures = page('docs/failure-semantics.md')

type Row = { readonly verdict: string; readonly spends: string }

/** The row of a status: a number that is written wins over a class, a class over "every other". */
function rowOf(table: readonly (readonly string[])[], status: number): Row {
  const find = (accept: (cell: string) => boolean) => table.find(([cell = '']) => accept(cell))
  const found =
    find((cell) => cell.split(/, /).includes(String(status))) ??
    find((cell) => cell === `${Math.floor(status / 100)}xx`) ??
    find((cell) => cell === 'every other')
  assert.ok(found, `no row for ${status}`)
  return { verdict: found[1] ?? '', spends: found[2] ?? '' }
}

const judged = (status: number): Row => {
  const verdict = decideNext(
    { kind: 'answered', status, retryAfter: null, excerpt: '' },
    { connection: aConnection({ schedule: [1_000] }), tries: 0, sparesTry: false, firstFailedAt: 0, now: 0, random: 0 },
  )
  switch (verdict.kind) {
    case 'delivered':
      return { verdict: 'delivered', spends: '' }
    case 'retry':
      return { verdict: 'retry', spends: verdict.spendsTry ? 'yes' : 'no' }
    case 'dead-letter':
      return { verdict: `dead letter \`${verdict.reason}\``, spends: '' }
  }
}

test('every status has the verdict that the failure semantics say', () => {
  const table = rows(section(failures, '## Verdicts'))
  for (let status = 200; status < 600; status++) assert.deepEqual(rowOf(table, status), judged(status), `${status}`)
})

test('receivers are told the same verdicts', () => {
  const table = rows(section(page('docs/contract-receivers.md'), '## Answers'))
  for (let status = 200; status < 600; status++) {
    const { verdict, spends } = judged(status)
    const said = rowOf(
      // A cell may say more behind the number's list.
      table.map(([status = '', ...rest]) => [status, ...rest]),
      status,
    ).verdict
    if (verdict === 'delivered') assert.match(said, /^delivered/)
    else if (verdict !== 'retry') assert.equal(said.replace('dead letter, ', 'dead letter '), verdict, `${status}`)
    else
      assert.match(
        said,
        spends === 'no' ? /^tried again, without using up/ : /^tried again on the schedule/,
        `${status}`,
      )
  }
})

test('every reason and every header of a dead letter is explained, and none that is not there', async () => {
  const explained = rows(section(failures, '## Dead letters')).flatMap(([cell]) => named(cell))
  const headers: string[] = []
  const producer: Producer = {
    send: async (_topic, records) => {
      for (const record of records) headers.push(...Object.keys(record.headers ?? {}))
    },
    [Symbol.asyncDispose]: async () => undefined,
  }
  const letters = openDeadLetters({
    producer,
    topic: 'onward.dead-letters',
    clock: systemClock,
    log: silentLog,
    onWritten: () => undefined,
  })
  const record = aSourceRecord({ base: 2 ** 44, traceparent: '00-aa-bb-01', tracestate: 'a=1' })
  const delivery = Object.assign(aDelivery(record), { firstFailedAt: 1 })
  const connection = aConnection()
  await letters.write({ record, delivery, connection, reason: 'rejected', error: 'no', status: 422, holds: true })
  assert.deepEqual(explained.toSorted(), [...DEAD_LETTER_REASONS, ...headers].toSorted())
})
