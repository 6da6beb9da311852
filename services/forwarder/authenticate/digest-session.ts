// Digest's memory of one line of requests: its nonce and its count. Pure. A session serves one request at a time, so counts
// reach the server in order and none comes twice, however many requests of the connection are in flight.
//
// | state | a request carries | a 401 |
// |---|---|---|
// | bare | no Authorization | its challenge is taken, the request goes again |
// | fresh | the nonce just taken | credentials refused, unless the nonce is said to be stale |
// | proven | the nonce, counted on | the server has forgotten it: the new challenge is taken, the request goes again |
import { hashUser, pickDigest, type DigestChallenge } from './digest.ts'
import { DigestProofs } from './digest-proofs.ts'
import { readChallenges, readParameters } from './read-challenges.ts'

type Header = string | readonly string[] | undefined

export type Heard =
  | { readonly kind: 'again' }
  /** In words that can stand behind "401: ". */
  | { readonly kind: 'refused'; readonly why: string }

export class DigestSession {
  readonly #cnonce: string
  #challenge: DigestChallenge | null = null
  #count = 0
  #proven = false
  /** Of the challenge's realm: made once, until a secret is replaced. */
  #hashed: { readonly username: string; readonly password: string; readonly hash: string } | null = null
  /** Of the challenge, and the requests that look alike: mostly all of them. */
  #proofs: DigestProofs | null = null

  /** @param cnonce random, and this session's only */
  constructor(cnonce: string) {
    this.#cnonce = cnonce
  }

  /** @returns the value of Authorization; null before the first challenge */
  next(username: string, password: string, method: string, path: string): string | null {
    const challenge = this.#challenge
    if (!challenge) return null
    if (this.#hashed?.username !== username || this.#hashed.password !== password) {
      this.#hashed = { username, password, hash: hashUser(challenge, username, password) }
      this.#proofs = null
    }
    this.#count += 1
    if (this.#proofs?.method !== method || this.#proofs.path !== path) {
      const request = { method, path, cnonce: this.#cnonce }
      this.#proofs = new DigestProofs(challenge, username, this.#hashed.hash, request, this.#count)
    }
    return this.#proofs.next()
  }

  /** The last request got 401. */
  refused(header: Header): Heard {
    const picked = pickDigest(readChallenges(header))
    const fresh = this.#challenge !== null && !this.#proven
    this.#forget()
    if (picked.kind === 'unusable') return { kind: 'refused', why: picked.why }
    // Not kept: the next attempt begins anew, and finds out when the password was put right.
    if (fresh && !picked.challenge.stale)
      return { kind: 'refused', why: 'the user name or the password is not accepted' }
    this.#challenge = picked.challenge
    return { kind: 'again' }
  }

  /** The last request got another answer. @param header Authentication-Info */
  accepted(header: Header): void {
    const challenge = this.#challenge
    if (!challenge) return
    this.#proven = true
    const next = header === undefined ? undefined : readParameters(header)['nextnonce']
    if (next === undefined || next === '' || next === challenge.nonce) return
    this.#challenge = { ...challenge, nonce: next }
    this.#proofs = null
    this.#count = 0
  }

  #forget(): void {
    this.#challenge = null
    this.#count = 0
    this.#proven = false
    this.#hashed = null
    this.#proofs = null
  }
}
