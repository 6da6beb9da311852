// Which headers prove who we are. One room a scheme; this one picks it. Secrets are resolved here, at the moment of use,
// and leave only inside the request's headers.
import { assertNever } from '../../shared/assert-never.ts'
import type { Auth } from '../../shared/forwarding/connection.ts'
import type { HeaderLine } from '../render-request.ts'
import type { ResolveSecret } from '../resolve-secrets.ts'
import { apiKey } from './api-key.ts'
import { basic } from './basic.ts'
import { bearer } from './bearer.ts'

export function authenticate(auth: Auth, resolve: ResolveSecret): readonly HeaderLine[] {
  switch (auth.type) {
    case 'none':
      return []
    // These need the request, or an answer first: proven-remotes.ts asks their rooms.
    case 'digest':
    case 'oauth2-client-credentials':
    case 'oauth2-password':
    case 'oauth1':
      return []
    case 'basic':
      return [basic(resolve(auth.username), resolve(auth.password))]
    case 'bearer':
      return [bearer(resolve(auth.token))]
    case 'api-key':
      return [apiKey(auth.header, resolve(auth.value))]
    default:
      return assertNever(auth)
  }
}
