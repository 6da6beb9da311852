// Enters: nothing. Leave: a signal that aborts on SIGINT, SIGTERM or SIGHUP, and the exit code that shells expect then.
// A second signal ends the process at once; what runs under a watchdog ends with it.
import { constants } from 'node:os'

export function untilSignal(): { readonly signal: AbortSignal; readonly code: Promise<number> } {
  const controller = new AbortController()
  const code = new Promise<number>((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(name, () => {
        const exitCode = 128 + constants.signals[name]
        if (controller.signal.aborted) process.exit(exitCode)
        controller.abort()
        resolve(exitCode)
      })
    }
  })
  return { signal: controller.signal, code }
}
