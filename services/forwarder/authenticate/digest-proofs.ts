// Digest's proofs of requests that look alike: one method, one path, one nonce. Pure. Enter: what they have in common, and the count of
// the first. Leave: values of Authorization, each with the next count. A count is used in order and once, so it may be made before.
import {
  prepareDigest,
  renderProof,
  respond,
  type DigestChallenge,
  type DigestRequest,
  type Prepared,
} from './digest.ts'

/**
 * Responses made at once, at most: one that is made alone takes several times as long, probably since the library's code is out of the
 * processor's caches by then. Who feels it: memory, 0.7 KB a session, of which a connection has one a slot.
 */
const MOST_AHEAD = 8

export class DigestProofs {
  readonly method: string
  readonly path: string
  readonly #parts: Prepared
  #count: number
  /** Of the counts that come next, the next one last. */
  readonly #ahead: string[] = []
  #made = 0

  /** @param userHash as `hashUser` makes it, of the same challenge @param firstCount of the nonce; from 1 */
  constructor(
    challenge: DigestChallenge,
    username: string,
    userHash: string,
    request: DigestRequest,
    firstCount: number,
  ) {
    this.method = request.method
    this.path = request.path
    this.#parts = prepareDigest(challenge, username, userHash, request)
    this.#count = firstCount - 1
  }

  next(): string {
    this.#count += 1
    return renderProof(this.#parts, this.#count, this.#ahead.pop() ?? this.#respondAhead())
  }

  /** Never more than were made already: nonce or path may be others at the next request. @returns the response of this count */
  #respondAhead(): string {
    const many = Math.min(Math.max(this.#made, 1), MOST_AHEAD)
    for (let more = many - 1; more > 0; more -= 1) this.#ahead.push(respond(this.#parts, this.#count + more))
    this.#made += many
    return respond(this.#parts, this.#count)
  }
}
