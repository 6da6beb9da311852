// Reads Avro's binary notation (Avro 1.11 specification, "Binary Encoding") out of bytes nobody has checked.
// Enter: bytes, a position. Leave: values. Every length and count is checked against the bytes that are left before it is
// believed: avsc, which we use to write, loops for as long as a damaged count says, and turns broken UTF-8 into U+FFFD.
// Never: reads outside the buffer, loops longer than the buffer, returns text that was not UTF-8.
import { isAscii, isUtf8 } from 'node:buffer'
import { entryPath, UnreadableError, type UnreadableCause } from '../wire/unreadable.ts'

/** A long has at most 64 bits, seven to a byte. */
const LONGEST_VARINT = 10
/** Bytes of a text that are looked at one by one; for a longer one a call to Node's own scan is worth its price. */
const LONGEST_SCAN = 100
/** Bytes of a value that may be kept alive by a text cut out of it. */
const LARGEST_LATIN1 = 8 * 1024

export class AvroCursor {
  /** For errors: the field that is being read, the entry within it (its number or name), and the field within that. */
  field = ''
  entry: number | string | undefined
  inner = ''
  /** How many records that may hold themselves are open around what is being read. */
  depth = 0
  readonly #bytes: Buffer
  readonly #end: number
  #at: number
  /** The whole value, a character a byte. */
  #latin1: string | undefined

  constructor(bytes: Buffer, start: number) {
    this.#bytes = bytes
    this.#at = start
    this.#end = bytes.length
  }

  get left(): number {
    return this.#end - this.#at
  }

  /** Exact up to 53 bits, the nearest number beyond. */
  readLong(): number {
    const byte = this.#readByte()
    if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1)
    // The lower 28 bits and the others are kept apart: together they may have 64, and a number is exact up to 53.
    let low = byte & 0x7f
    let high = 0
    let count = 1
    for (let more = true; more; count++) {
      if (count === LONGEST_VARINT) throw this.fault('malformed-avro', 'has a number longer than 64 bits')
      const next = this.#readByte()
      if (count < 4) low |= (next & 0x7f) << (7 * count)
      else high += (next & 0x7f) * 2 ** (7 * (count - 4))
      more = next >= 0x80
    }
    const magnitude = high * 2 ** 27 + (low >>> 1)
    return (low & 1) === 1 ? -magnitude - 1 : magnitude
  }

  skipLong(): void {
    for (let count = 1; this.#readByte() >= 0x80; count++) {
      if (count === LONGEST_VARINT) throw this.fault('malformed-avro', 'has a number longer than 64 bits')
    }
  }

  readBoolean(): boolean {
    const byte = this.#readByte()
    if (byte > 1) throw this.fault('malformed-avro', 'is neither true nor false')
    return byte === 1
  }

  readText(): string {
    const length = this.#readLength()
    const start = this.#at
    this.#at += length
    // A short ASCII text is cut out of the whole value, decoded once: a call into the decoder for each costs more than the
    // scan (+80 % on a case of 1 KB). Only of a small value: what is cut out keeps the whole alive.
    // A longer one is cut out as well, or the value's bytes would be kept twice while a delivery waits.
    if (this.#end <= LARGEST_LATIN1 && this.#isAscii(start, this.#at)) {
      this.#latin1 ??= this.#bytes.toString('latin1')
      return this.#latin1.substring(start, this.#at)
    }
    const text = this.#bytes.toString('utf8', start, this.#at)
    // Decoding replaces what is not UTF-8 by U+FFFD: only text that shows one is worth a second look.
    if (text.includes('\ufffd') && !isUtf8(this.#bytes.subarray(start, this.#at))) {
      throw this.fault('invalid-utf8', 'is not UTF-8')
    }
    return text
  }

  /** A view of the value's bytes, not a copy. */
  readBytes(): Buffer {
    const length = this.#readLength()
    this.#at += length
    return this.#bytes.subarray(this.#at - length, this.#at)
  }

  skipBytes(): void {
    this.skip(this.#readLength())
  }

  skip(length: number): void {
    if (length > this.left) throw this.fault('truncated-avro', 'ends too early')
    this.#at += length
  }

  /**
   * The number of entries in the next block of an array or a map; 0 ends it.
   * @param smallest the fewest bytes an entry takes: a count that cannot fit is refused before it is counted
   */
  readBlockCount(smallest: number): number {
    let count = this.readLong()
    if (count < 0) {
      count = -count
      // The block's size in bytes: for those who skip it.
      this.skipLong()
    }
    if (count * smallest > this.left) throw this.fault('truncated-avro', 'has fewer entries than it says')
    return count
  }

  /** Skips blocks of an array or a map. `skipEntry` is not called for entries that take no bytes. */
  skipBlocks(smallest: number, skipEntry: (cursor: AvroCursor) => void): void {
    for (let count = this.readLong(); count !== 0; count = this.readLong()) {
      if (count < 0) {
        this.skipBytes()
      } else {
        if (count * smallest > this.left) throw this.fault('truncated-avro', 'has fewer entries than it says')
        if (smallest > 0) for (let entry = 0; entry < count; entry++) skipEntry(this)
      }
    }
  }

  /** @param what follows the field's path: `is …`, `has …` */
  fault(cause: UnreadableCause, what: string): UnreadableError {
    const { field, entry, inner } = this
    const at = entry === undefined ? field : typeof entry === 'number' ? `${field}[${entry}]` : entryPath(field, entry)
    return new UnreadableError(cause, `${at}${inner && `.${inner}`} ${what}, at byte ${this.#at} of the value`)
  }

  #isAscii(start: number, end: number): boolean {
    const bytes = this.#bytes
    if (end - start > LONGEST_SCAN) return isAscii(bytes.subarray(start, end))
    for (let at = start; at < end; at++) if ((bytes[at] ?? 0) >= 0x80) return false
    return true
  }

  #readByte(): number {
    const byte = this.#bytes[this.#at]
    if (byte === undefined) throw this.fault('truncated-avro', 'ends too early')
    this.#at++
    return byte
  }

  #readLength(): number {
    const length = this.readLong()
    if (length < 0) throw this.fault('malformed-avro', 'has a negative length')
    if (length > this.left) throw this.fault('truncated-avro', 'ends too early')
    return length
  }
}
