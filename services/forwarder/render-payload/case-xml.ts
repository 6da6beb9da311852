// A case as a case block of version 2.0. Enter: a case change and what a closed case is sent as. Leave: one line of XML.
// Never: a declaration, white space between elements, or a block that an XML parser refuses.
import type { CaseChange } from '../../shared/change.ts'
import { renderInstant } from '../../shared/instant.ts'
import type { Repeater } from '../../shared/forwarding/repeater.ts'
import { blameField, renderProperties } from './case-properties.ts'
import { compareCodePoints, sortNames } from './compare-code-points.ts'
import { quoted, unrenderable, type Unrenderable } from './unrenderable.ts'
import { isXmlName } from './xml-name.ts'
import { escapeAttribute, escapeText, findUnholdable, renderElement } from './xml-text.ts'

export function renderCaseXml(change: CaseChange, closedCase: Repeater['closedCase']): string | Unrenderable {
  let block =
    `<case case_id="${escapeAttribute(change.caseId)}" date_modified="${renderInstant(change.dateModified)}"` +
    ` user_id="${escapeAttribute(change.userId)}" xmlns="http://commcarehq.org/case/transaction/v2">`
  if (!change.closed || closedCase === 'full') {
    const state = renderState(change)
    if (typeof state !== 'string') return state
    block += state
  }
  block += change.closed ? '<close/></case>' : '</case>'
  // One search over the finished block costs less than one for each of its texts.
  return findUnholdable(block) === -1 ? block : blameField(change)
}

/** create is always there, also for an update: a receiver that has missed the case creates it, any other updates it. */
function renderState(change: CaseChange): string | Unrenderable {
  const properties = renderProperties(change)
  if (typeof properties !== 'string') return properties
  const indices = renderIndices(change)
  if (typeof indices !== 'string') return indices
  const attachments = renderAttachments(change)
  if (typeof attachments !== 'string') return attachments

  const create =
    renderElement('case_type', change.caseType) +
    renderElement('case_name', change.caseName) +
    // A case without owner belongs to its user, as in CommCare HQ.
    renderElement('owner_id', change.ownerId || change.userId)
  const externalId = change.externalId ? renderElement('external_id', change.externalId) : ''
  return (
    `<create>${create}</create>` +
    wrapped('update', externalId + properties) +
    wrapped('index', indices) +
    wrapped('attachment', attachments)
  )
}

const wrapped = (name: string, elements: string): string => (elements === '' ? '' : `<${name}>${elements}</${name}>`)

function renderIndices(change: CaseChange): string | Unrenderable {
  if (change.indices.length === 0) return ''
  let elements = ''
  for (const index of change.indices.toSorted((left, right) => compareCodePoints(left.identifier, right.identifier))) {
    const { identifier } = index
    if (!isXmlName(identifier)) {
      return unrenderable(`index ${quoted(identifier)} cannot be the name of an XML element`)
    }
    // A child is what a receiver assumes, so only extensions are marked.
    const relationship = index.relationship === 'extension' ? ' relationship="extension"' : ''
    const start = `${identifier} case_type="${escapeAttribute(index.caseType)}"${relationship}`
    // Without a case id the index was taken away: an empty element tells the receiver so.
    elements += index.caseId === '' ? `<${start}/>` : `<${start}>${escapeText(index.caseId)}</${identifier}>`
  }
  return elements
}

function renderAttachments(change: CaseChange): string | Unrenderable {
  let elements = ''
  for (const name of sortNames(Object.keys(change.attachments))) {
    if (!isXmlName(name)) return unrenderable(`attachment ${quoted(name)} cannot be the name of an XML element`)
    elements += `<${name} src="${escapeAttribute(change.attachments[name]?.url ?? '')}" from="remote"/>`
  }
  return elements
}
