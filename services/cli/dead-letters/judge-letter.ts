// May a letter be put back, and as what? Pure. Enter: the letter, its change as far as it can be read, the configuration in force.
// Leave: a candidate with everything that its requeue record says, or one sentence why not. Never: the value itself.
import { isFullState } from '../../shared/forwarding/is-full-state.ts'
import type { Repeater } from '../../shared/forwarding/repeater.ts'
import type { RepeaterId } from '../../shared/ids.ts'
import { versionOf } from '../../shared/kafka/version-base.ts'
import type { LetterChange } from './letter-case.ts'
import { renderPlace, sourceOf, type Letter, type LetterSource, type Place } from './letter.ts'

export type Candidate = {
  readonly letter: Place
  readonly repeater: Repeater
  readonly source: LetterSource
  /** What the record's key will be. */
  readonly case: string
  /** A full state of its case; false when the value could not be read here. */
  readonly full: boolean
  /** It is a state of a case: a newer one makes it pointless. Forms and app changes are events. */
  readonly isState: boolean
  /** What a record of the source must have as its key to be of this case, beside the case itself. */
  readonly sourceKey: string | null
  /** It goes before newer versions, which wait behind it, and not at all once those go. */
  readonly ifHeld: boolean
  /** Of the value. */
  readonly bytes: number
}

export type Judged =
  | { readonly kind: 'candidate'; readonly candidate: Candidate }
  /** @property why one sentence, the same for all letters that it holds for: they are counted by it */
  | { readonly kind: 'refused'; readonly why: string }

export function judgeLetter(
  letter: Letter,
  change: Exclude<LetterChange, { kind: 'schema-needed' }>,
  repeaterOf: (id: RepeaterId) => Repeater | undefined,
): Judged {
  if (letter.repeater === null) {
    return refused(
      'the record could not be read, so it has no repeater: mend what `show` says is wrong with it, and publish it again',
    )
  }
  const source = sourceOf(letter)
  if (!source) return refused('its headers do not say which source record it is of')
  // A branded id is only a promise of its shape, and look-up is what tests it.
  const repeater = repeaterOf(letter.repeater as RepeaterId)
  if (!repeater) {
    return refused(
      `the repeater ${letter.repeater} is not configured (any more): apply it again, or let its letters be`,
    )
  }
  if (change.kind === 'unknown' && change.cause === 'foreign-topic') {
    return refused(
      `its topic ${source.topic} is no source topic of these settings: set ONWARD_TOPIC_… as the forwarder has it`,
    )
  }
  if (letter.record.value === null)
    return refused('its value was left out, since it was too large for the topic: the source record still has it')
  if (change.case === null) return refused('it has no key, and its value cannot be read here: set SCHEMA_REGISTRY_URL')
  return {
    kind: 'candidate',
    candidate: {
      letter: { partition: letter.partition, offset: letter.offset },
      repeater,
      source,
      case: change.case,
      full: change.kind === 'read' && isFullState(change.change, repeater),
      isState: repeater.forward === 'cases',
      sourceKey: letter.record.key?.toString('utf8') ?? null,
      ifHeld: false,
      bytes: letter.record.value.length,
    },
  }
}

const refused = (why: string): Judged => ({ kind: 'refused', why })

/** One delivery: one source record for one repeater. It may have died, and have a letter, more than once. */
export const deliveryOf = (repeater: string, source: Omit<LetterSource, 'timestamp'>): string =>
  `${repeater} ${source.topic} ${source.partition} ${versionOf(source)}`

/** A case that moved, since its topic got partitions, has a lane in each. */
export const laneOf = ({ repeater, source, case: caseId }: Candidate): string =>
  `${repeater.id} ${source.topic} ${source.partition} ${caseId}`

export const placeOf = ({ letter }: Candidate): string => renderPlace(letter)
