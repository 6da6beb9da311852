// Located value → typed value. Pure; one reader a kind of value, all of one shape: the value, or undefined after telling
// what is wrong and what to write. Never: a secret in a message.
import type { Millis } from '../clock.ts'
import { readDuration, renderDuration } from '../duration.ts'
import { nearest } from '../nearest.ts'
import type { Located, Report } from './located.ts'
import { readRate } from './rate.ts'

export type Reader<Value> = (node: Located, name: string, report: Report) => Value | undefined

/** Text that is not empty. What YAML takes for a number or a switch is not guessed at: `1.10` would lose its zero. */
export const text: Reader<string> = (node, name, report) => {
  if (node.kind === 'scalar' && typeof node.value === 'string' && node.value.trim() !== '') return node.value
  if (node.kind === 'scalar' && node.value !== null && node.value !== '' && node.source !== '') {
    report(
      node.place,
      `${name} must be text, and ${node.source} is ${kindOf(node)}`,
      `put it in quotes: ${name}: "${node.source}"`,
    )
  } else wrongKind(node, name, 'text', `${name}: …`, report)
  return undefined
}

/** @param example stands in the fix */
export const textLike =
  (shape: RegExp, rule: string, example: string): Reader<string> =>
  (node, name, report) => {
    const value = text(node, name, report)
    if (value === undefined || shape.test(value)) return value
    report(node.place, `${name} ${quoted(value)} ${rule}`, `write ${name}: ${example}`)
    return undefined
  }

/** A word of a list. `2.0` without quotes is the word 2.0. */
export const choice =
  <const Word extends string>(words: readonly Word[], notYet: readonly string[] = []): Reader<Word> =>
  (node, name, report) => {
    const written = node.kind === 'scalar' && node.value !== null ? node.source : undefined
    const value = words.find((word) => word === written)
    if (value !== undefined) return value
    if (written === undefined || written === '') {
      wrongKind(node, name, 'a word', `${name}: ${words.join(' | ')}`, report)
    } else if (notYet.includes(written)) {
      report(node.place, `${name}: ${written} is not in this version`, `write ${name}: ${words.join(' | ')}`)
    } else {
      const meant = nearest(written, words) ?? words.join(' | ')
      report(
        node.place,
        `${name} must be one of ${words.join(', ')}, not ${quoted(written)}`,
        `write ${name}: ${meant}`,
      )
    }
    return undefined
  }

export const wholeNumber =
  (least: number, most: number, example: number): Reader<number> =>
  (node, name, report) => {
    const value = node.kind === 'scalar' && typeof node.value === 'number' ? node.value : Number.NaN
    if (Number.isInteger(value) && value >= least && value <= most) return value
    report(node.place, `${name} must be a whole number from ${least} to ${most}`, `write ${name}: ${example}`)
    return undefined
  }

export const trueOrFalse: Reader<boolean> = (node, name, report) => {
  if (node.kind === 'scalar' && typeof node.value === 'boolean') return node.value
  report(node.place, `${name} must be true or false`, `write ${name}: true or ${name}: false`)
  return undefined
}

/** @param most the longest that makes sense; the shortest is a millisecond */
export const duration =
  (most: Millis, example: string): Reader<Millis> =>
  (node, name, report) => {
    const written = node.kind === 'scalar' ? node.source : ''
    const value = readDuration(written)
    if (value !== undefined && value >= 1 && value <= most) return value
    if (value !== undefined) {
      report(node.place, `${name} must be from 1ms to ${renderDuration(most)}`, `write ${name}: ${example}`)
    } else if (/^\d+$/.test(written)) {
      report(node.place, `${name} has no unit`, `write ${name}: ${written}s, or another of ms, s, m, h, d`)
    } else {
      report(node.place, `${name} must be a duration (ms, s, m, h or d)`, `write ${name}: ${example}`)
    }
    return undefined
  }

/** `50/s`, `3000/m`, `100/h`; `none` for no limit. */
export const rate: Reader<number | null> = (node, name, report) => {
  const written = node.kind === 'scalar' ? node.source : ''
  if (written === 'none') return null
  const value = readRate(written)
  if (value !== undefined) return value
  const fix = /^\d+$/.test(written)
    ? `write ${name}: ${written}/s`
    : `write ${name}: 50/s, ${name}: 3000/m, ${name}: 100/h or ${name}: none`
  report(node.place, `${name} must be a number of requests per s, m or h`, fix)
  return undefined
}

/** Items that are wrong are told one by one and left out. */
export const listOf =
  <Value>(item: Reader<Value>, example: string): Reader<readonly Value[]> =>
  (node, name, report) => {
    if (node.kind !== 'list') {
      const single = node.kind === 'scalar' && node.value !== null ? node.source : undefined
      report(node.place, `${name} must be a list`, `write ${name}: [${single ?? example}]`)
      return undefined
    }
    const values: Value[] = []
    for (const part of node.items) {
      const value = item(part, name, report)
      if (value === undefined) continue
      if (values.includes(value)) report(part.place, `${name} holds ${String(value)} twice`, 'remove one')
      else values.push(value)
    }
    return values
  }

export function wrongKind(node: Located, name: string, wanted: string, example: string, report: Report): void {
  const found = kindOf(node)
  const message = found === 'nothing' ? `${name} has no value` : `${name} must be ${wanted}, not ${found}`
  report(node.place, message, `write ${example}`)
}

/** What it is, in words: `a map`, `a number`, `nothing`. */
export function kindOf(node: Located): string {
  if (node.kind === 'map') return 'a map'
  if (node.kind === 'list') return 'a list'
  if (node.value === null || node.value === '') return 'nothing'
  if (typeof node.value === 'string') return 'text'
  return typeof node.value === 'number' ? 'a number' : 'a switch'
}

export const quoted = (value: string): string => JSON.stringify(value.length > 60 ? `${value.slice(0, 59)}…` : value)
