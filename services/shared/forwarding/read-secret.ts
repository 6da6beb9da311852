// Values that are secrets, or may hold them. Enter: located values. Leave: text with its references as written.
// Never: a plain secret; what a file holds goes to a topic, and a topic is not a place for secrets.
import type { SecretText } from './connection.ts'
import type { Place, Report } from './located.ts'
import { text, wrongKind, type Reader } from './read-values.ts'
import { readReferences } from './secret.ts'

/** Names whose value opens a door. A wrong guess costs one environment variable; a missed one, a secret in a topic. */
export const looksSecret = (name: string): boolean =>
  /cookie|token|secret|passw|assertion|api[-_]?key|access[-_]?key|signature/i.test(name)

/** Text that holds at least one reference; all of them good ones. */
export const secret: Reader<SecretText> = (node, name, report) => {
  if (node.kind !== 'scalar' || node.value === null || node.value === '') {
    wrongKind(node, name, 'a secret reference', `${name}: \${env:${variableFor(name)}}`, report)
    return undefined
  }
  const written = node.source
  const references = readReferences(written)
  if (references.length === 0) {
    report(
      node.place,
      `${name} is written in the file itself: it would lie readable in a topic`,
      `put it in an environment variable of the forwarder and write ${name}: \${env:${variableFor(name)}}`,
    )
    return undefined
  }
  return checkReferences(written, node.place, name, report)
}

/** Text that need not be secret. */
export const mayHoldSecrets: Reader<SecretText> = (node, name, report) => {
  const written = text(node, name, report)
  return written === undefined ? undefined : checkReferences(written, node.place, name, report)
}

/** An empty password is no secret: some remote APIs take a key for the user name and nothing else. */
export const password: Reader<SecretText> = (node, name, report) =>
  node.kind === 'scalar' && node.value === '' ? '' : secret(node, name, report)

function checkReferences(written: string, place: Place, name: string, report: Report): string | undefined {
  const refused = readReferences(written).filter((reference) => reference.kind === 'refused')
  for (const reference of refused) report(place, `${name}: ${reference.written}: ${reference.why}`, reference.fix)
  return refused.length > 0 ? undefined : written
}

/** A name for the variable: `API_PASSWORD`, `API_KEY`. */
const variableFor = (name: string): string =>
  `API_${name
    .toUpperCase()
    .replace(/[^A-Z0-9]+/g, '_')
    .replace(/^X_/, '')
    .replace(/^API_/, '')}`
