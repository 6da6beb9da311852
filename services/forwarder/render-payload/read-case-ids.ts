// Which cases a form touches. Enter: the submitted bytes. Leave: each case id once, in document order, or what is wrong.
// Never: a case of some other vocabulary that happens to be called `case`.
import { caseId, type CaseId } from '../../shared/ids.ts'
import { readForm, type MalformedForm } from './read-form.ts'
import { attributeOf, type XmlElement } from './xml-element.ts'

type ReadCaseIds = { readonly kind: 'read'; readonly caseIds: readonly CaseId[] } | MalformedForm

/** `…/v2` today. A later version keeps the id where it is, as version 3 does. */
const TRANSACTION_NAMESPACE = /^http:\/\/commcarehq\.org\/case\/transaction\/v\d+(?:\.\d+)*$/

export function readCaseIds(xml: Buffer): ReadCaseIds {
  const form = readForm(xml)
  return form.kind === 'malformed' ? form : { kind: 'read', caseIds: caseIdsOf(form.root) }
}

function caseIdsOf(root: XmlElement): readonly CaseId[] {
  const ids = new Set<CaseId>()
  collect(root, root.namespace, ids)
  return [...ids]
}

function collect(element: XmlElement, formNamespace: string, ids: Set<CaseId>): void {
  const id = element.name === 'case' ? idOf(element, formNamespace) : undefined
  if (id) ids.add(caseId(id))
  for (const child of element.elements) collect(child, formNamespace, ids)
}

function idOf(element: XmlElement, formNamespace: string): string | undefined {
  const { namespace } = element
  const attribute = TRANSACTION_NAMESPACE.test(namespace) ? attributeOf(element, 'case_id') : undefined
  if (attribute || (namespace !== '' && namespace !== formNamespace)) return attribute
  // Version 1.0 has the id in an element, which forms print on lines of their own.
  return element.elements.find((child) => child.name === 'case_id' && child.namespace === namespace)?.text.trim()
}
