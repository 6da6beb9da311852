// Snappy as Kafka uses it: raw blocks (librdkafka) or blocks within xerial's framing (the Java client, which cuts at 32 KiB).
// Enter: a batch's records, or either form. Leave: the other. Never: reads outside what it was given. A block
// that lacks its end comes out with zeros: snappyjs does not look, for the broker has checked the batch.
import snappy from 'snappyjs'

/** xerial's SnappyOutputStream: magic, then its version and the oldest that can read it, as big-endian int32. */
const HEADER = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00, 0, 0, 0, 1, 0, 0, 0, 1])
const MAGIC_LENGTH = 8

/** xerial's framing: what every Kafka client reads. */
export function compressSnappy(records: Buffer): Buffer {
  const block = snappy.compress(records)
  const size = Buffer.alloc(4)
  size.writeInt32BE(block.length)
  return Buffer.concat([HEADER, size, block])
}

/** @throws Error when it is neither form, or damaged */
export function decompressSnappy(compressed: Buffer): Buffer {
  if (compressed.compare(HEADER, 0, MAGIC_LENGTH, 0, Math.min(MAGIC_LENGTH, compressed.length)) !== 0) {
    return snappy.uncompress(compressed)
  }
  if (compressed.length < HEADER.length) throw new Error('snappy: the frame ends within its header')
  const blocks: Buffer[] = []
  let at = HEADER.length
  while (at < compressed.length) {
    if (at + 4 > compressed.length) throw new Error('snappy: the frame ends within a size')
    const size = compressed.readInt32BE(at)
    at += 4
    if (size < 0 || at + size > compressed.length) throw new Error('snappy: the frame ends within a block')
    blocks.push(snappy.uncompress(compressed.subarray(at, at + size)))
    at += size
  }
  return Buffer.concat(blocks)
}
