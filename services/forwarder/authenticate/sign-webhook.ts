// Standard Webhooks 1.0: https://github.com/standard-webhooks/standard-webhooks. Pure. Enter: secrets, what is sent, when.
// Leave: the three headers, or which secret is none. With several secrets each signs: a receiver takes any one it knows.
import { createHash, createHmac } from 'node:crypto'
import type { HeaderLine } from '../render-request.ts'

export type Signed =
  | { readonly kind: 'signed'; readonly lines: readonly HeaderLine[] }
  /** Never with the secret in it. */
  | { readonly kind: 'unusable'; readonly error: string }

const PREFIX = 'whsec_'
/** The specification's own bounds. */
const FEWEST_BYTES = 24
const MOST_BYTES = 64

/**
 * @param key the delivery's idempotency key: the same for every attempt, so the id is, too
 * @param now Unix milliseconds
 */
export function signWebhook(secrets: readonly string[], key: string, now: number, body: Buffer): Signed {
  const id = webhookId(key)
  const timestamp = String(Math.floor(now / 1_000))
  const signatures: string[] = []
  for (const [index, secret] of secrets.entries()) {
    const bytes = readSecret(secret)
    if (!bytes) {
      const error = `signing: secret ${index + 1} is not ${PREFIX} and ${FEWEST_BYTES} to ${MOST_BYTES} bytes in Base64`
      return { kind: 'unusable', error }
    }
    const hmac = createHmac('sha256', bytes).update(`${id}.${timestamp}.`).update(body)
    signatures.push(`v1,${hmac.digest('base64')}`)
  }
  return {
    kind: 'signed',
    lines: [
      ['webhook-id', id],
      ['webhook-timestamp', timestamp],
      ['webhook-signature', signatures.join(' ')],
    ],
  }
}

/** An id holds no `.`, and idempotency keys may: their hash stands in, as unlikely to come twice. */
const webhookId = (key: string): string => `msg_${createHash('sha256').update(key).digest('base64url').slice(0, 27)}`

function readSecret(secret: string): Buffer | undefined {
  const text = secret.trim()
  const encoded = text.startsWith(PREFIX) ? text.slice(PREFIX.length) : text
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) return undefined
  const bytes = Buffer.from(encoded, 'base64')
  return bytes.length >= FEWEST_BYTES && bytes.length <= MOST_BYTES ? bytes : undefined
}
