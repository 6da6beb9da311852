// `headers:` of a connection. Enter: a located map. Leave: names → values, secrets still references; what is not a
// configuration's to set is told.
import type { SecretText } from './connection.ts'
import { adviseAgainst, headerName, HEADER_VALUE } from './header-rules.ts'
import { looksSecret, mayHoldSecrets, secret } from './read-secret.ts'
import { wrongKind, type Reader } from './read-values.ts'

export const headers: Reader<Readonly<Record<string, SecretText>>> = (node, name, report) => {
  if (node.kind !== 'map') {
    wrongKind(node, name, 'a map', `${name}: { X-Source: onward }`, report)
    return undefined
  }
  const read: [string, SecretText][] = []
  const seen = new Set<string>()
  for (const { key, place, value } of node.entries) {
    const header = headerName({ kind: 'scalar', place, value: key, source: key }, 'a header', report)
    if (header === undefined || adviseAgainst(header, place, report)) continue
    if (seen.has(header.toLowerCase()))
      report(place, `the header ${header} is written twice`, 'keep one: the case of letters makes no difference')
    seen.add(header.toLowerCase())
    const written = looksSecret(header) ? secret(value, header, report) : mayHoldSecrets(value, header, report)
    if (written === undefined) continue
    if (HEADER_VALUE.test(written)) read.push([header, written])
    else
      report(
        value.place,
        `the value of ${header} holds what HTTP headers cannot carry`,
        'write one line of plain ASCII text',
      )
  }
  return Object.fromEntries(read)
}
