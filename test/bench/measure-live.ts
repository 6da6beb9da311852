// Changes that come while it is measured: how long each takes from the producer to the request that carries it.
import type { KafkaClient } from '../../services/shared/kafka/kafka.ts'
import { CASES, CHANGE_BYTES, CONNECTIONS, HOT_CASE_UPDATES } from './measurements.ts'
import type { Encoder } from './open-encoder.ts'
import type { OpenProcess } from './open-process.ts'
import type { Receiver } from './open-receiver.ts'
import { publishLive } from './publish-live.ts'
import { Watch, type Progress, type RunFigures } from './watch.ts'

type Plan = {
  readonly kafka: KafkaClient
  readonly receiver: Receiver
  readonly topic: string
  readonly encode: Encoder
  /** Changes a second. */
  readonly rate: number
  readonly hot: boolean
  readonly seed: number
  readonly seconds: number
  readonly progress: Progress
}

const SAMPLE_EVERY_MS = 250
const SILENCE_LIMIT_MS = 60_000
/** Compiling, and the sockets of every connection: what a process that runs for days does once. */
const WARM_UP_MS = 8_000

export async function measureLive(system: OpenProcess, plan: Plan): Promise<RunFigures> {
  const { kafka, receiver, topic, encode, rate, hot, seed, seconds, progress } = plan
  const stop = new AbortController()
  const watch = new Watch({
    system,
    receiver,
    count: ({ settled }) => settled,
    every: SAMPLE_EVERY_MS,
    silenceLimit: SILENCE_LIMIT_MS,
    progress,
  })
  const published = publishLive({
    kafka,
    topic,
    encode,
    rate,
    changes: { cases: CASES, projects: CONNECTIONS, zipf: null, bytes: CHANGE_BYTES, seed },
    hotRate: hot ? HOT_CASE_UPDATES : 0,
    signal: stop.signal,
  })
  // Awaited below; a failure of the watch must not leave it unheard.
  published.catch(() => stop.abort())
  try {
    let last = await watch.look()
    while (last.count === 0) last = await watch.look()
    const warmAt = last.at + WARM_UP_MS
    while (last.at < warmAt) last = await watch.look()
    await receiver.forgetLatencies()
    watch.forget()
    const endAt = last.at + seconds * 1_000
    while (last.at < endAt && !stop.signal.aborted) last = await watch.look()
    const { p50, p99 } = last.figures.latency
    return { ...watch.figures('whole', last), p50, p99 }
  } finally {
    stop.abort()
    await published
  }
}
