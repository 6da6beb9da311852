// Starts the system a measurement is about, against the ground of this run. One function a system; each a process.
import { fileURLToPath } from 'node:url'
import { openProcess, type OpenProcess } from './open-process.ts'
import type { Ground } from './open-ground.ts'
import { CONNECTIONS, PARTITIONS, SOCKETS_OF_A_CONNECTION, type Subject } from './measurements.ts'

const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url))

/** What a forwarder is started with, beside what is the same for all of them. */
export type OnwardStart = {
  /** Names the consumer group: a new one reads its load from the beginning. */
  readonly group: string
  readonly topic: string
  readonly topicPrefix: string
  /** As the setting: `1m,5m`. */
  readonly retryTiers: string
  /** Where its metrics are. */
  readonly port: number
  /** Where it writes a CPU profile; null for none. */
  readonly profile: string | null
}

export function openBare({ call, sockets }: Extract<Subject, { system: 'bare' }>, ground: Ground): OpenProcess {
  const [connections, socketsEach] = sockets === 'one' ? [1, 1] : [CONNECTIONS, SOCKETS_OF_A_CONNECTION]
  const options = { origin: ground.receiver.origin, bodies: ground.bodies, call, connections, sockets: socketsEach }
  return openProcess(here('bare-undici.ts'), argumentsOf(options))
}

export function openPlain({ load }: Extract<Subject, { system: 'plain' }>, ground: Ground, group: string): OpenProcess {
  const options = {
    brokers: ground.brokers.join(','),
    registry: ground.registryUrl ?? '',
    topic: ground.load(load).topic,
    group,
    partitions: PARTITIONS,
    origin: ground.receiver.origin,
    sockets: CONNECTIONS * SOCKETS_OF_A_CONNECTION,
  }
  return openProcess(here('plain-kafkajs.ts'), argumentsOf(options))
}

export function openOnward(ground: Ground, start: OnwardStart): OpenProcess {
  const flags = start.profile === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${start.profile}`]
  const environment = {
    KAFKA_BROKERS: ground.brokers.join(','),
    ...(ground.registryUrl === null ? {} : { SCHEMA_REGISTRY_URL: ground.registryUrl }),
    ONWARD_GROUP_ID: start.group,
    ONWARD_TOPIC_CASES: start.topic,
    ONWARD_TOPIC_FORMS: '',
    ONWARD_TOPIC_APPS: '',
    ONWARD_TOPIC_PREFIX: start.topicPrefix,
    ONWARD_RETRY_TIERS: start.retryTiers,
    ONWARD_ALLOW_ADDRESSES: '127.0.0.0/8',
    ONWARD_HTTP_PORT: String(start.port),
    BENCH_SECRET: 'bench-secret',
  }
  return openProcess(here('../../services/forwarder/main.ts'), [], environment, flags)
}

const argumentsOf = (options: Readonly<Record<string, string | number>>): string[] =>
  Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)])
