// `tls:` of a connection. Enter: a located value. Leave: what it says, its files and secrets still references.
import { TLS_KEYS, TLS_VERSIONS } from './auth-keys.ts'
import type { SecretText, Tls } from './connection.ts'
import { Fields } from './fields.ts'
import { known } from './forwarding-keys.ts'
import { secret } from './read-secret.ts'
import { choice, textLike, trueOrFalse, type Reader } from './read-values.ts'

export const tls: Reader<Tls> = (node, _name, report) => {
  const fields = Fields.of(node, known('tls', TLS_KEYS), report)
  if (!fields) return undefined
  goTogether(fields, 'cert', 'key', '${file:/run/secrets/client-key.pem}')
  goTogether(fields, 'key', 'cert', '${file:/run/secrets/client.pem}')
  if (fields.entry('keyPassphrase') && !fields.entry('key'))
    fields.refuse('keyPassphrase', 'keyPassphrase opens a key, and there is none', 'remove it, or add key: and cert:')
  return {
    cert: fields.optional<SecretText | null>('cert', secret, null),
    key: fields.optional<SecretText | null>('key', secret, null),
    keyPassphrase: fields.optional<SecretText | null>('keyPassphrase', secret, null),
    ca: fields.optional<SecretText | null>('ca', secret, null),
    verify: fields.optional('verify', trueOrFalse, true),
    minVersion: fields.optional('minVersion', choice(TLS_VERSIONS), 'TLSv1.2'),
    serverName: fields.optional<string | null>('serverName', serverName, null),
  }
}

function goTogether(fields: Fields, name: string, other: string, example: string): void {
  if (fields.entry(name) && !fields.entry(other))
    fields.refuse(name, `${name} does nothing without ${other}`, `add ${other}: ${example}`)
}

const serverName = textLike(new RegExp(TLS_KEYS.serverName.schema.pattern), 'is no host name', 'api.example.org')
