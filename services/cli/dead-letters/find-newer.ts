// Reads the source topics forward from the letters' records, to learn which case states are out of date. Enter: candidates.
// Leave: the newest version of each of their cases, up to the end that each partition has now. Progress as it goes.
// Never: a record read whose key is of no letter's case; anything kept but offsets.
import { systemClock } from '../../shared/clock.ts'
import type { Directory } from '../../shared/forwarding/directory.ts'
import { openProgress } from '../progress.ts'
import type { Terminal } from '../terminal.ts'
import type { Candidate } from './judge-letter.ts'
import { NewerVersions } from './newer-versions.ts'
import type { Letters } from './open-letters.ts'

export async function findNewer(
  letters: Letters,
  directory: Pick<Directory, 'source'>,
  candidates: readonly Candidate[],
  terminal: Terminal,
): Promise<NewerVersions> {
  const newer = new NewerVersions(candidates, (topic) => directory.source(topic)?.bases ?? [])
  for (const [topic, from] of newer.from) {
    const begins = await letters.offsets(topic, 'earliest')
    const ends = await letters.offsets(topic, 'latest')
    const total = [...from].reduce(
      (sum, [partition, offset]) =>
        sum + Math.max(0, (ends.get(partition) ?? 0) - Math.max(offset, begins.get(partition) ?? 0)),
      0,
    )
    const progress = openProgress(terminal, systemClock, `records of ${topic} looked at for newer versions`, total)
    let read = 0
    await letters.read(topic, { from, to: ends, views: true }, (record) => {
      progress.advance(++read)
      const { partition, offset, key } = record
      // A tombstone says that the case was deleted: what waits of it still goes.
      if (record.value === null || !newer.concerns(key)) return
      const change = letters.changeOf({ record: { ...record, headers: { 'onward-source-topic': Buffer.from(topic) } } })
      if (change instanceof Promise) return change.then(note)
      return note(change)

      function note(known: Awaited<typeof change>): void {
        if (known.kind === 'read') newer.note({ topic, partition, offset }, known.case, known.change)
        // Nobody is ever sent what cannot be read; what only we cannot read is.
        else if (known.cause === 'unknown-schema' && known.case !== null)
          newer.note({ topic, partition, offset }, known.case, null)
      }
    })
    progress.finish(read)
  }
  return newer
}
