// A case as JSON. Enter: a case change. Leave: compact JSON whose keys are those of the guide's sample.
// Never: a dynamic property in the place of a fixed one of the same name.
import type { CaseChange } from '../../shared/change.ts'
import { renderInstant } from '../../shared/instant.ts'

export function renderCaseJson(change: CaseChange): string {
  const fixed = {
    case_name: change.caseName,
    case_type: change.caseType,
    date_opened: renderInstant(change.openedOn),
    ...(change.externalId ? { external_id: change.externalId } : {}),
    owner_id: change.ownerId,
  }
  return JSON.stringify({
    case_id: change.caseId,
    closed: change.closed,
    date_closed: change.dateClosed === null ? null : renderInstant(change.dateClosed),
    date_modified: renderInstant(change.dateModified),
    domain: change.project,
    // Spreading and fromEntries define own properties, so a name like __proto__ is a name like any other.
    indices: Object.fromEntries(
      change.indices.map(({ identifier, caseType, caseId, relationship }) => [
        identifier,
        { case_type: caseType, case_id: caseId, relationship },
      ]),
    ),
    // The fixed names twice: first for their place, last for their values.
    properties: { ...fixed, ...change.properties, ...fixed },
    server_date_modified: renderInstant(change.serverModifiedOn),
    server_date_opened: renderInstant(change.serverOpenedOn),
    user_id: change.userId,
    version: '2.0',
    xform_ids: change.xformIds,
  })
}
