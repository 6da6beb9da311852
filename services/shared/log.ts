// The log: one JSON object a line for machines, one readable line for a person at a terminal.
// Enter: an event name (kebab-case, past tense for facts) and flat fields. Leave: bytes on the stream.
// Never: a secret. Fields come from our own values, and connections keep their secrets as references.
import type { Clock, Millis } from './clock.ts'

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined | readonly string[]>>

export type Log = {
  /** True when an event of this level would be written: ask before building fields on the hot path. */
  writes(level: LogLevel): boolean
  debug(event: string, fields?: LogFields): void
  info(event: string, fields?: LogFields): void
  warn(event: string, fields?: LogFields): void
  error(event: string, fields?: LogFields): void
}

export type LogStream = { write(text: string): unknown; readonly isTTY?: boolean }

const COLOURS: Record<LogLevel, string> = { debug: '\x1b[2m', info: '\x1b[36m', warn: '\x1b[33m', error: '\x1b[31m' }

/** How long a line may wait to be written with others: a write costs as much as twenty lines. Lost by kill -9, never by an exit. */
const FLUSH_AFTER_MS = 50
/** Lines held before they are written whatever the time: bounds the memory of a burst. */
const FLUSH_AT_BYTES = 64 * 1024

/** Disposing writes what still waits to be written. */
export function openLog(stream: LogStream, level: LogLevel, service: string, clock: Clock): Log & Disposable {
  const least = LOG_LEVELS.indexOf(level)
  let waiting = ''
  let cancelFlush: (() => void) | undefined
  let writtenAt: Millis = Number.NaN
  let writtenAtText = ''

  // Under load a dozen lines fall into each millisecond, and writing an instant costs a fifth of a line.
  const instant = (): string => {
    const now = clock.now()
    if (now !== writtenAt) {
      writtenAt = now
      writtenAtText = new Date(now).toISOString()
    }
    return writtenAtText
  }

  const flush = () => {
    cancelFlush?.()
    cancelFlush = undefined
    if (waiting === '') return
    const text = waiting
    waiting = ''
    stream.write(text)
  }
  const write = (lineLevel: LogLevel, event: string, fields: LogFields = {}) => {
    if (LOG_LEVELS.indexOf(lineLevel) < least) return
    waiting += stream.isTTY
      ? readable(instant(), lineLevel, event, fields)
      : json(instant(), lineLevel, service, event, fields)
    if (lineLevel === 'error' || stream.isTTY || waiting.length >= FLUSH_AT_BYTES) flush()
    else cancelFlush ??= clock.after(FLUSH_AFTER_MS, flush)
  }
  return {
    writes: (asked) => LOG_LEVELS.indexOf(asked) >= least,
    debug: (event, fields) => write('debug', event, fields),
    info: (event, fields) => write('info', event, fields),
    warn: (event, fields) => write('warn', event, fields),
    error: (event, fields) => write('error', event, fields),
    [Symbol.dispose]: flush,
  }
}

/** Put together as text: one object of it all took twice as long, for a line that every delivery writes. No name may need escaping. */
function json(at: string, level: LogLevel, service: string, event: string, fields: LogFields): string {
  const rest = JSON.stringify(fields)
  const head = `{"at":"${at}","level":"${level}","service":"${service}","event":"${event}"`
  return rest === '{}' ? `${head}}\n` : `${head},${rest.slice(1)}\n`
}

const readable = (at: string, level: LogLevel, event: string, fields: LogFields) => {
  const time = at.slice(11, 23)
  const tail = Object.entries(fields)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([name, value]) => `\x1b[2m${name}=\x1b[0m${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ')
  return `\x1b[2m${time}\x1b[0m ${COLOURS[level]}${event}\x1b[0m ${tail}\n`
}
