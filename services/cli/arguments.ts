// A verb's arguments, read strictly. Enter: what stands after the verb, and the options it knows.
// Leave: typed values, or a UsageError that names the nearest option. Never: a guess that is acted on.
import { parseArgs, type ParseArgsOptionsConfig } from 'node:util'
import { errorText } from '../shared/error-text.ts'
import { readDuration } from '../shared/duration.ts'
import { nearest } from '../shared/nearest.ts'
import type { Millis } from '../shared/clock.ts'

/** The command line was not understood: main prints it and how to get help, and exits with 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
  readonly code = 'USAGE_INVALID'
}

type Parsed<Options extends ParseArgsOptionsConfig> = ReturnType<
  typeof parseArgs<{ args: string[]; options: Options; allowPositionals: true; strict: true }>
>

/** @throws UsageError */
export function readArguments<const Options extends ParseArgsOptionsConfig>(
  args: readonly string[],
  options: Options,
): Parsed<Options> {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true })
  } catch (error) {
    throw new UsageError(explain(error, Object.keys(options)))
  }
}

/** @param text what was given, or undefined @returns a whole number of at least `least`, or undefined @throws UsageError */
export function readCount(option: string, text: string | undefined, least = 1): number | undefined {
  if (text === undefined) return undefined
  const count = Number(text.replaceAll('_', ''))
  if (text.trim() === '' || !Number.isSafeInteger(count) || count < least) {
    throw new UsageError(`--${option} takes a whole number of at least ${least}, not "${text}"`)
  }
  return count
}

/** @throws UsageError */
export function readTimeout(text: string | undefined, otherwise: Millis): Millis {
  if (text === undefined) return otherwise
  const timeout = readDuration(text)
  if (timeout === undefined || timeout === 0)
    throw new UsageError(`--timeout takes a duration such as 10s, not "${text}"`)
  return timeout
}

/** `500/s`, `3000/m`, `100000/h`: as the forwarding file writes a rate. @returns how many a second @throws UsageError */
export function readRate(option: string, text: string | undefined): number | null {
  if (text === undefined) return null
  const match = /^(\d+(?:\.\d+)?)\/(s|m|h)$/.exec(text)
  const perSecond = Number(match?.[1]) / (match?.[2] === 'h' ? 3_600 : match?.[2] === 'm' ? 60 : 1)
  if (!(perSecond > 0)) {
    throw new UsageError(`--${option} takes a rate such as 500/s, 3000/m or 100000/h, not "${text}"`)
  }
  return perSecond
}

/** node says what was wrong in a paragraph of advice; the first sentence is what somebody at a prompt needs. */
function explain(error: unknown, options: readonly string[]): string {
  const message = errorText(error)
  const unknown = /^Unknown option '(-[^']*)'/.exec(message)?.[1]
  if (unknown === undefined) return message
  const meant = nearest(unknown.replace(/^-+/, ''), [...options, 'help'])
  return `there is no option ${unknown}${meant === undefined ? '' : ` (did you mean --${meant}?)`}`
}
