// Did the changes of each case arrive in order? Pure. Enter: requests in the order of their arrival. Leave: what was not so.
// The rule: within a repeater and case neither the version nor, within a version, the attempt ever falls, whatever was
// answered; and what was accepted is not sent again.
import { readReceived, type ReceivedDelivery } from './read-received.ts'
import type { ReceivedRequest } from './receiver.ts'

type Last = { readonly delivery: ReceivedDelivery; readonly accepted: boolean }

export function checkOrder(requests: readonly ReceivedRequest[]): readonly string[] {
  const problems: string[] = []
  const lanes = new Map<string, Last>()
  for (const request of requests) {
    const delivery = readReceived(request)
    if (!delivery) {
      problems.push(
        `${request.method} ${request.target} came without a well-formed Idempotency-Key, Onward-Attempt or Onward-Version`,
      )
      continue
    }
    // A form has no case in its body: it is a lane of its own here.
    const lane = `${delivery.repeater} ${delivery.caseId ?? delivery.idempotencyKey}`
    const before = lanes.get(lane)
    const problem = before && compare(before, delivery)
    if (problem !== undefined) problems.push(`${delivery.repeater}, case ${delivery.caseId ?? 'unknown'}: ${problem}`)
    lanes.set(lane, { delivery, accepted: request.status < 300 })
  }
  return problems
}

function compare({ delivery: before, accepted }: Last, after: ReceivedDelivery): string | undefined {
  if (after.version < before.version) return `version ${after.version} came after version ${before.version}`
  if (after.version > before.version) return undefined
  if (accepted) return `version ${after.version} was accepted and came again`
  if (after.attempt <= before.attempt) return `attempt ${after.attempt} came after attempt ${before.attempt}`
  return undefined
}
