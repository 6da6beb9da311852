// LZ4 frames as Kafka uses them (LZ4 Frame Format 1.6; record batches of version 2). The blocks are lz4js's, the frame ours.
// Enter: a batch's records, or a frame. Leave: the other of the two. Checksums are not verified: the broker did, and the
// batch has one of its own. Never: reads outside the frame.
import { compressBlock, decompressBlock } from 'lz4js'

const MAGIC = 0x184d2204
/** Version 1, independent blocks, no checksums, no size; blocks of 64 KiB; the header's checksum of these two bytes. */
const HEADER = Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82])
const END_MARK_LENGTH = 4
const BLOCK_SIZES: Readonly<Record<number, number>> = { 4: 64 * 1024, 5: 256 * 1024, 6: 1024 * 1024, 7: 4096 * 1024 }
const OUR_BLOCK_SIZE = 64 * 1024
/** In a block's size: the block is stored as it is. */
const STORED = 0x80000000
const HASH_TABLE_LENGTH = 65_536

const FLAG = { dictionary: 0x01, contentSize: 0x08, blockChecksum: 0x10, version: 0xc0 }
const VERSION_1 = 0x40

export function compressFrame(records: Buffer): Buffer {
  const parts: Buffer[] = [HEADER]
  const hashTable = new Uint32Array(HASH_TABLE_LENGTH)
  for (let start = 0; start < records.length; start += OUR_BLOCK_SIZE) {
    const block = records.subarray(start, start + OUR_BLOCK_SIZE)
    // The worst case by the format's own bound: lz4js does not notice where its output ends.
    const compressed = Buffer.alloc(block.length + Math.ceil(block.length / 255) + 16)
    hashTable.fill(0)
    const length = compressBlock(block, compressed, 0, block.length, hashTable)
    const stored = length === 0 || length >= block.length
    const size = Buffer.alloc(4)
    size.writeUInt32LE(stored ? (STORED | block.length) >>> 0 : length)
    parts.push(size, stored ? block : compressed.subarray(0, length))
  }
  parts.push(Buffer.alloc(END_MARK_LENGTH))
  return Buffer.concat(parts)
}

/** @throws Error when it is not a frame, or a damaged one */
export function decompressFrame(frame: Buffer): Buffer {
  if (frame.length < HEADER.length || frame.readUInt32LE(0) !== MAGIC) throw new Error('lz4: not a frame')
  const flags = frame.readUInt8(4)
  const blockSize = BLOCK_SIZES[(frame.readUInt8(5) >> 4) & 0x07]
  if ((flags & FLAG.version) !== VERSION_1 || blockSize === undefined) throw new Error('lz4: unknown version')
  if (flags & FLAG.dictionary) throw new Error('lz4: the frame needs a dictionary')
  let at = HEADER.length + (flags & FLAG.contentSize ? 8 : 0)
  let output: Buffer = Buffer.allocUnsafe(blockSize)
  let length = 0
  for (;;) {
    const size = readSize(frame, at)
    at += 4
    if (size === 0) break
    const stored = size >= STORED
    const blockLength = stored ? size - STORED : size
    if (at + blockLength > frame.length) throw new Error('lz4: the frame ends within a block')
    output = roomFor(output, length, stored ? blockLength : blockSize)
    if (stored) length += frame.copy(output, length, at, at + blockLength)
    else length = decompressBlock(frame, output, at, blockLength, length)
    if (length > output.length) throw new Error('lz4: a block is larger than the frame says')
    at += blockLength + (flags & FLAG.blockChecksum ? 4 : 0)
  }
  // What is read from the batch keeps the whole buffer alive: not four times what it needs.
  return output.length > 2 * length ? Buffer.from(output.subarray(0, length)) : output.subarray(0, length)
}

function readSize(frame: Buffer, at: number): number {
  if (at + 4 > frame.length) throw new Error('lz4: the frame has no end')
  return frame.readUInt32LE(at)
}

/** A block may refer to the 64 KiB before it, so all blocks share one buffer. */
function roomFor(output: Buffer, length: number, more: number): Buffer {
  if (length + more <= output.length) return output
  const larger = Buffer.allocUnsafe(Math.max(length + more, 2 * output.length))
  output.copy(larger, 0, 0, length)
  return larger
}
