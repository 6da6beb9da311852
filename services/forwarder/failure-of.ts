// A delivery that failed, or was given up → what the notifier is told of it. Pure. Never: a remote's words as they came.
import { assertNever } from '../shared/assert-never.ts'
import type { Millis } from '../shared/clock.ts'
import type { DeadLetterReason } from '../shared/dead-letter-reason.ts'
import type { Connection } from '../shared/forwarding/connection.ts'
import { sampleOf, type Letter, type Sample } from '../shared/notices/failure-record.ts'
import { safeText } from '../shared/safe-text.ts'
import type { Verdict } from './decide-next.ts'
import type { Delivery } from './delivery.ts'
import { rereadChange, type Readers } from './reread-change.ts'
import type { Failure } from './failure-book.ts'
import type { Outcome } from './outcome.ts'

/** @param error what the verdict says @param now Unix milliseconds */
export function failureOf(
  delivery: Delivery,
  { id, project }: Connection,
  { outcome, verdict, error }: { readonly outcome: Outcome; readonly verdict: Verdict; readonly error: string },
  readers: Readers,
  now: Millis,
): Failure {
  const status = outcome.kind === 'answered' ? outcome.status : null
  return {
    connection: id,
    project,
    words: { outcome: outcome.kind, status, text: safeText(error), at: now },
    wait: verdict.kind === 'retry' ? verdict.wait : null,
    sample: () => sampleOfDelivery(delivery, readers),
    delivery,
    firstFailedAt: delivery.firstFailedAt,
  }
}

export const letterOf = (
  delivery: Delivery,
  reason: DeadLetterReason,
  error: string,
  holds: boolean,
  readers: Readers,
): Letter => ({
  ...sampleOfDelivery(delivery, readers),
  reason,
  text: safeText(error),
  ...(holds ? { held: true as const } : {}),
})

/** By the id that people look for: a form's own, not that of the case whose lane it waits in. */
function sampleOfDelivery({ record, lane }: Delivery, readers: Readers): Sample {
  const change = rereadChange(record, readers)
  switch (change.kind) {
    case 'form':
      return sampleOf('form', change.formId, lane.repeater)
    case 'case':
      return sampleOf('case', change.caseId, lane.repeater)
    case 'app':
      return sampleOf('app', change.appId, lane.repeater)
    default:
      return assertNever(change)
  }
}
