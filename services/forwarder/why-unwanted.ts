// Does a repeater still want what was made for it? Pure. The configuration may change while a delivery waits, in memory or parked.
// Enter: the repeater in force, and what the delivery is of. Leave: why it is not to be sent, in words for a dead letter.
import type { SourceKind } from '../shared/change.ts'
import type { Repeater } from '../shared/forwarding/repeater.ts'
import type { RepeaterId } from '../shared/ids.ts'

/** What each rule forwards. */
export const KINDS: Readonly<Record<Repeater['forward'], SourceKind>> = {
  forms: 'forms',
  'form-stubs': 'forms',
  cases: 'cases',
  apps: 'apps',
}

/** @param repeater undefined once it was removed @returns undefined for what is wanted */
export function whyUnwanted(id: RepeaterId, repeater: Repeater | undefined, kind: SourceKind): string | undefined {
  if (!repeater) return `repeater ${id} was removed`
  if (KINDS[repeater.forward] === kind) return undefined
  return `repeater ${id} forwards ${repeater.forward} now, and this is one of ${kind}`
}
