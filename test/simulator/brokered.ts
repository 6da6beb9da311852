// A member's requests to the brokers: commits and appends, which may be refused, arrive late, or arrive though their answer is
// lost. Enter: what a member sends. Leave: what the brokers made of it, told once the member is awake.
import type { Appended, Appender, PlacedRecord } from '../../services/shared/kafka/appender.ts'
import type { Group } from '../../services/shared/kafka/group.ts'
import { readRetryHeader, RETRY_HEADER, versionIn } from '../../services/shared/wire/retry-header.ts'
import { nameOf, type DeliveryName } from './broker.ts'
import type { Member } from './member.ts'
import { LONGEST_VALUE, type Surroundings } from './surroundings.ts'

/** What was sent before may arrive that much later. */
const LATE = 3_000

export function openCommits(member: Member, around: Surroundings): Group['commit'] {
  const { time, judge, watch, draw, group } = around
  return async (entries) => {
    const { generation } = member
    watch.commits(member, entries)
    const luck = draw('commit')
    const isLost = luck.chance(0.1)
    const answerIsLost = luck.chance(0.05)
    await time.sleep(luck.between(0, 100))
    // The coordinator refuses what comes under an old generation; one that died may have sent it before.
    const isAccepted = !isLost && generation === group.generation
    if (isAccepted) {
      judge.commits(entries)
      around.tells?.(
        () => `${member.name} commits ${entries.map((e) => `${nameOf(e.topic, e.partition)}@${e.offset}`).join(' ')}`,
      )
    }
    await member.awake()
    if (member.dropped) return 'not-a-member'
    return isAccepted && !answerIsLost ? 'committed' : 'failed'
  }
}

/** One send in twenty fails: half of those were appended all the same, some of them only much later. */
export function openAppends(member: Member, around: Surroundings): Appender {
  const { time, broker, judge, draw } = around
  const append = (topic: string, records: readonly PlacedRecord[]) => {
    around.tells?.(() => `${topic} takes ${records.length} from ${member.name}: ${records.map(told).join(', ')}`)
    return broker.append(topic, records)
  }
  return {
    append: async (topic, records): Promise<Appended> => {
      const luck = draw(`append ${topic}`)
      for (const { partition, headers } of records) {
        const read = readRetryHeader(headers?.[RETRY_HEADER], partition)
        const epoch = read.kind === 'read' ? read.header.epoch : Infinity
        judge.holds(
          epoch <= broker.committedEpoch(topic, partition),
          'epochs-committed',
          () =>
            `epoch ${epoch} goes to ${nameOf(topic, partition)}, and its last commit has ${broker.committedEpoch(topic, partition)}`,
        )
      }
      await time.sleep(luck.between(0, 50))
      const later = (late: () => void) => void time.after(luck.between(0, LATE), late)
      // Its sender is gone: nobody hears of it, and it may still lie in some buffer.
      if (member.dead && luck.chance(0.5)) later(() => append(topic, records))
      if (member.dead) return await new Promise<never>(() => undefined)
      const answered = answerTo(luck.between(0, 1), records, () => append(topic, records), later)
      if (answered.kind === 'appended') await time.sleep(luck.between(0, 50))
      await member.awake()
      if (answered.kind === 'appended') for (const delivery of records.flatMap(deliveryIn)) judge.parked(delivery)
      return answered
    },
    [Symbol.asyncDispose]: async () => undefined,
  }
}

function answerTo(
  luck: number,
  records: readonly PlacedRecord[],
  append: () => ReadonlyMap<number, number>,
  later: (late: () => void) => void,
): Appended {
  if (records.some(({ value }) => (value?.length ?? 0) > LONGEST_VALUE))
    return { kind: 'too-large', count: records.length }
  if (luck < 0.025) return { kind: 'unknown', error: 'no answer' }
  if (luck < 0.0375) {
    append()
    return { kind: 'unknown', error: 'no answer' }
  }
  if (luck < 0.05) {
    later(append)
    return { kind: 'unknown', error: 'no answer' }
  }
  return { kind: 'appended', count: records.length, ends: append() }
}

function deliveryIn({ partition, headers }: PlacedRecord): readonly DeliveryName[] {
  const read = readRetryHeader(headers?.[RETRY_HEADER], partition)
  if (read.kind === 'malformed') return []
  const { header } = read
  return [`${header.repeater}:${header.topic}:${header.partition}:${versionIn(header)}`]
}

function told({ partition, headers }: PlacedRecord): string {
  const read = readRetryHeader(headers?.[RETRY_HEADER], partition)
  if (read.kind === 'malformed') return read.error
  const { repeater, topic, epoch, reason } = read.header
  return `${repeater}:${topic}:${partition}:${versionIn(read.header)} (${reason}, epoch ${epoch})`
}
