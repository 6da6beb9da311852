// What a member's hub tells of its work, to whoever judges it. Enter: facts. Leave: the same, by the names that the judge knows.
import type { Tell } from '../../services/forwarder/tell.ts'
import { versionOf } from '../../services/shared/kafka/version-base.ts'
import type { Delivery } from '../../services/forwarder/delivery.ts'
import type { Member } from './member.ts'
import type { Surroundings } from './surroundings.ts'

export function openTell(member: Member, around: Surroundings): Tell {
  const { judge, watch, directory, tells } = around
  return {
    consumed: () => undefined,
    keyless: () => undefined,
    made: () => undefined,
    attempted: (delivery, connection, _attempted, verdict) => watch.attempted(member, delivery, connection, verdict),
    settled(delivery, verdict) {
      if (member.dead) return
      const name = nameOfDelivery(delivery)
      tells?.(() => `${name} ${verdict === 'dead-letter' ? 'is a dead letter' : `is ${verdict}`}, says ${member.name}`)
      watch.settled(member, delivery, verdict)
      judge.ends(
        member.ownershipOf(delivery.record.partition),
        name,
        delivery.record.run,
        directory.repeater(delivery.lane.repeater),
        verdict,
      )
    },
    parked: () => undefined,
    deadLettered: () => undefined,
    held: () => undefined,
    released: () => undefined,
    turned: ({ id }, { kind, reason }) => tells?.(() => `${member.name} finds ${id} ${kind} (${reason})`),
  }
}

export const nameOfDelivery = ({ lane, record }: Delivery): string =>
  `${lane.repeater}:${record.topic}:${record.partition}:${versionOf(record)}`
