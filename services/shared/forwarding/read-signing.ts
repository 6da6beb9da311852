// `signing:` of a connection. Enter: a located value. Leave: the scheme, its secrets still references.
import { MOST_SIGNING_SECRETS, SIGNING_KEYS } from './auth-keys.ts'
import type { Signing } from './connection.ts'
import { Fields } from './fields.ts'
import { known } from './forwarding-keys.ts'
import { secret } from './read-secret.ts'
import { choice, listOf, type Reader } from './read-values.ts'

export const signing: Reader<Signing> = (node, _name, report) => {
  const fields = Fields.of(node, known('signing', SIGNING_KEYS), report)
  if (!fields) return undefined
  const type = fields.required('type', choice(['standard-webhooks']), 'standard-webhooks')
  const secrets = fields.required('secrets', listOf(secret, '${env:SIGNING_SECRET}'), '[ "${env:SIGNING_SECRET}" ]')
  if (secrets?.length === 0 && isEmptyList(fields))
    fields.refuse(
      'secrets',
      'secrets is empty, and nothing would be signed',
      'write secrets: [ "${env:SIGNING_SECRET}" ]',
    )
  if (secrets !== undefined && secrets.length > MOST_SIGNING_SECRETS) {
    fields.refuse(
      'secrets',
      `secrets has ${secrets.length} entries, and at most ${MOST_SIGNING_SECRETS} are signed with`,
      'keep the newest, and the one that is being replaced',
    )
  }
  return type && secrets ? { type, secrets } : undefined
}

/** Items that were wrong are left out and told of already. */
function isEmptyList(fields: Fields): boolean {
  const list = fields.entry('secrets')?.value
  return list?.kind === 'list' && list.items.length === 0
}
