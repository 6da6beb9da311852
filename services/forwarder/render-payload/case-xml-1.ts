// A case as the older case block, version 1.0. Enter: a case change and what a closed case is sent as. Leave: one line of XML.
// Never: a namespace, indices or attachments: version 1.0 has none.
import type { CaseChange } from '../../shared/change.ts'
import { renderInstant } from '../../shared/instant.ts'
import type { Repeater } from '../../shared/forwarding/repeater.ts'
import { blameField, renderProperties } from './case-properties.ts'
import type { Unrenderable } from './unrenderable.ts'
import { findUnholdable, renderElement } from './xml-text.ts'

export function renderCaseXml1(change: CaseChange, closedCase: Repeater['closedCase']): string | Unrenderable {
  let block =
    `<case>${renderElement('case_id', change.caseId)}` +
    renderElement('date_modified', renderInstant(change.dateModified))
  if (!change.closed || closedCase === 'full') {
    const properties = renderProperties(change)
    if (typeof properties !== 'string') return properties
    block +=
      '<create>' +
      renderElement('case_type_id', change.caseType) +
      renderElement('user_id', change.userId) +
      renderElement('case_name', change.caseName) +
      renderElement('external_id', change.externalId ?? '') +
      '</create><update>' +
      renderElement('owner_id', change.ownerId || change.userId) +
      properties +
      '</update>'
  }
  block += change.closed ? '<close/></case>' : '</case>'
  return findUnholdable(block) === -1 ? block : blameField(change)
}
