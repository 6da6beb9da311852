// `successWhen:` of a connection. Enter: a located value. Leave: the condition.
import { SUCCESS_KEYS } from './auth-keys.ts'
import type { SuccessWhen } from './connection.ts'
import { Fields } from './fields.ts'
import { known } from './forwarding-keys.ts'
import { text, textLike, trueOrFalse, wholeNumber, type Reader } from './read-values.ts'

export const successWhen: Reader<SuccessWhen> = (node, _name, report) => {
  const fields = Fields.of(node, known('successWhen', SUCCESS_KEYS), report)
  if (!fields) return undefined
  const has = (name: string) => fields.entry(name) !== undefined
  if (!has('json') && !has('text'))
    report(fields.place, 'successWhen needs json or text', 'add json: /status, or text: OK')
  if (has('json')) fields.refuse('text', 'text and json cannot both be looked at', 'keep one of them')
  if (has('text')) fields.refuse('equals', 'equals goes with json', 'remove it, or write json: in place of text:')
  if (has('equals') && has('json')) fields.refuse('exists', 'exists says nothing beside equals', 'keep one of them')
  return {
    json: fields.optional<string | null>('json', pointer, null),
    text: fields.optional<string | null>('text', text, null),
    equals: fields.optional<string | number | boolean | null>('equals', plainValue, null),
    exists: fields.optional('exists', trueOrFalse, true),
    otherwise: fields.required('otherwise', wholeNumber(400, 599, 422), '422') ?? 0,
  }
}

const pointer = textLike(
  new RegExp(SUCCESS_KEYS.json.schema.pattern),
  'is no JSON Pointer (RFC 6901): it begins with "/", as in /status or /results/0/error',
  '/status',
)

const plainValue: Reader<string | number | boolean> = (node, name, report) => {
  if (node.kind === 'scalar' && node.value !== null) return node.value
  report(node.place, `${name} must be text, a number, true or false`, `write ${name}: ok`)
  return undefined
}
