// What we use of snappyjs 0.7.0, which brings no types.
declare module 'snappyjs' {
  /** @throws Error when the bytes are not snappy's */
  export function uncompress(compressed: Buffer): Buffer
  export function compress(bytes: Buffer): Buffer
}
