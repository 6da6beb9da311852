// What the metadata of a commit says, read back: offset-map.ts writes it. Pure; it never throws, whatever the text is.
// Variable-length integers in base64: how far the reservation is above the watermark; the number of fences, offset and epoch of each;
// then run lengths from the watermark on: open, complete, open, complete, …
import { readMark } from './version-base.ts'

/** From there on in a retry topic's partition, records of an older epoch count for nobody (fences.ts). */
export type Fence = { readonly offset: number; readonly epoch: number }

/** Offsets from `from` up to `to`, exclusive. */
export type Range = { readonly from: number; readonly to: number }

/**
 * Metadata that is not ours, or of another version, says nothing: everything above the watermark is delivered again, as
 * somebody wished who set the offset by hand.
 */
export function readMap(
  watermark: number,
  metadata: string | null,
): { readonly reserved: number; readonly fences: readonly Fence[]; readonly finished: readonly Range[] } {
  const read = readMark(metadata)
  if (!read) return { reserved: watermark, fences: [], finished: [] }
  const bytes = Buffer.from(read.map, 'base64')
  const reservation = readVarint(bytes, 0)
  const reserved = watermark + reservation.value
  const { fences, next } = readFences(bytes, reservation.next)
  const finished = readRanges(bytes, next, watermark)
  return { reserved: Number.isSafeInteger(reserved) ? reserved : watermark, fences, finished }
}

function readFences(bytes: Buffer, start: number): { readonly fences: readonly Fence[]; readonly next: number } {
  const count = readVarint(bytes, start)
  const fences: Fence[] = []
  let at = count.next
  while (fences.length < count.value && at < bytes.length) {
    const offset = readVarint(bytes, at)
    const epoch = readVarint(bytes, offset.next)
    fences.push({ offset: offset.value, epoch: epoch.value })
    at = epoch.next
  }
  return { fences, next: at }
}

function readRanges(bytes: Buffer, start: number, watermark: number): readonly Range[] {
  const ranges: Range[] = []
  let position = watermark
  for (let at = start; at < bytes.length;) {
    const open = readVarint(bytes, at)
    const complete = readVarint(bytes, open.next)
    const from = position + open.value
    const to = from + complete.value
    // No offset is that large: the rest is damaged, and a range without an end would hide every record to come.
    if (!Number.isSafeInteger(to)) break
    ranges.push({ from, to })
    position = to
    at = complete.next
  }
  return ranges
}

function readVarint(bytes: Buffer, start: number): { readonly value: number; readonly next: number } {
  let value = 0
  let scale = 1
  let at = start
  for (;;) {
    const byte = bytes[at++] ?? 0
    value += (byte & 0x7f) * scale
    if (byte < 0x80) return { value, next: at }
    scale *= 0x80
  }
}
