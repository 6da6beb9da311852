import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { markAborted, type FetchedPartition } from '../../../services/shared/kafka/aborted-records.ts'
import { holdsFor } from '../../support/property.ts'

type Entry = FetchedPartition['messages'][number] & {
  /** What became of its transaction: `none` is a record outside of any. */
  fate: 'none' | 'committed' | 'aborted'
}
type Transaction = { readonly producerId: string; readonly first: number; readonly end: number }
type Log = { readonly entries: readonly Entry[]; readonly aborted: readonly Transaction[] }

const key = (...bytes: number[]) => Buffer.from(bytes)

/** What producers do in turn → the log that a broker makes of it, and its index of aborted transactions, by their ends. */
function logOf(deeds: readonly (readonly [producer: number, deed: 'produce' | 'plain' | 'abort' | 'commit'])[]): Log {
  const entries: Entry[] = []
  const aborted: Transaction[] = []
  const open = new Map<number, Entry[]>()
  const append = (producer: number, inTransaction: boolean, isControlRecord: boolean, recordKey: Buffer): Entry => {
    const entry: Entry = {
      offset: String(entries.length),
      key: recordKey,
      isControlRecord,
      batchContext: { producerId: String(producer), inTransaction },
      fate: 'none',
    }
    entries.push(entry)
    return entry
  }
  for (const [producer, deed] of deeds) {
    const records = open.get(producer) ?? []
    if (deed === 'plain') append(producer + 100, false, false, key(0, 0, 0, 0))
    // Its key looks like an abort marker's, and is a publisher's own affair.
    else if (deed === 'produce') open.set(producer, [...records, append(producer, true, false, key(0, 0, 0, 0))])
    else if (records.length > 0) {
      const marker = append(producer, true, true, key(0, 0, 0, deed === 'abort' ? 0 : 1))
      for (const record of records) record.fate = deed === 'abort' ? 'aborted' : 'committed'
      if (deed === 'abort')
        aborted.push({
          producerId: String(producer),
          first: Number(records[0]?.offset),
          end: Number(marker.offset),
        })
      open.delete(producer)
    }
  }
  // A reader gets nothing from the first open transaction on.
  const stable = Math.min(entries.length, ...[...open.values()].map(([first]) => Number(first?.offset)))
  return { entries: entries.slice(0, stable), aborted }
}

/** The broker's answer to a fetch, as kafkajs decodes it. */
const fetched = ({ entries, aborted }: Log, from: number): FetchedPartition => ({
  messages: entries.slice(from),
  abortedTransactions: aborted
    .filter(({ first, end }) => end >= from && first < entries.length)
    .map(({ producerId, first }) => ({ producerId, firstOffset: String(first) })),
})

const deeds = fc.array(
  fc.tuple(fc.integer({ min: 1, max: 4 }), fc.constantFrom('produce', 'produce', 'plain', 'abort', 'commit')),
  { maxLength: 40 },
)

test('a record is hidden exactly when its transaction was aborted, however transactions overlap and wherever a fetch begins', (t) => {
  holdsFor(
    t,
    fc.property(deeds, fc.nat({ max: 1_000 }), (done, at) => {
      const log = logOf(done)
      const from = log.entries.length === 0 ? 0 : at % log.entries.length
      const handedOver = new Set(log.entries.filter(({ isControlRecord }) => !isControlRecord))
      const partition = fetched(log, from)
      markAborted(partition)
      assert.deepEqual(partition.abortedTransactions, [])
      for (const entry of log.entries.slice(from))
        assert.equal(
          !entry.isControlRecord,
          handedOver.has(entry) && entry.fate !== 'aborted',
          `offset ${entry.offset}`,
        )
    }),
    2_000,
  )
})

test('a transaction that began later and was aborted first hides nothing but its own records, and the earlier one its own', () => {
  const log = logOf([
    [1, 'produce'],
    [2, 'produce'],
    [2, 'abort'],
    [1, 'produce'],
    [1, 'abort'],
    [1, 'produce'],
    [1, 'commit'],
  ])
  const partition = fetched(log, 0)
  assert.deepEqual(
    partition.abortedTransactions?.map(({ firstOffset }) => firstOffset),
    ['1', '0'],
  )
  markAborted(partition)
  assert.deepEqual(
    log.entries.filter(({ isControlRecord }) => !isControlRecord).map(({ offset }) => offset),
    ['5'],
  )
})

test('an answer without aborted transactions, and records from before there were any, stay as they are', () => {
  const old = { offset: '3', key: null, isControlRecord: false }
  const partition: FetchedPartition = {
    messages: [old],
    abortedTransactions: [{ producerId: '1', firstOffset: '0' }],
  }
  markAborted(partition)
  assert.equal(old.isControlRecord, false)
  const none: FetchedPartition = { messages: [{ ...old }], abortedTransactions: null }
  markAborted(none)
  assert.deepEqual(none, { messages: [old], abortedTransactions: null })
})
