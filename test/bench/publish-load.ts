// Puts a load on a topic before anything is measured, so that every system has a backlog to work on.
// Leaves what the report needs to know of it: the hottest case's share, and a few bodies for the bare loop.
import type { KafkaClient } from '../../services/shared/kafka/kafka.ts'
import { openProducer, type ProducerRecord } from '../../services/shared/kafka/producer.ts'
import { generateChanges, type ChangePlan } from './generate-changes.ts'

export type Document = Readonly<Record<string, unknown>>
export type PublishedLoad = { readonly topic: string; readonly changes: number; readonly hottestShare: number }

/** Records handed to the producer at once: one send is open at a time, since the order of a case must hold. */
const BATCH = 2_000

/** @param encode a document as the record's value: JSON, or Avro in Confluent framing */
export async function publishLoad(
  kafka: KafkaClient,
  topic: string,
  partitions: number,
  plan: ChangePlan,
  encode: (document: Document) => Buffer,
  progress: (published: number) => void,
): Promise<PublishedLoad> {
  await createTopic(kafka, topic, partitions)
  return await appendLoad(kafka, topic, plan, encode, progress)
}

/** As `publishLoad`, to a topic that is there. */
export async function appendLoad(
  kafka: KafkaClient,
  topic: string,
  plan: ChangePlan,
  encode: (document: Document) => Buffer,
  progress: (published: number) => void,
): Promise<PublishedLoad> {
  await using producer = await openProducer(kafka)
  const changesOfCase = new Uint32Array(plan.cases)
  let batch: ProducerRecord[] = []
  let published = 0
  for (const { caseNumber, caseId, document } of generateChanges(plan)) {
    const place = caseNumber - (plan.firstCase ?? 0)
    changesOfCase[place] = (changesOfCase[place] ?? 0) + 1
    batch.push({ key: caseId, value: encode(document) })
    if (batch.length < BATCH) continue
    await producer.send(topic, batch)
    published += batch.length
    batch = []
    progress(published)
  }
  await producer.send(topic, batch)
  let most = 0
  for (const count of changesOfCase) most = Math.max(most, count)
  return { topic, changes: plan.changes, hottestShare: most / plan.changes }
}

export async function createTopic(kafka: KafkaClient, topic: string, partitions: number): Promise<void> {
  const admin = kafka.admin()
  await admin.connect()
  try {
    await admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions: partitions }] })
  } finally {
    await admin.disconnect()
  }
}
