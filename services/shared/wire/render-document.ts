// Writes a Change in the wire shape: as JSON publishers write it, or with the values Avro wants.
// Enter: a Change. Leave: a plain object whose keys are those of schemas/*.avsc. Never: bytes.
import type { AppChange, Attachment, CaseChange, Change, FormChange, Micros } from '../change.ts'
import { assertNever } from '../assert-never.ts'
import { renderInstant } from '../instant.ts'
import { setEntry } from './change-fields.ts'
import type { WireDocument } from './read-document.ts'

/** How the two notations differ. */
type Notation = {
  readonly instant: (micros: Micros) => unknown
  readonly document: (xml: Buffer) => unknown
}

const JSON_NOTATION: Notation = { instant: renderInstant, document: (xml) => xml.toString('utf8') }
const AVRO_NOTATION: Notation = { instant: (micros) => micros, document: (xml) => xml }

/** The JSON wire shape: instants are ISO 8601 text, the XML is text. */
export const renderWireDocument = (change: Change): WireDocument => render(change, JSON_NOTATION)

/** The Avro record: instants are microseconds, the XML is bytes. */
export const renderAvroRecord = (change: Change): WireDocument => render(change, AVRO_NOTATION)

function render(change: Change, notation: Notation): WireDocument {
  switch (change.kind) {
    case 'form':
      return renderForm(change, notation)
    case 'case':
      return renderCase(change, notation)
    case 'app':
      return renderApp(change, notation)
    default:
      return assertNever(change)
  }
}

const renderForm = (change: FormChange, { instant, document }: Notation): WireDocument => ({
  project: change.project,
  form_id: change.formId,
  xmlns: change.xmlns,
  app_id: change.appId,
  build_id: change.buildId,
  received_on: instant(change.receivedOn),
  user_id: change.userId,
  username: change.username,
  device_id: change.deviceId,
  case_ids: change.caseIds,
  xml: document(change.xml),
  edited_on: change.editedOn === null ? null : instant(change.editedOn),
  duplicate: change.duplicate,
  attachments: renderAttachments(change.attachments),
})

const renderCase = (change: CaseChange, { instant }: Notation): WireDocument => ({
  project: change.project,
  case_id: change.caseId,
  case_type: change.caseType,
  case_name: change.caseName,
  owner_id: change.ownerId,
  external_id: change.externalId,
  user_id: change.userId,
  opened_on: instant(change.openedOn),
  server_opened_on: instant(change.serverOpenedOn),
  date_modified: instant(change.dateModified),
  server_modified_on: instant(change.serverModifiedOn),
  closed: change.closed,
  date_closed: change.dateClosed === null ? null : instant(change.dateClosed),
  properties: change.properties,
  indices: change.indices.map((index) => ({
    identifier: index.identifier,
    case_type: index.caseType,
    case_id: index.caseId,
    relationship: index.relationship,
  })),
  xform_ids: change.xformIds,
  attachments: renderAttachments(change.attachments),
})

const renderApp = (change: AppChange, { instant }: Notation): WireDocument => ({
  project: change.project,
  app_id: change.appId,
  build_id: change.buildId,
  saved_on: instant(change.savedOn),
})

function renderAttachments(attachments: Readonly<Record<string, Attachment>>): Record<string, unknown> {
  const rendered: Record<string, unknown> = {}
  for (const [name, { url, contentType, length }] of Object.entries(attachments)) {
    setEntry(rendered, name, { url, content_type: contentType, length })
  }
  return rendered
}
