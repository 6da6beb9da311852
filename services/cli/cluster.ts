// The cluster as a verb meets it: with a deadline, and an error that says which address was tried and which setting to change.
// Enter: settings. Leave: a client, and `within`, which bounds what is done with it. Never: kafkajs's own log on the terminal.
import { systemClock, type Millis } from '../shared/clock.ts'
import { renderDuration } from '../shared/duration.ts'
import { errorText } from '../shared/error-text.ts'
import { connectKafka, type KafkaClient, type KafkaSettings } from '../shared/kafka/kafka.ts'
import type { Log, LogFields } from '../shared/log.ts'
import { withinDeadline } from './within-deadline.ts'

/** Nothing answered in time, or it refused this client: main exits with 3. */
export class ClusterError extends Error {
  override readonly name = 'ClusterError'
  readonly code = 'CLUSTER_UNREACHABLE'
}

/** How long a verb waits for the cluster's answer unless `--timeout` says otherwise. */
export const CLUSTER_TIMEOUT: Millis = 10_000

export type BoundedCluster = {
  readonly kafka: KafkaClient
  /** Never bounds what waits for a person or a load: only one exchange with the cluster. @throws ClusterError at the deadline; the signal's reason when it aborts */
  readonly within: <Answer>(work: Promise<Answer>, signal: AbortSignal) => Promise<Answer>
  /**
   * Bounds a read of any length: what may not take long is that nothing comes.
   * @param work calls `moved` with whatever comes, and ends when the signal it is given aborts
   * @throws ClusterError when nothing came for as long as the deadline; the signal's reason when it aborts
   */
  readonly whileMoving: <Answer>(
    work: (moved: () => void, signal: AbortSignal) => Promise<Answer>,
    signal: AbortSignal,
  ) => Promise<Answer>
}

export function openBoundedCluster(settings: KafkaSettings, timeout: Millis): BoundedCluster {
  const heard = lastWarning()
  const kafka = connectKafka(settings, 'onward', heard.log)
  const unreachable = (why: string) =>
    new ClusterError(
      `no answer from Kafka at ${settings.brokers.join(', ')} within ${renderDuration(timeout)}${why === '' ? '' : `: ${why}`}\n` +
        'Check KAFKA_BROKERS (and KAFKA_SSL, KAFKA_SASL_… when the cluster asks for them), or give it longer with --timeout.',
    )
  return {
    kafka,
    within: async (work, signal) => {
      try {
        return await withinDeadline(work, timeout, signal, () => unreachable(heard.text()))
      } catch (error) {
        throw isConnectionTrouble(error) ? unreachable(errorText(error)) : error
      }
    },
    whileMoving: async (work, signal) => {
      const stalled = new AbortController()
      let hasMoved = false
      const look = () => {
        if (!hasMoved) stalled.abort(unreachable(heard.text()))
        hasMoved = false
        cancel = systemClock.after(timeout, look)
      }
      let cancel = systemClock.after(timeout, look)
      try {
        return await work(() => (hasMoved = true), AbortSignal.any([signal, stalled.signal]))
      } catch (error) {
        throw isConnectionTrouble(error) ? unreachable(errorText(error)) : error
      } finally {
        cancel()
      }
    },
  }
}

/** kafkajs gives up at once on some: a refused login, a TLS handshake that fails. */
const isConnectionTrouble = (error: unknown): boolean =>
  error instanceof Error && /^KafkaJS(Connection|SASL|NumberOfRetries)/.test(error.name)

/** A log that writes nothing. */
export const silentLog = (): Log => lastWarning().log

/** A log that keeps only the newest complaint: while kafkajs retries it is the reason that nothing answers. */
function lastWarning(): { readonly log: Log; text(): string } {
  let text = ''
  const hear = (event: string, fields: LogFields = {}) => {
    const { error, text: said } = fields
    text = typeof error === 'string' && error !== '' ? error : typeof said === 'string' ? said : event
  }
  const ignore = () => undefined
  return { log: { writes: () => true, debug: ignore, info: ignore, warn: hear, error: hear }, text: () => text }
}
