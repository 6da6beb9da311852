// What a record's bytes say, when its delivery takes off. A delivery that waits holds the bytes alone, and they are read again; a
// record's deliveries that start at once, while nothing else was read, find what was read of it. Pure.
import type { Change, SourceKind } from '../shared/change.ts'
import { readChange, type ReadChange } from '../shared/read-change/read-change.ts'
import type { SourceRecord } from './delivery.ts'
import { rereadChange, type Readers } from './reread-change.ts'

export class RecentChange {
  readonly #readers: Readers
  /** Of one record only: that much more memory, however large it is. */
  #value: Buffer | null = null
  #change: Change | null = null

  constructor(readers: Readers) {
    this.#readers = readers
  }

  /** @param value known again by being the same object: whoever keeps the record keeps this one */
  read(source: SourceKind, value: Buffer | null): ReadChange {
    const read = readChange(source, value, this.#readers)
    this.#value = value
    this.#change = read.kind === 'read' ? read.change : null
    return read
  }

  /** As `rereadChange`. */
  of(record: SourceRecord): Change {
    return this.#change !== null && this.#value === record.value ? this.#change : rereadChange(record, this.#readers)
  }
}
