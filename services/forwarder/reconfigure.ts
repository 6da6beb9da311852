// A changed definition is in force: what the hub looks up for each attempt is new already, this is what it would not look at
// by itself. Enter: what changed. Leave: limits that hold, and lanes that try again. Whoever mends a connection sees it work
// at once: a wait that the old address, credentials or rules brought about says nothing about the new ones.
import type { Directory } from '../shared/forwarding/directory.ts'
import type { RepeaterId } from '../shared/ids.ts'
import type { ConfigurationChange } from './configuration.ts'
import type { Lane } from './delivery.ts'
import type { Forwarder } from './forwarder.ts'
import type { PartitionTask } from './partition-task.ts'

/** @param tasks what this process owns */
export function reconfigure(
  change: Exclude<ConfigurationChange, { what: 'source' }>,
  forwarder: Forwarder,
  directory: Directory,
  given: Iterable<PartitionTask>,
): void {
  const tasks = [...given]
  if (change.what === 'repeater') {
    forwarder.holding.follow(change.id, tasks)
    return forwarder.offerAll(dueNow(tasks, [change.id]))
  }
  const { desks } = forwarder
  desks.keepOnly((id) => directory.connection(id) !== undefined)
  const connection = directory.connection(change.id)
  const leadsElsewhere = connection !== undefined && desks.follow(connection)
  desks.limit(directory.connections())
  for (const desk of desks.all()) forwarder.pump(desk)
  if (!leadsElsewhere) return
  const repeaters = directory.repeaters().filter((repeater) => repeater.connection === change.id)
  forwarder.offerAll(
    dueNow(
      tasks,
      repeaters.map(({ id }) => id),
    ),
  )
}

/** The lanes of these repeaters, none of which waits for its instant any more. */
function* dueNow(tasks: Iterable<PartitionTask>, repeaters: readonly RepeaterId[]): Iterable<Lane> {
  for (const task of tasks) {
    for (const repeater of repeaters) {
      for (const lane of task.lanes.of(repeater)) {
        lane.dueAt = 0
        yield lane
      }
    }
  }
}
