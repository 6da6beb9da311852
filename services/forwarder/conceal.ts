// A remote's words without our secrets: some APIs answer with what they were sent. Enter: a connection and text.
// Leave: the text, each secret of the connection in it masked, also as it stands in URLs and in Basic's Base64.
import type { Connection } from '../shared/forwarding/connection.ts'
import { readReferences, resolveSecret, secretsOf, type SecretSource } from '../shared/forwarding/secret.ts'
import type { ConnectionId } from '../shared/ids.ts'

/** Shorter ones would be found everywhere: in a word of the answer, in a number. */
const SHORTEST = 4
const MASK = '***'

/** @param given secrets that remotes gave us: tokens */
export function openConceal(
  source: SecretSource,
  given: (id: ConnectionId) => readonly string[],
): (connection: Connection, text: string) => string {
  return (connection, text) => {
    const { auth } = connection
    const references = secretsOf(connection).flatMap((secret) => readReferences(secret).map(({ written }) => written))
    const configured = references.map((reference) => valueOf(reference, source))
    const basic = 'password' in auth ? [`${valueOf(auth.username, source)}:${valueOf(auth.password, source)}`] : []
    const secrets = [...configured, ...given(connection.id), ...basic].filter(({ length }) => length >= SHORTEST)
    let concealed = text
    for (const secret of secrets.flatMap(formsOf)) concealed = concealed.replaceAll(secret, MASK)
    return concealed
  }
}

const formsOf = (secret: string): readonly string[] => [
  Buffer.from(secret, 'utf8').toString('base64'),
  secret,
  encodeURIComponent(secret),
  JSON.stringify(secret).slice(1, -1),
]

function valueOf(text: string, source: SecretSource): string {
  const resolved = resolveSecret(text, source)
  return resolved.kind === 'resolved' ? resolved.value : ''
}
