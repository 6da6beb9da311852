// Codecs for the compressions kafkajs lacks: a producer upstream chooses them, not we. All without a native build.
// gzip is kafkajs's own; zstd is Node's; snappy and lz4 are plain JavaScript.
import { zstdCompress, zstdDecompress } from 'node:zlib'
import { promisify } from 'node:util'
import kafkajs from 'kafkajs'
import { compressFrame, decompressFrame } from './lz4-frame.ts'
import { compressSnappy, decompressSnappy } from './snappy-frame.ts'

type Encoder = { readonly buffer: Buffer }

const zstd = { compress: promisify(zstdCompress), decompress: promisify(zstdDecompress) }

/** Registers each codec for the whole process; doing so again changes nothing. */
export function registerCodecs(): void {
  const { CompressionCodecs, CompressionTypes } = kafkajs
  CompressionCodecs[CompressionTypes.ZSTD] = () => ({
    compress: async ({ buffer }: Encoder) => zstd.compress(buffer),
    decompress: async (buffer: Buffer) => zstd.decompress(buffer),
  })
  CompressionCodecs[CompressionTypes.Snappy] = () => ({
    compress: async ({ buffer }: Encoder) => compressSnappy(buffer),
    decompress: async (buffer: Buffer) => decompressSnappy(buffer),
  })
  CompressionCodecs[CompressionTypes.LZ4] = () => ({
    compress: async ({ buffer }: Encoder) => compressFrame(buffer),
    decompress: async (buffer: Buffer) => decompressFrame(buffer),
  })
}
