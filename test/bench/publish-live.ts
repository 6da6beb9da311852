// Publishes changes while a system is measured, at a rate, each with the instant of its sending. Enter: a topic, a rate. Leave:
// records, until told to stop. One send is open at a time, for the order of a case must hold; what falls due meanwhile is the
// next one.
import { setTimeout as sleep } from 'node:timers/promises'
import type { KafkaClient } from '../../services/shared/kafka/kafka.ts'
import { openProducer, type ProducerRecord } from '../../services/shared/kafka/producer.ts'
import type { Encoder } from './open-encoder.ts'
import { generateChanges, type ChangePlan, type GeneratedChange } from './generate-changes.ts'
import { stamp } from './stamp.ts'

export type LivePlan = {
  readonly kafka: KafkaClient
  readonly topic: string
  readonly encode: Encoder
  /** Changes a second, over all cases. */
  readonly rate: number
  readonly changes: Omit<ChangePlan, 'changes'>
  /** Updates a second of one more case, which are not stamped: the figures are the others'. */
  readonly hotRate: number
  readonly signal: AbortSignal
}

const TICK_MS = 4

/** Resolves with how many changes were published, the hot case's among them. */
export async function publishLive(plan: LivePlan): Promise<number> {
  const { kafka, topic, encode, changes, signal } = plan
  await using producer = await openProducer(kafka)
  const others = generateChanges({ ...changes, changes: Infinity })
  const hot = generateChanges({ ...changes, changes: Infinity, cases: 1, firstCase: changes.cases })
  const due = openPace(plan.rate)
  const hotDue = openPace(plan.hotRate)
  let published = 0
  while (!signal.aborted) {
    const records: ProducerRecord[] = []
    for (const { caseId, document } of take(hot, hotDue())) records.push({ key: caseId, value: encode(document) })
    for (const { caseId, document } of take(others, due())) {
      records.push({ key: caseId, value: encode(stamp(document)) })
    }
    await producer.send(topic, records)
    published += records.length
    await sleep(TICK_MS)
  }
  return published
}

function* take(changes: Generator<GeneratedChange>, count: number): Generator<GeneratedChange> {
  for (let taken = 0; taken < count; taken += 1) {
    const next = changes.next()
    if (next.done === true) return
    yield next.value
  }
}

/** @returns how many fell due since the last call */
function openPace(perSecond: number): () => number {
  const startedAt = performance.now()
  let handed = 0
  return () => {
    const whole = Math.floor(((performance.now() - startedAt) * perSecond) / 1_000)
    const due = whole - handed
    handed = whole
    return due
  }
}
