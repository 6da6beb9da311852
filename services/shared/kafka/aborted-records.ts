// Which fetched records belong to aborted transactions. kafkajs takes the broker's list of them as sorted by their beginnings,
// and enters one transaction a record; it is sorted by their ends, and a fetch may begin inside several. Where transactions
// overlap, kafkajs therefore hands over records that were aborted (kafkajs/src/consumer/filterAbortedMessages.js).
// Enter: a broker's answer, decoded. Leaves: the same, where every aborted record counts as a control record, which kafkajs
// passes over as it should. Never: a record of a transaction that was committed, or of none.
import { createRequire } from 'node:module'

type FetchedRecord = {
  readonly offset: string
  readonly key: Buffer | null
  isControlRecord: boolean
  /** Absent in the formats from before transactions. */
  readonly batchContext?: { readonly producerId: string; readonly inTransaction: boolean }
}
export type FetchedPartition = {
  /** Aborted transactions that overlap what was fetched. */
  abortedTransactions?: readonly { readonly producerId: string; readonly firstOffset: string }[] | null
  readonly messages: readonly FetchedRecord[]
}

/** As the Java client does it: KIP-98, `CompletedFetch.nextFetchedRecord`. */
export function markAborted(partition: FetchedPartition): void {
  const transactions = partition.abortedTransactions ?? []
  if (transactions.length === 0) return
  const toCome = transactions
    .map(({ producerId, firstOffset }) => ({ producerId, begins: Number(firstOffset) }))
    .sort((one, other) => one.begins - other.begins)
  let next = 0
  /** Producers inside a transaction that will be aborted. */
  const aborting = new Set<string>()
  for (const record of partition.messages) {
    for (let begun = toCome[next]; begun && begun.begins <= Number(record.offset); begun = toCome[++next]) {
      aborting.add(begun.producerId)
    }
    const { batchContext } = record
    if (!batchContext?.inTransaction || !aborting.has(batchContext.producerId)) continue
    if (!record.isControlRecord) record.isControlRecord = true
    else if (isAbortMarker(record.key)) aborting.delete(batchContext.producerId)
  }
  // kafkajs would look for them once more, in its own way.
  partition.abortedTransactions = []
}

/** A control record's key: version, then type, both int16; 0 is ABORT and 1 COMMIT. */
const isAbortMarker = (key: Buffer | null): boolean => key !== null && key.length >= 4 && key.readInt16BE(2) === 0

type FetchAnswer = { readonly responses: readonly { readonly partitions: readonly FetchedPartition[] }[] }
type Fetch = (this: unknown, request: unknown) => Promise<FetchAnswer>

const PATCHED = Symbol.for('onward.aborted-records')

/** @throws Error when the installed kafkajs is not the one this was written against */
export function hideAbortedRecords(): void {
  const require = createRequire(import.meta.url)
  const { prototype } = require('kafkajs/src/broker') as {
    readonly prototype: { fetch?: Fetch & { [PATCHED]?: true } }
  }
  const original = prototype.fetch
  if (typeof original !== 'function') throw new Error('kafkajs has no Broker.fetch: is it still 2.2.4?')
  if (original[PATCHED]) return
  const patched: Fetch & { [PATCHED]?: true } = async function (request) {
    const answer = await original.call(this, request)
    for (const { partitions } of answer.responses) for (const partition of partitions) markAborted(partition)
    return answer
  }
  patched[PATCHED] = true
  prototype.fetch = patched
}
