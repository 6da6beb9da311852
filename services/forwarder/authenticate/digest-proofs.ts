// Digest's proofs of requests that look alike: one method, one path, one nonce. Pure. Enter: what they have in common, then their counts,
// each one more than the last. Leave: values of Authorization.
import {
  digest,
  digestResponse,
  prepareDigest,
  type DigestChallenge,
  type DigestRequest,
  type Prepared,
} from './digest.ts'

/** Responses made at once, at most: alone, each finds the library's code gone from the processor, and takes ten times as long. */
const MOST_AHEAD = 8

export class DigestProofs {
  readonly method: string
  readonly path: string
  readonly #parts: Prepared
  /** Responses of the counts that come next, the next one last. */
  readonly #ahead: string[] = []
  #made = 0

  /** @param userHash as `hashUser` makes it, of the same challenge */
  constructor(challenge: DigestChallenge, username: string, userHash: string, request: DigestRequest) {
    this.method = request.method
    this.path = request.path
    this.#parts = prepareDigest(challenge, username, userHash, request)
  }

  next(count: number): string {
    return digest(this.#parts, count, this.#ahead.pop() ?? this.#respond(count))
  }

  /** Never more ahead than were made already: nonce or path may be others at the next request. */
  #respond(count: number): string {
    const many = Math.min(Math.max(this.#made, 1), MOST_AHEAD)
    for (let more = many - 1; more > 0; more -= 1) this.#ahead.push(digestResponse(this.#parts, count + more))
    this.#made += many
    return digestResponse(this.#parts, count)
  }
}
