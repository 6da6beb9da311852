// What we use of lz4js 0.2.0, which brings no types: single blocks. Its frames are not used: they look for
// block checksums before the block, and read a content size above 32 bits wrong.
declare module 'lz4js' {
  /**
   * @param hashTable 65,536 zeros; positions in `src` that were seen, plus one
   * @returns bytes written to `dst`, 0 when the block cannot be made smaller
   */
  export function compressBlock(
    src: Uint8Array,
    dst: Uint8Array,
    start: number,
    length: number,
    hashTable: Uint32Array,
  ): number
  /** @returns where the output ends in `dst`: beyond it, when the block was damaged or `dst` too small */
  export function decompressBlock(
    src: Uint8Array,
    dst: Uint8Array,
    start: number,
    length: number,
    dstStart: number,
  ): number
}
