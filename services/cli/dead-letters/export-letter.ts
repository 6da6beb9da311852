// A letter → one line of JSON that says all of it, so that it can be kept or given to others. Pure. Text stays text where its
// bytes are UTF-8; any others are base64.
import { isUtf8 } from 'node:buffer'
import { headerText, renderPlace, type Letter } from './letter.ts'
import { jsonLine } from './printable.ts'
import { renderMoment } from './tally-letters.ts'

export type EncodedBytes = { readonly text: string } | { readonly base64: string } | null

export const encodeBytes = (bytes: Buffer | null): EncodedBytes =>
  bytes === null ? null : isUtf8(bytes) ? { text: bytes.toString('utf8') } : { base64: bytes.toString('base64') }

export const exportLine = (letter: Letter): string =>
  jsonLine({
    letter: renderPlace(letter),
    partition: letter.partition,
    offset: letter.offset,
    writtenAt: renderMoment(letter.writtenAt),
    key: encodeBytes(letter.record.key),
    headers: Object.fromEntries(
      Object.keys(letter.record.headers).map((name) => [name, headerText(letter.record, name)]),
    ),
    value: encodeBytes(letter.record.value),
  })
