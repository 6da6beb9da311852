// A form as a stub. Enter: a form change and the ids of the cases it touches. Leave: JSON as the guide prints it.
// Never: the form's answers. The separators are `, ` and `: `, unlike our other JSON: the guide's length is a promise.
import type { FormChange } from '../../shared/change.ts'
import type { CaseId } from '../../shared/ids.ts'
import { renderInstant } from '../../shared/instant.ts'

export function renderFormStub(change: FormChange, caseIds: readonly CaseId[]): string {
  const ids = caseIds.map((id) => JSON.stringify(id)).join(', ')
  const receivedOn = renderInstant(change.receivedOn)
  return `{"received_on": "${receivedOn}", "form_id": ${JSON.stringify(change.formId)}, "case_ids": [${ids}]}`
}
