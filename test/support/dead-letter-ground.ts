// An installation with a configuration, changes on its source topic, and dead letters as the forwarder itself writes them;
// and the command line to run on it.
import type { TestContext } from 'node:test'
import { openDeadLetters } from '../../services/forwarder/dead-letter.ts'
import { systemClock } from '../../services/shared/clock.ts'
import type { DeadLetterReason } from '../../services/shared/dead-letter-reason.ts'
import { projectId, repeaterId, type RepeaterId } from '../../services/shared/ids.ts'
import { ownTopic } from '../../services/shared/kafka/plan-topics.ts'
import { readTopic, type TopicRecord } from '../../services/shared/kafka/reader.ts'
import { aConnection, aDelivery, aSourceRecord, caseValue } from './changes.ts'
import { openGround, type Ground } from './ground.ts'
import { silentLog } from './kafka-ground.ts'
import { startOnward, type Ran, type Running } from './run-onward.ts'
import { sharedStack } from './stack.ts'

/** Two repeaters of cases, one of forms; `gone` is named by letters and configured nowhere. */
const RULES = `
project: demo
connections:
  - { id: remote, url: "https://remote.example/" }
repeaters:
  - { id: patients, connection: remote, forward: cases }
  - { id: others, connection: remote, forward: cases, format: json }
  - { id: visits, connection: remote, forward: forms }
`

const demo = projectId('demo')
const idOf = (id: string): RepeaterId => repeaterId(demo, id)

export type Death = {
  /** null: a record that could not be read. */
  readonly repeater?: string | null
  readonly partition?: number
  readonly offset: number
  readonly caseId?: string
  readonly key?: string | null
  readonly topic?: string
  readonly value?: Buffer | string | null
  readonly reason?: DeadLetterReason
  readonly status?: number | null
  readonly error?: string
  readonly holds?: boolean
}

export type DeadLetterGround = Ground & {
  /** Puts records on the `cases` topic; each gets the next offset of its partition. */
  readonly publish: (
    records: readonly { readonly partition?: number; readonly key: string; readonly value: string }[],
  ) => Promise<void>
  /** One after another, as the forwarder writes them. */
  readonly die: (deaths: readonly Death[]) => Promise<void>
  /** `onward dead-letters …`, beside the environment of this installation. */
  readonly run: (...args: string[]) => Promise<Ran>
  readonly start: (...args: string[]) => Running
  readonly environment: Readonly<Record<string, string>>
  /** What lies in the requeue topic. */
  readonly requeued: () => Promise<readonly TopicRecord[]>
}

export async function deadLetterGround(t: TestContext, partitions = 2): Promise<DeadLetterGround> {
  const ground = await openGround(t, partitions)
  const { kafka, producer, prefix, topics } = ground
  const { brokers, registryUrl } = await sharedStack()
  await ground.configure(RULES)
  const environment = {
    KAFKA_BROKERS: brokers.join(','),
    SCHEMA_REGISTRY_URL: registryUrl ?? '',
    ONWARD_TOPIC_PREFIX: prefix,
    ONWARD_TOPIC_FORMS: topics.forms,
    ONWARD_TOPIC_CASES: topics.cases,
    ONWARD_TOPIC_APPS: topics.apps,
  }
  const letters = openDeadLetters({
    producer,
    topic: ownTopic(prefix, 'dead-letters'),
    clock: systemClock,
    log: silentLog,
    onWritten: () => undefined,
  })
  const start = (...args: string[]) => startOnward(['dead-letters', ...args], environment)
  return {
    ...ground,
    environment,
    publish: (records) =>
      producer.send(
        topics.cases,
        records.map(({ partition = 0, ...record }) => ({ partition, ...record })),
      ),
    die: async (deaths) => {
      await Promise.all(deaths.map((death) => letters.write(letterOf(death, topics.cases))))
    },
    run: (...args) => start(...args).ended,
    start,
    requeued: async () => {
      const records: TopicRecord[] = []
      const options = { topic: ownTopic(prefix, 'requeue'), signal: AbortSignal.timeout(30_000) }
      await readTopic(kafka, options, (record) => void records.push(record))
      return records
    },
  }
}

function letterOf(death: Death, cases: string): Parameters<ReturnType<typeof openDeadLetters>['write']>[0] {
  const { repeater = 'patients', offset, partition = 0, caseId = 'case-1', key = caseId, topic = cases } = death
  const { value = caseValue({ caseId, version: offset }) } = death
  const record = aSourceRecord({
    topic,
    partition,
    offset,
    key: key === null ? null : Buffer.from(key),
    value: typeof value === 'string' ? Buffer.from(value) : value,
  })
  const delivery = aDelivery(record, { attempts: 3, firstFailedAt: 1_767_323_045_000 })
  const of = { ...delivery, lane: { ...delivery.lane, repeater: idOf(repeater ?? '') } }
  return {
    record,
    delivery: repeater === null ? null : of,
    connection: repeater === null ? null : aConnection(),
    reason: death.reason ?? (repeater === null ? 'unreadable' : 'rejected'),
    error: death.error ?? '422: no such field',
    status: death.status === undefined ? 422 : death.status,
    holds: death.holds ?? false,
  }
}

/** Lines of JSON, as `--json` prints them. */
export const jsonLines = (stdout: string): readonly Readonly<Record<string, unknown>>[] =>
  stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
