// The door to kafkajs: only this folder imports it. Enter: settings. Leave: a client whose codecs, timers, headers and log are ours.
import { Kafka, logLevel, type KafkaConfig, type logCreator } from 'kafkajs'
import type { Log } from '../log.ts'
import { hideAbortedRecords } from './aborted-records.ts'
import { registerCodecs } from './codecs.ts'
import { silenceIdleTimer } from './idle-timer.ts'
import { gatherHeadersOnce } from './record-headers.ts'

export type KafkaSettings = {
  /** `host:port`, at least one. */
  readonly brokers: readonly string[]
  readonly ssl: { readonly ca?: string; readonly cert?: string; readonly key?: string } | null
  readonly sasl: {
    readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
    readonly username: string
    readonly password: string
  } | null
}

export type KafkaClient = Kafka

/** @param clientId names this process in the broker's own logs and quotas */
export function connectKafka(settings: KafkaSettings, clientId: string, log: Log): KafkaClient {
  registerCodecs()
  silenceIdleTimer()
  hideAbortedRecords()
  gatherHeadersOnce()
  const config: KafkaConfig = {
    clientId,
    brokers: [...settings.brokers],
    connectionTimeout: 3_000,
    // A broker that is away is waited for: every caller has its own deadline, so kafkajs never gives up first.
    retry: { initialRetryTime: 200, maxRetryTime: 5_000, retries: 1_000_000 },
    logLevel: logLevel.WARN,
    logCreator: ourLog(log),
  }
  if (settings.ssl) config.ssl = { ...settings.ssl }
  if (settings.sasl) config.sasl = settings.sasl as NonNullable<KafkaConfig['sasl']>
  return new Kafka(config)
}

/** kafkajs reports at error level what it goes on to retry: it is a warning to us, and never ends a process. */
const ourLog =
  (log: Log): logCreator =>
  () =>
  ({ namespace, log: entry }) =>
    log.warn('kafka-client-warned', { about: namespace, text: entry.message, error: textOf(entry['error']) })

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)
