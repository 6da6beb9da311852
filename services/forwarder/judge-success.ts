// Is a 2xx the success that the connection asks for? Pure. Enter: the condition, and as much of the body as was read.
// Leave: null when it is, else what is not so, in words. What was not read cannot be a success: a body that was cut or is
// longer than what is kept is judged as it stands.
import type { SuccessWhen } from '../shared/forwarding/connection.ts'

/** @returns null for a success */
export function judgeSuccess(condition: SuccessWhen, text: string): string | null {
  const { json, equals, exists } = condition
  if (json === null) {
    const found = text.includes(condition.text ?? '')
    return found === exists ? null : `the answer ${exists ? 'lacks' : 'holds'} ${quoted(condition.text)}`
  }
  const document = parse(text)
  if (document === undefined) return 'the answer is no whole JSON document'
  const value = valueAt(document.value, json)
  if (equals !== null) return value === equals ? null : `${json} of the answer is not ${quoted(equals)}`
  const there = value !== undefined && value !== null
  return there === exists ? null : `the answer ${exists ? 'has no' : 'has'} ${json}`
}

function parse(text: string): { readonly value: unknown } | undefined {
  try {
    // A byte-order mark is no JSON, and some servers send one.
    return { value: JSON.parse(text.replace(/^\ufeff/, '')) as unknown }
  } catch {
    return undefined
  }
}

/** RFC 6901. Only what the document itself has: no `__proto__`, no `length`. */
function valueAt(document: unknown, pointer: string): unknown {
  let value = document
  for (const part of pointer.slice(1).split('/')) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~')
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
    if (Array.isArray(value) && !/^(0|[1-9]\d*)$/.test(name)) return undefined
    value = (value as Readonly<Record<string, unknown>>)[name]
  }
  return value
}

const quoted = (value: unknown): string => JSON.stringify(value)
