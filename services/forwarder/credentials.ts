// What a connection adds to each of its requests: the proof of who we are, and its own extra headers.
// Enter: a connection with secret references. Leave: header lines, or which reference is not there: never a value in an error.
import type { Connection } from '../shared/forwarding/connection.ts'
import type { SecretSource } from '../shared/forwarding/secret.ts'
import { authenticate } from './authenticate/authenticate.ts'
import type { HeaderLine } from './render-request.ts'
import { openResolve, SecretMissing } from './resolve-secrets.ts'

export type Proof =
  | { readonly kind: 'ready'; readonly lines: readonly HeaderLine[] }
  | { readonly kind: 'missing'; readonly error: string }

export const openCredentials = (source: SecretSource): ((connection: Connection) => Proof) => {
  const resolve = openResolve(source)
  return (connection) => {
    try {
      const extra = Object.entries(connection.headers).map(([name, value]): HeaderLine => [name, resolve(value)])
      return { kind: 'ready', lines: [...authenticate(connection.auth, resolve), ...extra] }
    } catch (error) {
      if (error instanceof SecretMissing) return { kind: 'missing', error: error.message }
      throw error
    }
  }
}
