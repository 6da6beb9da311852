// The body of an answer → text. Pure. Enter: the answer's headers and the bytes that were kept.
// Leave: its words: of problem details (RFC 9457) title and detail, of other bodies everything. safe-text.ts makes them fit to show.
// Never: more memory than a bound, whatever a compressed body would become.
import { brotliDecompressSync, inflateSync, unzipSync, zstdDecompressSync, constants } from 'node:zlib'

export type ResponseHeaders = Readonly<Record<string, string | string[] | undefined>>

/** What a compressed body may become. A bomb ends here, and its text is not shown. */
const EXPANDED_BYTES = 64 * 1024

/** What an error's body says. */
export function readWords(headers: ResponseHeaders, kept: Buffer): string {
  const text = readBody(headers, kept)
  if (text === null) return '(a compressed body that cannot be shown)'
  return (/^application\/problem\+json/i.test(contentTypeOf(headers)) && readProblem(text)) || text
}

/** A body as text. @returns null for one that is compressed and becomes more than we read, or cannot be expanded */
export function readBody(headers: ResponseHeaders, kept: Buffer): string | null {
  const bytes = expand(first(headers['content-encoding']).toLowerCase(), kept)
  return bytes && decode(contentTypeOf(headers), bytes)
}

export const contentTypeOf = (headers: ResponseHeaders): string => first(headers['content-type'])

/** A body that was cut is shown as far as it goes. @returns null when nothing can be shown */
function expand(encoding: string, bytes: Buffer): Buffer | null {
  const bound = { maxOutputLength: EXPANDED_BYTES }
  try {
    switch (encoding) {
      case '':
      case 'identity':
        return bytes
      case 'gzip':
      case 'x-gzip':
        return unzipSync(bytes, { ...bound, finishFlush: constants.Z_SYNC_FLUSH })
      case 'deflate':
        return inflateSync(bytes, { ...bound, finishFlush: constants.Z_SYNC_FLUSH })
      case 'br':
        return brotliDecompressSync(bytes, { ...bound, finishFlush: constants.BROTLI_OPERATION_FLUSH })
      case 'zstd':
        return zstdDecompressSync(bytes, { ...bound, finishFlush: constants.ZSTD_e_flush })
      default:
        return null
    }
  } catch {
    return null
  }
}

/** By the charset that the server names, when it is one; else UTF-8, what is none of it replaced. */
function decode(contentType: string, bytes: Buffer): string {
  const charset = /;\s*charset\s*=\s*"?([\w.:-]{1,40})"?/i.exec(contentType)?.[1] ?? 'utf-8'
  try {
    return new TextDecoder(charset).decode(bytes)
  } catch {
    return bytes.toString('utf8')
  }
}

function readProblem(text: string): string | undefined {
  try {
    const problem = JSON.parse(text) as Readonly<Record<string, unknown>> | null
    const words = [problem?.['title'], problem?.['detail']].filter((word) => typeof word === 'string' && word !== '')
    return words.length > 0 ? words.join(': ') : undefined
  } catch {
    return undefined
  }
}

const first = (header: string | string[] | undefined): string => (Array.isArray(header) ? header[0] : header) ?? ''
