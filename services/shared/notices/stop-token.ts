// The signed words of a link that stops notices. Pure. Enter: secrets, who and what. Leave: a token, or what a token says.
// Never: a comparison whose time tells how much of a signature was right; a word of the token that is believed before it.
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Millis } from '../clock.ts'
import { readScope, renderScope } from './notice-record.ts'
import type { StopScope } from './notice.ts'

export type StopWish = { readonly address: string; readonly scope: StopScope }

export type ReadToken =
  | ({ readonly kind: 'valid' } & StopWish)
  /** It was ours, long ago. */
  | { readonly kind: 'expired' }
  | { readonly kind: 'forged' }

/** A mail that is older is looked for by nobody; a link that works for ever is one that leaks some day. */
const VALID_FOR: Millis = 180 * 24 * 3_600_000
/** Longer ones are none of ours: nothing is computed over them. */
const LONGEST_TOKEN = 2_000

/** @param secret the one that signs now */
export function renderStopToken(secret: string, { address, scope }: StopWish, now: Millis): string {
  const words = Buffer.from(JSON.stringify([address, renderScope(scope), now])).toString('base64url')
  return `${words}.${sign(secret, words).toString('base64url')}`
}

/** @param secrets all that are accepted */
export function readStopToken(secrets: readonly string[], token: string, now: Millis): ReadToken {
  const [words = '', signature = '', ...rest] = token.length > LONGEST_TOKEN ? [] : token.split('.')
  const given = Buffer.from(signature, 'base64url')
  // One way of writing it only: a token that was changed in a way that does not matter is still not ours.
  const isPlain = rest.length === 0 && given.toString('base64url') === signature
  let isOurs = false
  // All are tried, whichever fits: how long it takes says nothing of the secrets.
  for (const secret of secrets) {
    const right = sign(secret, words)
    if (given.length === right.length && timingSafeEqual(given, right)) isOurs = true
  }
  return isOurs && isPlain ? readWords(words, now) : { kind: 'forged' }
}

function readWords(words: string, now: Millis): ReadToken {
  const [address, written, at] = JSON.parse(Buffer.from(words, 'base64url').toString('utf8')) as readonly unknown[]
  const scope = typeof written === 'string' ? readScope(written) : undefined
  if (typeof address !== 'string' || !scope || typeof at !== 'number') return { kind: 'forged' }
  return now - at > VALID_FOR ? { kind: 'expired' } : { kind: 'valid', address, scope }
}

/** The first words keep it apart from whatever else may be signed with the same secret. */
const sign = (secret: string, words: string): Buffer =>
  createHmac('sha256', secret).update(`onward stop ${words}`).digest()
