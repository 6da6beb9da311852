// Sends changes in their order, as fast as the cluster takes them or at a rate. Enter: changes, how to encode them.
// Leave: how many were acknowledged. Never: two sends at once, since the order within a case must hold; a send cut short by Ctrl-C.
import type { Change } from '../../shared/change.ts'
import type { Clock } from '../../shared/clock.ts'
import type { ProducerRecord } from '../../shared/kafka/producer.ts'
import { changeKey } from './change-key.ts'
import type { Encode } from './open-encoder.ts'

/** The most records that are encoded ahead while a send is under way. */
const BATCH = 2_000
/** At a rate: how often something is sent; what is due by then goes together. */
const BEAT_MS = 20

export type Sending = {
  /** Resolves when all are acknowledged. */
  readonly send: (records: readonly ProducerRecord[]) => Promise<void>
  readonly encode: Encode
  /** Changes a second; null: as fast as they are taken. */
  readonly perSecond: number | null
  /** Told after each send. */
  readonly onSent: (sent: number) => void
}

/** @returns how many were acknowledged: all, unless the signal aborted */
export async function sendChanges(
  changes: Iterable<Change>,
  { send, encode, perSecond, onSent }: Sending,
  clock: Clock,
  signal: AbortSignal,
): Promise<number> {
  const source = changes[Symbol.iterator]()
  const startedAt = clock.monotonic()
  let taken = 0
  let sent = 0
  let underWay: Promise<void> = Promise.resolve()
  while (!signal.aborted) {
    const due =
      perSecond === null ? Infinity : Math.floor(((clock.monotonic() - startedAt + BEAT_MS) * perSecond) / 1_000)
    const batch = takeBatch(source, Math.min(BATCH, due - taken), encode)
    taken += batch.length
    // Encoded while the one before was under way; sent only after it.
    await underWay
    if (batch.length === 0 && due > taken) break
    if (batch.length > 0) {
      underWay = send(batch).then(() => onSent((sent += batch.length)))
      // Awaited above in the next turn, or below; a refusal meanwhile must not end the process.
      underWay.catch(() => undefined)
    }
    if (perSecond !== null) await clock.sleep(BEAT_MS, signal)
  }
  await underWay
  return sent
}

function takeBatch(source: Iterator<Change>, most: number, encode: Encode): ProducerRecord[] {
  const batch: ProducerRecord[] = []
  while (batch.length < most) {
    const next = source.next()
    if (next.done === true) break
    batch.push({ key: changeKey(next.value), value: encode(next.value) })
  }
  return batch
}
