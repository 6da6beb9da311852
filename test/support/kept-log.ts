// A log whose events a test can read.
import type { Log, LogFields, LogLevel } from '../../services/shared/log.ts'

export type KeptLog = Log & {
  readonly events: readonly { readonly level: LogLevel; readonly event: string; readonly fields: LogFields }[]
}

export function keptLog(): KeptLog {
  const events: { level: LogLevel; event: string; fields: LogFields }[] = []
  const keep =
    (level: LogLevel) =>
    (event: string, fields: LogFields = {}) =>
      void events.push({ level, event, fields })
  return {
    events,
    writes: () => true,
    debug: keep('debug'),
    info: keep('info'),
    warn: keep('warn'),
    error: keep('error'),
  }
}
