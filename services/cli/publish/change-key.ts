// The record key of a change: what decides its partition, so all publishers must agree on it. Pure.
import { assertNever } from '../../shared/assert-never.ts'
import type { Change, SourceKind } from '../../shared/change.ts'
import { firstCaseId } from './glance-at-form.ts'

/** A case: its id. A form: the first case it touches, else its own id. An app: its id. */
export function changeKey(change: Change): string {
  switch (change.kind) {
    case 'case':
      return change.caseId
    case 'form':
      return change.caseIds[0] ?? firstCaseId(change.xml.toString('utf8')) ?? change.formId
    case 'app':
      return change.appId
    default:
      return assertNever(change)
  }
}

export const SOURCE_OF = { case: 'cases', form: 'forms', app: 'apps' } as const satisfies Record<
  Change['kind'],
  SourceKind
>
