// A service as a process of its own, and what it tells: log events, probes, metrics.
// Enter: its settings. Leave: a process that is ready. Never: one that outlives this process.
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import type { Clock, Millis } from '../../../services/shared/clock.ts'
import type { Environment } from '../../../services/shared/settings.ts'
import { startChild } from './child.ts'
import { readLogEvent, type LogEvent } from './log-event.ts'

export type ForwarderProcess = AsyncDisposable & {
  /** Where its probes and metrics are. */
  readonly origin: string
  /** The text of /metrics. */
  metrics(): Promise<string>
  /** Rejects when it ends without having been asked to; pends else. */
  readonly lost: Promise<never>
}

/** It reads the topics' and the configuration's state and joins a group: about a second on an idle machine. */
const READY_WITHIN: Millis = 60_000
const LOOK_AGAIN_AFTER: Millis = 50
const ANSWER_WITHIN: Millis = 5_000
/** Its drain has a shorter deadline, but a broker that is gone already could keep it waiting. */
const KILLED_AFTER: Millis = 6_000
/** Of its log and standard error, for the message when it fails. */
const LINES_KEPT = 15

/** @throws Error with its last words when it ends or does not become ready */
export const startForwarder = (
  env: Environment,
  onEvent: (event: LogEvent) => void,
  clock: Clock,
  signal: AbortSignal,
): Promise<ForwarderProcess> => startService('forwarder', env, onEvent, clock, signal)

/** As `startForwarder`. */
export async function startService(
  service: 'forwarder' | 'notifier',
  env: Environment,
  onEvent: (event: LogEvent) => void,
  clock: Clock,
  signal: AbortSignal,
): Promise<ForwarderProcess> {
  const child = startChild(`services/${service}/main.ts`, [], env)
  const last: string[] = []
  const keep = (line: string) => {
    last.push(line)
    if (last.length > LINES_KEPT) last.shift()
  }
  const started = Promise.withResolvers<number>()
  let asked = false
  createInterface(child.stdout).on('line', (line) => {
    const event = readLogEvent(line)
    if (!event || event.level === 'warn' || event.level === 'error') keep(line)
    if (!event) return
    if (event.event === `${service}-started`) started.resolve(Number(event.fields['port']))
    onEvent(event)
  })
  const complained = text(child.stderr)
  const closed = once(child, 'close')
  const lost = closed.then(async ([code, killedBy]: unknown[]): Promise<never> => {
    if (asked) return new Promise<never>(() => undefined)
    const words = [...last, ...(await complained).trimEnd().split('\n')].filter((line) => line !== '')
    throw new Error(`the ${service} ended with ${String(code ?? killedBy)}. Its last words:\n${words.join('\n')}`)
  })
  // Whoever starts it races what it does against this; until then nobody listens.
  lost.catch(() => undefined)
  const end = async () => {
    asked = true
    child.kill('SIGTERM')
    const cancel = clock.after(KILLED_AFTER, () => child.kill('SIGKILL'))
    await closed
    cancel()
  }

  try {
    const aborted = untilAborted(signal)
    const port = await Promise.race([started.promise, lost, aborted])
    const origin = `http://127.0.0.1:${port}`
    await Promise.race([becomesReady(service, origin, clock, signal), lost, aborted])
    return { origin, lost, metrics: () => ask(`${origin}/metrics`), [Symbol.asyncDispose]: end }
  } catch (error) {
    await end()
    throw error
  }
}

async function becomesReady(service: string, origin: string, clock: Clock, signal: AbortSignal): Promise<void> {
  const deadline = clock.monotonic() + READY_WITHIN
  let said = ''
  while (clock.monotonic() < deadline && !signal.aborted) {
    try {
      await ask(`${origin}/readyz`)
      return
    } catch (error) {
      said = error instanceof Error ? error.message : String(error)
    }
    await clock.sleep(LOOK_AGAIN_AFTER, signal)
  }
  throw new Error(`the ${service} was not ready after ${READY_WITHIN / 1_000} s: ${said}`)
}

async function ask(url: string): Promise<string> {
  const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_WITHIN) })
  const said = await response.text()
  if (!response.ok) throw new Error(`${response.status} ${said.trimEnd()}`)
  return said
}

function untilAborted(signal: AbortSignal): Promise<never> {
  const aborted = new Promise<never>((_resolve, reject) => {
    const fail = () => reject(new Error('interrupted'))
    if (signal.aborted) fail()
    signal.addEventListener('abort', fail, { once: true })
  })
  // It may come when nobody waits any more.
  aborted.catch(() => undefined)
  return aborted
}
