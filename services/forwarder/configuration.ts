// The configuration in force, followed live. Enter: the configuration topic. Leave: a directory that was read to its end
// before the first change is, and word of each change after. A bad record leaves the last good definition in force.
// What we put into it ourselves is in force here as soon as it is acknowledged, not only when it comes back: it must be such that an
// older record does no harm behind a newer one.
import type { KafkaClient } from '../shared/kafka/kafka.ts'
import type { Producer } from '../shared/kafka/producer.ts'
import type { Log } from '../shared/log.ts'
import { renderConfigRecord, type ConfigStatement, type RawConfigRecord } from '../shared/forwarding/config-record.ts'
import { followConfig, writeConfig } from '../shared/forwarding/config-topic.ts'
import { Directory, type Applied } from '../shared/forwarding/directory.ts'

export type ConfigurationChange = Extract<Applied, { kind: 'changed' }>

export type Configuration = AsyncDisposable & {
  readonly directory: Directory
  /** Called for each change from now on. */
  onChange(listener: (change: ConfigurationChange) => void): void
  /** Resolves when the record is acknowledged, and in force here. @throws ProduceError when the cluster refuses it for good */
  put(producer: Producer, statement: ConfigStatement): Promise<void>
}

export async function followConfiguration(kafka: KafkaClient, topic: string, log: Log): Promise<Configuration> {
  const directory = new Directory()
  let listener: ((change: ConfigurationChange) => void) | undefined
  const stop = new AbortController()
  const take = (record: RawConfigRecord) => {
    const applied = directory.apply(record)
    if (applied.kind === 'kept') log.error('configuration-record-refused', { key: applied.key, reason: applied.reason })
    if (applied.kind !== 'changed') return
    if (listener) log.info('configuration-changed', { what: applied.what, id: applied.id, removed: applied.removed })
    listener?.(applied)
  }
  await followConfig({ kafka, topic, log, signal: stop.signal, onRecord: take })
  log.info('configuration-read', {
    connections: directory.connections().length,
    repeaters: directory.repeaters().length,
    refused: directory.rejected.size,
  })
  return {
    directory,
    onChange: (heard) => {
      listener = heard
    },
    put: async (producer, statement) => {
      const record = renderConfigRecord(statement)
      await writeConfig(producer, topic, [record])
      take({ key: Buffer.from(record.key), value: record.value === null ? null : Buffer.from(record.value) })
    },
    [Symbol.asyncDispose]: async () => stop.abort(),
  }
}
