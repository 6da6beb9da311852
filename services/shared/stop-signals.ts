// SIGTERM and SIGINT → one abort. A second signal exits at once: somebody means it.

const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const

/** @param beforeExit what must not be lost when a second signal comes: the log's last lines */
export function stopOnSignals(beforeExit: () => void): AbortSignal {
  const stop = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (stop.signal.aborted) {
        beforeExit()
        process.exit(EXIT_CODES[name])
      }
      stop.abort(name)
    })
  }
  return stop.signal
}
