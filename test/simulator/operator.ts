// The operator who puts dead letters back, as `onward dead-letters requeue` does. Enter: which letter. Leave: a record of the requeue
// topic, or two where an acknowledgement was lost, or none: a state that has a newer version is left out, unless it is forced.
import { renderRetryHeader, RETRY_HEADER } from '../../services/shared/wire/retry-header.ts'
import { isFull } from './judge.ts'
import type { Step } from './plan.ts'
import { TIERS, type Surroundings } from './surroundings.ts'
import { BEGAN_AT } from './virtual-time.ts'

export function putBack(
  { broker, judge, directory, time, wallIsAhead, tells }: Surroundings,
  { which, forced, twice }: Extract<Step, { kind: 'requeue' }>,
  run: string,
): void {
  const letter = judge.letters[which % judge.letters.length]
  if (letter === undefined) return
  const [id = '', topic = '', partition = '', version = ''] = letter.split(':')
  const repeater = directory.repeaters().find((each) => each.id === id)
  const base = broker.baseOf(topic)
  const offset = Number(version) - base
  const record = broker.log(topic, Number(partition))[offset]
  const truth = judge.truthOf(topic, Number(partition), Number(version))
  if (!repeater || !record || !truth || repeater.forward !== topic) return
  const full = isFull(repeater, truth)
  const isOutOfDate = judge
    .truthsOf(topic, Number(partition))
    .some((other) => other.case === truth.case && other.version > truth.version)
  if (full && isOutOfDate && !forced) return
  const header = renderRetryHeader({
    repeater: repeater.id,
    topic,
    partition: Number(partition),
    offset,
    base,
    timestamp: Number(record.timestamp),
    attempts: 0,
    tries: 0,
    firstFailedAt: null,
    dueAt: BEGAN_AT + Math.round(time.now + wallIsAhead()),
    reason: 'requeue',
    epoch: 0,
    full,
    run,
    ...(forced ? { forced } : {}),
  })
  const placed = {
    partition: Number(partition),
    key: truth.case,
    value: record.value,
    headers: { [RETRY_HEADER]: header },
  }
  tells?.(() => `an operator puts ${letter} back${forced ? ', forced' : ''}${twice ? ', twice' : ''} (${run})`)
  broker.append(TIERS.requeue.topic, twice ? [placed, placed] : [placed])
  const copy = broker.copiesIn(TIERS.requeue.topic, Number(partition)).at(-1)
  if (copy) judge.putBack(copy)
}
