// Bounds a wait for something outside. Enter: the work, a time limit, a signal. Leave: its answer, or an error at the limit.
// Never: a work that is called off: what it says afterwards is nobody's.
import { systemClock, type Millis } from '../shared/clock.ts'

/** @param late makes the error when the limit passes first @throws the signal's reason when it aborts first */
export async function withinDeadline<Answer>(
  work: Promise<Answer>,
  limit: Millis,
  signal: AbortSignal,
  late: () => Error,
): Promise<Answer> {
  const ended = Promise.withResolvers<never>()
  const cancel = systemClock.after(limit, () => ended.reject(late()))
  const onAbort = () =>
    ended.reject(signal.reason instanceof Error ? signal.reason : new Error('aborted', { cause: signal.reason }))
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  work.catch(() => undefined)
  try {
    return await Promise.race([work, ended.promise])
  } finally {
    cancel()
    signal.removeEventListener('abort', onAbort)
  }
}
