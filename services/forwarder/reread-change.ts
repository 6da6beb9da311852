// The change of a record that was read before: a delivery that waits holds its record's bytes alone. Pure.
import type { Change } from '../shared/change.ts'
import type { ChangeReader } from '../shared/registry/change-reader.ts'
import { readChange } from '../shared/read-change/read-change.ts'
import type { SourceRecord } from './delivery.ts'

/** Decoders by schema id, as far as they are known. */
export type Readers = ReadonlyMap<number, ChangeReader>

/** @throws Error for what was not readable when it arrived: then there would be no delivery of it */
export function rereadChange({ source, value }: SourceRecord, readers: Readers): Change {
  const read = readChange(source, value, readers)
  if (read.kind !== 'read') throw new Error(`the record of a delivery is ${read.kind}`)
  return read.change
}
