// A form as JSON. Enter: a form change and the root element of its XML. Leave: compact JSON, in the document's order.
// Never: an answer that is not text: `00123` stays `00123`, and a date stays as the phone wrote it.
import type { Attachment, FormChange } from '../../shared/change.ts'
import { readInstant, renderInstant } from '../../shared/instant.ts'
import { attributeOf, type XmlElement } from './xml-element.ts'

type JsonValue = string | readonly JsonValue[] | { readonly [name: string]: JsonValue }

export function renderFormJson(change: FormChange, root: XmlElement): string {
  return JSON.stringify({
    id: change.formId,
    domain: change.project,
    app_id: change.appId,
    build_id: change.buildId,
    type: root.name,
    version: attributeOf(root, 'version') ?? null,
    uiversion: attributeOf(root, 'uiVersion') ?? null,
    form: objectOf(root, '', [['#type', root.name]]),
    metadata: metadataOf(root),
    received_on: renderInstant(change.receivedOn),
    edited_on: change.editedOn === null ? null : renderInstant(change.editedOn),
    archived: false,
    attachments: attachmentsOf(change.attachments),
  })
}

/** An element without attributes, elements and a namespace of its own is its text, however empty. */
function valueOf(element: XmlElement, outerNamespace: string): JsonValue {
  const isPlain =
    element.attributes.length === 0 && element.elements.length === 0 && element.namespace === outerNamespace
  return isPlain ? element.text : objectOf(element, outerNamespace, [])
}

/** `@xmlns` stands where a namespace begins to hold, so prefixes can go. */
function objectOf(element: XmlElement, outerNamespace: string, first: readonly [string, JsonValue][]): JsonValue {
  const members = new Map<string, JsonValue>(first)
  if (element.namespace !== outerNamespace) members.set('@xmlns', element.namespace)
  for (const { name, prefix, value } of element.attributes) {
    // `a="1" x:a="2"`: without prefixes there is one place, and the element's own attribute has it.
    if (prefix === undefined || !members.has(`@${name}`)) members.set(`@${name}`, value)
  }
  const isLeaf = element.elements.length === 0
  // White space between elements is layout; in an element of its own it is an answer.
  if (isLeaf ? element.text !== '' : /[^ \t\r\n]/.test(element.text)) members.set('#text', element.text)
  const repeated = new Map<string, JsonValue[]>()
  for (const child of element.elements) {
    const value = valueOf(child, element.namespace)
    const before = members.get(child.name)
    const several = repeated.get(child.name)
    if (several) several.push(value)
    else if (before === undefined) members.set(child.name, value)
    else {
      const both = [before, value]
      repeated.set(child.name, both)
      members.set(child.name, both)
    }
  }
  // fromEntries defines own properties, so an element called __proto__ is an element like any other.
  return Object.fromEntries(members)
}

/** The phone's own account of the form: its instants as ours are written, everything else as text. */
function metadataOf(root: XmlElement): Readonly<Record<string, string>> | null {
  const meta = root.elements.find((element) => element.name === 'meta')
  if (!meta) return null
  return Object.fromEntries(
    meta.elements
      .filter((element) => element.elements.length === 0)
      .map(({ name, text }) => [name, name === 'timeStart' || name === 'timeEnd' ? instantOr(text) : text]),
  )
}

function instantOr(text: string): string {
  const instant = readInstant(text.trim())
  return instant === undefined ? text : renderInstant(instant)
}

const attachmentsOf = (attachments: Readonly<Record<string, Attachment>>) =>
  Object.fromEntries(
    Object.entries(attachments).map(([name, { url, contentType, length }]) => [
      name,
      { content_type: contentType, length, url },
    ]),
  )
