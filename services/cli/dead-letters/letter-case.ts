// The case that a letter's change is of. Pure. Enter: a letter, the topics' kinds, the schemas that are known. Leave: the case,
// or the schema to fetch first. The record's key is the case by contract; what the body says counts more (lane-case.ts).
import type { SourceKind } from '../../shared/change.ts'
import type { Change } from '../../shared/change.ts'
import type { SourceTopics } from '../../shared/kafka/plan-topics.ts'
import { laneCase } from '../../shared/lane-case.ts'
import { readChange, type ChangeReader } from '../../shared/read-change/read-change.ts'
import type { UnreadableCause } from '../../shared/wire/unreadable.ts'
import { headerText, type Letter } from './letter.ts'

export type LetterChange =
  | { readonly kind: 'read'; readonly change: Change; readonly case: string }
  | { readonly kind: 'schema-needed'; readonly schemaId: number }
  /** The key is all there is to go by. */
  | {
      readonly kind: 'unknown'
      readonly case: string | null
      readonly cause: UnreadableCause | 'no-value' | 'foreign-topic'
    }

type Readers = ReadonlyMap<number, ChangeReader>

/** What a source topic carries; undefined for one that the settings do not name. */
const kindOf = (topic: string | null, topics: SourceTopics): SourceKind | undefined =>
  topic === null ? undefined : (['forms', 'cases', 'apps'] as const).find((kind) => topics[kind] === topic)

export function readLetterChange(
  { record }: Pick<Letter, 'record'>,
  topics: SourceTopics,
  readers: Readers,
): LetterChange {
  const { key, value } = record
  const keyed = key === null ? null : key.toString('utf8')
  const kind = kindOf(headerText(record, 'onward-source-topic'), topics)
  if (!kind) return { kind: 'unknown', case: keyed, cause: 'foreign-topic' }
  const read = readChange(kind, value, readers)
  switch (read.kind) {
    case 'read':
      return { kind: 'read', change: read.change, case: laneCase(read.change, key) }
    case 'schema-needed':
      return read
    case 'tombstone':
      return { kind: 'unknown', case: keyed, cause: 'no-value' }
    case 'unreadable':
      return { kind: 'unknown', case: keyed, cause: read.cause }
  }
}

/**
 * Whether the value needs to be read to know that it is of one of these cases. Most need not be: text that is not in the bytes
 * is not in the record, unless JSON writes it with escapes.
 */
export function mayBeOf({ record: { key, value } }: Letter, cases: readonly Buffer[]): boolean {
  if (key !== null && cases.some((each) => each.equals(key))) return true
  if (value === null) return false
  return value.includes(BACKSLASH) || cases.some((each) => value.includes(each))
}

const BACKSLASH = 0x5c
