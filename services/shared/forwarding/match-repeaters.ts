// Which repeaters a change goes to. Pure. Enter: a change and its project's repeaters. Leave: those it matches, in their order.
import type { CaseChange, Change, FormChange } from '../change.ts'
import type { Repeater } from './repeater.ts'
import { assertNever } from '../assert-never.ts'

/** Device logs are technical and never forwarded (the guide's repeaters do the same). */
const DEVICE_LOG_XMLNS = 'http://code.javarosa.org/devicereport'

export function matchRepeaters(change: Change, repeaters: readonly Repeater[]): readonly Repeater[] {
  if (change.kind === 'form' && (change.duplicate || change.xmlns === DEVICE_LOG_XMLNS)) return []
  return repeaters.filter((repeater) => matches(change, repeater))
}

function matches(change: Change, repeater: Repeater): boolean {
  switch (change.kind) {
    case 'form':
      return (repeater.forward === 'forms' || repeater.forward === 'form-stubs') && formPasses(change, repeater)
    case 'case':
      return repeater.forward === 'cases' && casePasses(change, repeater)
    case 'app':
      return repeater.forward === 'apps'
    default:
      return assertNever(change)
  }
}

const formPasses = (form: FormChange, { filters }: Repeater): boolean =>
  (filters.formXmlns.length === 0 || filters.formXmlns.includes(form.xmlns)) &&
  !(form.userId !== null && filters.excludeUsers.includes(form.userId))

const casePasses = (change: CaseChange, { filters }: Repeater): boolean =>
  (filters.caseTypes.length === 0 || filters.caseTypes.includes(change.caseType)) &&
  !filters.excludeUsers.includes(change.userId) &&
  touchedAs(change, filters.on)

/** `create`: exactly one form has touched the case; `update`: more than one. */
function touchedAs(change: CaseChange, on: Repeater['filters']['on']): boolean {
  switch (on) {
    case 'any':
      return true
    case 'create':
      return change.xformIds.length === 1
    case 'update':
      return change.xformIds.length > 1
    default:
      return assertNever(on)
  }
}
