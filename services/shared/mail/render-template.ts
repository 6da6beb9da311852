// Templates that a person can read and change: text with names in it. Pure. Enter: a template, values. Leave: text.
//
// | written | becomes |
// |---|---|
// | `{{name}}` | the value, escaped for the kind of text; nothing when there is none |
// | `{{#name}}…{{/name}}` | once for each item of a list, once for a value; not at all for an empty one |
// | `{{^name}}…{{/name}}` | once when there is none |
//
// Inside a section its own names come first, then those around it. A line that holds nothing but a section's mark is left out.
// Never: code in a template; a value that is taken for a template.

export type Values = { readonly [name: string]: Value }
export type Value = string | number | boolean | null | undefined | Values | readonly (string | Values)[]

export class TemplateError extends Error {
  override readonly name = 'TemplateError'
  readonly code = 'TEMPLATE_INVALID'
}

export type Escape = (text: string) => string

type Part =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'section'; readonly name: string; readonly inverted: boolean; readonly parts: readonly Part[] }

export type Template = (values: Values) => string

/** For a header or a plain text: what is in it was made safe before. */
export const asIs: Escape = (text) => text

export const escapeHtml: Escape = (text) => text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character)
const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** @throws TemplateError naming the file and what is wrong with it */
export function readTemplate(file: string, source: string, escape: Escape): Template {
  const parts = parse(file, source.replace(/^[ \t]*(\{\{[#^/][^{}]+\}\})[ \t]*\n/gm, '$1'))
  return (values) => render(parts, [values], escape)
}

function parse(file: string, source: string): readonly Part[] {
  const open: { name: string; inverted: boolean; parts: Part[] }[] = [{ name: '', inverted: false, parts: [] }]
  let from = 0
  const here = () => open.at(-1)?.parts ?? []
  for (const match of source.matchAll(/\{\{([#^/]?)([^{}]*)\}\}/g)) {
    const [written, mark, inner = ''] = match
    const name = inner.trim()
    if (!/^[A-Za-z][A-Za-z0-9]*$/.test(name)) throw new TemplateError(`${file}: ${written} is no name`)
    if (match.index > from) here().push({ kind: 'text', text: source.slice(from, match.index) })
    from = match.index + written.length
    if (mark === '') here().push({ kind: 'name', name })
    else if (mark === '/') {
      const closed = open.pop()
      if (closed?.name !== name || open.length === 0) throw new TemplateError(`${file}: ${written} closes nothing`)
      here().push({ kind: 'section', name, inverted: closed.inverted, parts: closed.parts })
    } else open.push({ name, inverted: mark === '^', parts: [] })
  }
  if (open.length > 1) throw new TemplateError(`${file}: {{#${open.at(-1)?.name ?? ''}}} is not closed`)
  if (from < source.length) here().push({ kind: 'text', text: source.slice(from) })
  return here()
}

function render(parts: readonly Part[], scopes: readonly Values[], escape: Escape): string {
  let text = ''
  for (const part of parts) {
    if (part.kind === 'text') text += part.text
    else if (part.kind === 'name') text += escape(textOf(look(part.name, scopes)))
    else text += renderSection(part, scopes, escape)
  }
  return text
}

function renderSection(
  { name, inverted, parts }: Extract<Part, { kind: 'section' }>,
  scopes: readonly Values[],
  escape: Escape,
): string {
  const value = look(name, scopes)
  const items = itemsOf(value)
  if (inverted) return items.length === 0 ? render(parts, scopes, escape) : ''
  return items
    .map((item) => render(parts, typeof item === 'object' ? [item, ...scopes] : [{ item }, ...scopes], escape))
    .join('')
}

function itemsOf(value: Value): readonly (Values | string | number | boolean)[] {
  if (value === null || value === undefined || value === false || value === '' || value === 0) return []
  if (Array.isArray(value)) return value as readonly (string | Values)[]
  return [value as Values | string | number | boolean]
}

/** Own names only: a value that is called `constructor` is not there. */
function look(name: string, scopes: readonly Values[]): Value {
  for (const scope of scopes) if (Object.hasOwn(scope, name)) return scope[name]
  return undefined
}

const textOf = (value: Value): string =>
  typeof value === 'string' ? value : typeof value === 'number' ? String(value) : ''
