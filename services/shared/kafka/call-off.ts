// Gives up work of kafkajs's that cannot be called off. Enter: the work, a signal. Leave: when either ends.
// Never: a connection that is left open because a call came back later.

/** The work, or nothing once the signal aborts: kafkajs cannot be called off while it waits for a broker. */
export async function orAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  const aborted = Promise.withResolvers<undefined>()
  const onAbort = () => aborted.resolve(undefined)
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  try {
    await Promise.race([work, aborted.promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

/** Closes the connections now, and again when a call that was left behind comes back with a new one. */
export async function closeAfter(work: Promise<void>, fetcher: AsyncDisposable): Promise<void> {
  const close = () => fetcher[Symbol.asyncDispose]()
  work.then(close, close).catch(() => undefined)
  await close()
}

/** Read through a function, for the type checker takes a signal that was not aborted for one that never will be. */
export const stopped = (signal: AbortSignal): boolean => signal.aborted
