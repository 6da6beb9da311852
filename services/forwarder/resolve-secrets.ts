// Secret references → values, for the rooms that make proofs of them. Enter: a secret source. Leave: a value, or `SecretMissing`,
// which unwinds to whoever asked the room, and never leaves that file.
import type { SecretText } from '../shared/forwarding/connection.ts'
import { resolveSecret, type SecretSource } from '../shared/forwarding/secret.ts'

/** Its message names the reference, never a value. */
export class SecretMissing extends Error {}

/** @throws SecretMissing */
export type ResolveSecret = (text: SecretText) => string

export const openResolve =
  (source: SecretSource): ResolveSecret =>
  (text) => {
    const resolved = resolveSecret(text, source)
    if (resolved.kind === 'missing') throw new SecretMissing(resolved.error)
    return resolved.value
  }
