// Which dead letters hold their lanes now, read back from the retry topic that keeps the markers: the longest one.
// Enter: the letters' installation. Leave: by delivery, since when. Never: a memory of our own; a value looked into.
import type { Millis } from '../../shared/clock.ts'
import type { RepeaterId } from '../../shared/ids.ts'
import { retryTopic } from '../../shared/kafka/plan-topics.ts'
import { readRetryHeader, RETRY_HEADER } from '../../shared/wire/retry-header.ts'
import { deliveryOf } from './judge-letter.ts'
import { headerText, sourceOf, type Letter, type LetterSource } from './letter.ts'
import type { Letters } from './open-letters.ts'

export type HeldLane = {
  readonly repeater: RepeaterId
  readonly case: string
  /** Of what died. */
  readonly source: LetterSource
  /** Unix milliseconds. */
  readonly since: Millis
}

/** By `deliveryOf` what died. */
export type Held = ReadonlyMap<string, HeldLane>

export const NONE_HELD: Held = new Map()

/** It held its lane when it was written: whether it still does, the retry topic says. */
export const didHold = ({ record }: Pick<Letter, 'record'>): boolean => headerText(record, 'onward-held') === 'true'

export async function readHeld(letters: Letters): Promise<Held> {
  const { topicPrefix, retryTiers } = letters.settings
  const held = new Map<string, HeldLane>()
  await letters.read(retryTopic(topicPrefix, Math.max(...retryTiers)), { views: true }, (record) => {
    // Everything else that lies there has a value: it is to be sent.
    if (record.value !== null) return
    const read = readRetryHeader(record.headers[RETRY_HEADER], record.partition)
    if (read.kind === 'malformed') return
    const { repeater, reason, topic, partition, offset, base = 0, timestamp } = read.header
    const { held: since = record.timestamp } = read.header
    const source = { topic, partition, offset, base, timestamp }
    const delivery = deliveryOf(repeater, source)
    if (reason === 'released') held.delete(delivery)
    else if (reason === 'held') held.set(delivery, { repeater, case: record.key?.toString() ?? '', source, since })
  })
  return held
}

/** The delivery whose lane the letter held when it was written; undefined when it held none. */
export function deliveryHeldBy(letter: Letter): string | undefined {
  const source = didHold(letter) ? sourceOf(letter) : undefined
  return source && letter.repeater !== null ? deliveryOf(letter.repeater, source) : undefined
}

/** @returns undefined when the letter holds no lane, or no more */
export function laneHeldBy(letter: Letter, held: Held): HeldLane | undefined {
  const source = sourceOf(letter)
  return source && letter.repeater !== null ? held.get(deliveryOf(letter.repeater, source)) : undefined
}
