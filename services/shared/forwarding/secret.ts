// Text with references → text with their values. Pure; the values come from a source that is handed in (secret-source.ts).
// Enter: `${env:NAME}` and `${file:/path}`, alone or inside other text. Leave: the secret, or an error that names the reference.
// Never: a value in an error, and never one of Onward's own variables: who writes a configuration must not read the process's secrets.
import type { Connection, SecretText } from './connection.ts'

export type SecretSource = {
  variable(name: string): Found
  /** @param path absolute, as written in the reference */
  file(path: string): Found
}

export type Found =
  { readonly kind: 'found'; readonly value: string } | { readonly kind: 'absent'; readonly why: string }

export type Resolved =
  { readonly kind: 'resolved'; readonly value: string } | { readonly kind: 'missing'; readonly error: string }

export type Reference =
  | { readonly kind: 'env'; readonly written: string; readonly name: string }
  | { readonly kind: 'file'; readonly written: string; readonly path: string }
  /** Begins like a reference and is none, or names what a configuration may not read. */
  | { readonly kind: 'refused'; readonly written: string; readonly why: string; readonly fix: string }

const REFERENCE = /\$\{([^}]*)(\}|$)/g
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/
/** Variables of the process itself. Compared in capitals, for some systems do not tell them apart. */
const OWN_VARIABLES = ['ONWARD_', 'KAFKA_', 'SMTP_', 'SCHEMA_']
const EXAMPLE = 'write ${env:NAME} or ${file:/path}'

/** Every reference of the text, in order; what is wrong with one stands in its place. */
export const readReferences = (text: SecretText): readonly Reference[] =>
  [...text.matchAll(REFERENCE)].map(([written, inner = '', end = '']) => readReference(written, inner, end))

/** Every text of a connection that holds a reference. */
export const secretsOf = ({ auth, tls, signing, headers }: Connection): readonly SecretText[] =>
  textsIn([auth, tls, signing, headers]).filter((text) => text.includes('${'))

const textsIn = (part: unknown): readonly string[] => {
  if (typeof part === 'string') return [part]
  return typeof part === 'object' && part !== null ? Object.values(part).flatMap(textsIn) : []
}

/** @returns the text with the values in place, or the first reference that has none */
export function resolveSecret(text: SecretText, source: SecretSource): Resolved {
  if (!text.includes('${')) return { kind: 'resolved', value: text }
  const reference = wholeReference(text)
  if (reference !== null) {
    const found = look(reference, source)
    if (found.kind === 'found') return { kind: 'resolved', value: found.value }
    return { kind: 'missing', error: `${reference.written}: ${found.why}` }
  }
  let error: string | undefined
  const value = text.replace(REFERENCE, (written: string, inner: string, end: string) => {
    const found = look(readReference(written, inner, end), source)
    if (found.kind === 'found') return found.value
    error ??= `${written}: ${found.why}`
    return ''
  })
  return error === undefined ? { kind: 'resolved', value } : { kind: 'missing', error }
}

/** A reference that is the whole text, as nearly all are, is read once and not for each request: 1.5 µs of a request with Basic. */
const wholes = new Map<SecretText, Reference | null>()
/** Bounds the memory of a configuration that changes its references for months. */
const WHOLES_LIMIT = 20_000

function wholeReference(text: SecretText): Reference | null {
  let whole = wholes.get(text)
  if (whole === undefined) {
    const [first] = readReferences(text)
    whole = first?.written === text ? first : null
    if (wholes.size >= WHOLES_LIMIT) wholes.clear()
    wholes.set(text, whole)
  }
  return whole
}

function look(reference: Reference, source: SecretSource): Found {
  switch (reference.kind) {
    case 'env':
      return source.variable(reference.name)
    case 'file':
      return source.file(reference.path)
    case 'refused':
      return { kind: 'absent', why: reference.why }
  }
}

function readReference(written: string, inner: string, end: string): Reference {
  const [scheme = '', ...rest] = inner.split(':')
  const name = rest.join(':')
  const refused = (why: string, fix: string): Reference => ({ kind: 'refused', written, why, fix })
  if (end === '') return refused('the reference has no closing brace', EXAMPLE)
  if (scheme === 'env') {
    if (!VARIABLE.test(name)) {
      return refused(
        'that is not the name of an environment variable',
        'write letters, digits and "_": ${env:API_TOKEN}',
      )
    }
    const own = OWN_VARIABLES.find((prefix) => name.toUpperCase().startsWith(prefix))
    if (own === undefined) return { kind: 'env', written, name }
    return refused(
      `variables that begin with ${own} are Onward's own and no connection may send them`,
      'put the secret in a variable of another name: ${env:API_TOKEN}',
    )
  }
  if (scheme === 'file') {
    if (/^\/[^\0]*[^/\0]$/.test(name) && !name.split('/').includes('..')) return { kind: 'file', written, path: name }
    return refused(
      'a file is named by its whole path, without ".."',
      'write the path under ONWARD_SECRETS_DIR: ${file:/run/secrets/api-token}',
    )
  }
  return refused('that is not a reference', EXAMPLE)
}
