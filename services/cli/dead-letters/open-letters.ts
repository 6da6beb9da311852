// The dead letters of the installation that the settings name. Enter: a time limit, a signal. Leave: reads of its topics, each
// bounded by silence; changes read out of values, with schemas fetched once each. Never: a value that is read without need.
import { readDirectory } from '../read-directory.ts'
import { openBoundedCluster, silentLog, type BoundedCluster } from '../cluster.ts'
import type { Millis } from '../../shared/clock.ts'
import { errorText } from '../../shared/error-text.ts'
import type { Directory } from '../../shared/forwarding/directory.ts'
import { ownTopic } from '../../shared/kafka/plan-topics.ts'
import { readOffsets, readTopic, type ReadOptions, type TopicRecord } from '../../shared/kafka/reader.ts'
import type { OffsetPlace } from '../../shared/kafka/topic-fetcher.ts'
import type { ChangeReader } from '../../shared/read-change/read-change.ts'
import { openSchemaRegistry, type FetchedSchema } from '../../shared/registry/schema-registry.ts'
import { environment, readSettings, type Settings } from '../../shared/settings.ts'
import { withinDeadline } from '../within-deadline.ts'
import { readLetterChange, mayBeOf, type LetterChange } from './letter-case.ts'
import { fits, type LetterFilter } from './letter-filter.ts'
import { readLetter, type Letter } from './letter.ts'

export type ReadLetterChange = Exclude<LetterChange, { kind: 'schema-needed' }>
export type Span = Pick<ReadOptions, 'from' | 'to' | 'views'>

export type Letters = Pick<BoundedCluster, 'kafka' | 'within'> & {
  readonly settings: Settings
  readonly topic: string
  readonly requeueTopic: string
  /** @throws TopicError when there is no such topic */
  readonly offsets: (topic: string, place: OffsetPlace) => Promise<ReadonlyMap<number, number>>
  /** Every record of a span, in order within each partition. */
  readonly read: (topic: string, span: Span, onRecord: (record: TopicRecord) => void | Promise<void>) => Promise<void>
  /** Letters that fit, the case included, in order within each partition; their buffers are views. @param onRead told of every letter that was read */
  readonly scan: (
    filter: LetterFilter,
    onLetter: (letter: Letter) => void | Promise<void>,
    span?: Span,
    onRead?: () => void,
  ) => Promise<void>
  /** A promise only while a schema has to be fetched. What the registry cannot give is not asked for twice. */
  readonly changeOf: (letter: Pick<Letter, 'record'>) => ReadLetterChange | Promise<ReadLetterChange>
  /** Why the schema of what was asked for last could not be had; null when every one could. */
  readonly registryTrouble: () => string | null
  readonly directory: () => Promise<Directory>
}

export function openLetters(timeout: Millis, signal: AbortSignal): Letters {
  const settings = readSettings(environment())
  const { kafka, within, whileMoving } = openBoundedCluster(settings.kafka, timeout)
  const topic = ownTopic(settings.topicPrefix, 'dead-letters')
  const desk = openSchemaDesk(settings, timeout, signal)

  const read: Letters['read'] = (from, span, onRecord) =>
    whileMoving(
      (moved, bounded) =>
        readTopic(kafka, { topic: from, signal: bounded, ...span }, (record) => {
          moved()
          return onRecord(record)
        }),
      signal,
    )
  const changeOf: Letters['changeOf'] = (letter) => {
    const change = readLetterChange(letter, settings.topics, desk.readers)
    return change.kind === 'schema-needed' ? desk.learn(change.schemaId).then(() => changeOf(letter)) : change
  }
  const scan: Letters['scan'] = async (filter, onLetter, span, onRead = () => undefined) => {
    const cases = [...filter.cases].map((each) => Buffer.from(each))
    const isOf = (letter: Letter, change: ReadLetterChange) =>
      (change.case !== null && filter.cases.has(change.case)) || filter.cases.has(String(letter.record.key))
    await read(topic, { views: true, ...(span ?? (await spanOf(filter))) }, (record) => {
      onRead()
      const letter = readLetter(record)
      if (!fits(letter, filter)) return
      if (cases.length === 0) return onLetter(letter)
      if (!mayBeOf(letter, cases)) return
      const change = changeOf(letter)
      if (!(change instanceof Promise)) return isOf(letter, change) ? onLetter(letter) : undefined
      return change.then((known) => (isOf(letter, known) ? onLetter(letter) : undefined))
    })
  }
  /** Letters that are named are not looked for elsewhere; time has an index. */
  const spanOf = async ({ letters, since }: LetterFilter): Promise<Span> => {
    if (letters.size === 0) {
      return since === null ? {} : { from: await offsets(topic, { timestamp: since }) }
    }
    const from = new Map<number, number>()
    const to = new Map<number, number>()
    for (const { partition, offset } of letters.values()) {
      from.set(partition, Math.min(offset, from.get(partition) ?? Infinity))
      to.set(partition, Math.max(offset + 1, to.get(partition) ?? 0))
    }
    return { from, to }
  }
  const offsets: Letters['offsets'] = (of, place) => within(readOffsets(kafka, { topic: of, signal }, place), signal)
  return {
    kafka,
    within,
    settings,
    topic,
    requeueTopic: ownTopic(settings.topicPrefix, 'requeue'),
    offsets,
    read,
    scan,
    changeOf,
    registryTrouble: () => desk.trouble,
    directory: () => within(readDirectory(kafka, ownTopic(settings.topicPrefix, 'config'), signal), signal),
  }
}

type SchemaDesk = {
  readonly readers: ReadonlyMap<number, ChangeReader>
  trouble: string | null
  learn(id: number): Promise<void>
}

/** An id that cannot be had is condemned for this run: a registry that is away costs one time limit, not one a letter. */
function openSchemaDesk({ registry: remote }: Settings, timeout: Millis, signal: AbortSignal): SchemaDesk {
  const readers = new Map<number, ChangeReader>()
  const registry = remote ? openSchemaRegistry(remote, silentLog(), timeout) : null
  const fetchSchema = async (id: number): Promise<FetchedSchema> => {
    if (!registry) return { kind: 'unavailable', error: 'the value is Avro, and SCHEMA_REGISTRY_URL is not set' }
    try {
      return await withinDeadline(
        registry.fetchSchema(id, signal),
        timeout,
        signal,
        () => new Error('it took too long'),
      )
    } catch (error) {
      return { kind: 'unavailable', error: errorText(error) }
    }
  }
  const desk: SchemaDesk = {
    readers,
    trouble: null,
    learn: async (id) => {
      const answer = await fetchSchema(id)
      signal.throwIfAborted()
      if (answer.kind === 'fetched') {
        readers.set(id, answer.reader)
        return
      }
      const error = answer.kind === 'unknown' ? `the registry has no schema ${id}` : answer.error
      desk.trouble = error
      readers.set(id, { kind: 'condemned', cause: 'unknown-schema', error })
    },
  }
  return desk
}
