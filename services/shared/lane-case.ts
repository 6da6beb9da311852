// Which case a change's lane is for. Pure. The body decides, whatever the record key is: the key only chose the partition.
import { assertNever } from './assert-never.ts'
import type { Change } from './change.ts'
import { caseId, type CaseId } from './ids.ts'

/** A form: the first case it touches, else the record key, else its own id. An app: its id. */
export function laneCase(change: Change, key: Buffer | null): CaseId {
  return ownText(caseOf(change, key))
}

function caseOf(change: Change, key: Buffer | null): CaseId {
  switch (change.kind) {
    case 'case':
      return change.caseId
    case 'form':
      return change.caseIds[0] ?? caseId(key && key.length > 0 ? key.toString('utf8') : change.formId)
    case 'app':
      return caseId(change.appId)
    default:
      return assertNever(change)
  }
}

/** A text that was cut out of a record keeps the whole record's text alive, and a lane stays longer than the record: 0.2 µs a record. */
const ownText = (text: CaseId): CaseId =>
  // Half a character would be replaced, and two ids could become one.
  text.isWellFormed() ? caseId(Buffer.from(text, 'utf8').toString('utf8')) : text
