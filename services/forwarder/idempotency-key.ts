// The key a receiver recognises a delivery by: the same for every attempt and after every restart. Pure.
// What an operator puts back is meant to be sent again: its run makes another key of it.
// The value is a quoted string (RFC 8941), so its own quotes and backslashes are escaped; topic and ids hold neither.
import type { RepeaterId } from '../shared/ids.ts'
import { versionOf } from '../shared/kafka/version-base.ts'
import type { SourceRecord } from './delivery.ts'

export const idempotencyKey = (
  repeater: RepeaterId,
  record: Pick<SourceRecord, 'topic' | 'partition' | 'base' | 'offset' | 'run'>,
): string =>
  `"${repeater}:${record.topic}:${record.partition}:${versionOf(record)}${record.run === null ? '' : `:${record.run}`}"`
