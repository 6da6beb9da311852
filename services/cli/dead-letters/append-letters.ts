// Puts planned letters back, at a rate. Enter: candidates in their order. Leave: how many were acknowledged, and which letters
// were gone. One send at a time, to one partition each: a request that is refused has then written nothing, so nothing
// comes twice. Never: a send cut short by Ctrl-C; more values in memory than CHUNK_BYTES and one answer of a broker.
import type { Clock, Millis } from '../../shared/clock.ts'
import type { Producer, ProducerRecord } from '../../shared/kafka/producer.ts'
import type { TopicRecord } from '../../shared/kafka/reader.ts'
import { placeOf, type Candidate } from './judge-letter.ts'
import { comparePlaces, renderPlace, type Place } from './letter.ts'
import type { Letters } from './open-letters.ts'
import { requeueRecord, type Run } from './requeue-record.ts'

export type Appending = {
  readonly letters: Letters
  readonly producer: Producer
  readonly run: Run
  /** Letters a second. */
  readonly rate: number
  readonly clock: Clock
  /** Told after each send. */
  readonly onAppended: (appended: number) => void
}
export type Appended = { readonly appended: number; readonly gone: number }

/** Letters whose values are read together. */
const CHUNK = 1_000
/** A value is bounded by the topic, not by us: a chunk ends early when it is this large. */
const CHUNK_BYTES = 32 * 1024 * 1024
/** Letters of one send. */
const BATCH = 200
/** How often something is sent at a rate: what is due by then goes together. */
const BEAT: Millis = 20
/** Letters that lie further apart than this are read by themselves, without what lies between them. */
const GAP = 2_000
const NEVER = new AbortController().signal

export async function appendLetters(
  candidates: readonly Candidate[],
  { letters, producer, run, rate, clock, onAppended }: Appending,
  signal: AbortSignal,
): Promise<Appended> {
  const startedAt = clock.monotonic()
  let appended = 0
  let gone = 0
  const dueNow = async (): Promise<number> => {
    while (!isAborted(signal)) {
      const due = Math.floor(((clock.monotonic() - startedAt + BEAT) * rate) / 1_000) - appended
      if (due > 0) return Math.min(due, BATCH)
      await clock.sleep(BEAT, signal)
    }
    return 0
  }
  const send = (records: readonly ProducerRecord[]) =>
    // Ctrl-C does not cut a send short: what was sent is known then.
    letters.within(producer.send(letters.requeueTopic, records), NEVER)

  // The partitions take turns, so that no forwarder gets everything at once.
  const queues = [...Map.groupBy(candidates, ({ source }) => source.partition).values()].map((ofPartition) =>
    readInOrder(letters, ofPartition),
  )
  while (!isAborted(signal)) {
    const queue = queues.shift()
    if (!queue) break
    const next = await nextOf(queue, signal)
    if (next === null) continue
    queues.push(queue)
    const found = next.filter(({ record }) => record !== undefined)
    gone += next.length - found.length
    for (let from = 0; from < found.length && !signal.aborted;) {
      const due = await dueNow()
      const batch = found.slice(from, from + due)
      from += due
      const records = batch.flatMap(({ candidate, record }) =>
        record ? [requeueRecord(candidate, record, run, clock.now())] : [],
      )
      if (records.length > 0) await send(records)
      appended += records.length
      onAppended(appended)
    }
  }
  return { appended, gone }
}

/** @returns null at the end, and at Ctrl-C, which ends reads by an error: what was appended is still to be told */
async function nextOf(
  queue: AsyncGenerator<readonly Loaded[], void, undefined>,
  signal: AbortSignal,
): Promise<readonly Loaded[] | null> {
  try {
    const next = await queue.next()
    return next.done === true ? null : next.value
  } catch (error) {
    if (isAborted(signal)) return null
    throw error
  }
}

/** Read through a function, for the type checker takes a signal that was not aborted for one that never will be. */
const isAborted = (signal: AbortSignal): boolean => signal.aborted

type Loaded = { readonly candidate: Candidate; readonly record: TopicRecord | undefined }

/** The candidates with their letters, in their order, in chunks. */
async function* readInOrder(
  letters: Letters,
  candidates: readonly Candidate[],
): AsyncGenerator<readonly Loaded[], void, undefined> {
  for (let from = 0; from < candidates.length;) {
    const to = chunkEnd(candidates, from)
    const chunk = candidates.slice(from, to)
    const records = await readLetters(letters, chunk)
    yield chunk.map((candidate) => ({ candidate, record: records.get(placeOf(candidate)) }))
    from = to
  }
}

/** At least one, else within both bounds. */
function chunkEnd(candidates: readonly Candidate[], from: number): number {
  let to = from
  for (let bytes = 0; to < candidates.length && to - from < CHUNK; to++) {
    bytes += candidates[to]?.bytes ?? 0
    if (bytes > CHUNK_BYTES && to > from) break
  }
  return to
}

async function readLetters(letters: Letters, chunk: readonly Candidate[]): Promise<ReadonlyMap<string, TopicRecord>> {
  const records = new Map<string, TopicRecord>()
  const wanted = new Set(chunk.map(placeOf))
  for (const { partition, from, to } of stretches(chunk.map(({ letter }) => letter))) {
    await letters.read(
      letters.topic,
      { from: new Map([[partition, from]]), to: new Map([[partition, to]]) },
      (record) => {
        const place = renderPlace(record)
        if (wanted.has(place)) records.set(place, record)
      },
    )
  }
  return records
}

type Stretch = { readonly partition: number; readonly from: number; to: number }

/** Places → stretches of the log that hold them, so that few letters between are read for nothing. */
function stretches(places: readonly Place[]): readonly Stretch[] {
  const found: Stretch[] = []
  for (const { partition, offset } of places.toSorted(comparePlaces)) {
    const last = found.at(-1)
    if (last?.partition === partition && offset - last.to < GAP) last.to = offset + 1
    else found.push({ partition, from: offset, to: offset + 1 })
  }
  return found
}
