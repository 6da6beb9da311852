// What lies in the requeue topic already, read back from it: so a run that was killed goes on where it ended, and a letter is
// not put back by two runs. Enter: a run. Leave: its deliveries, the letters of other runs. Never: a memory of our own.
import type { Letters, Span } from './open-letters.ts'
import type { PutBack } from './plan-requeue.ts'
import { readRequeued } from './requeue-record.ts'

export type PutBackCount = PutBack & {
  /** Records of this run beyond one for each delivery: an acknowledgement was lost, and the client sent them again. */
  readonly copies: number
}

export async function readPutBack(letters: Letters, run: string, span: Span = {}): Promise<PutBackCount> {
  const byThisRun = new Set<string>()
  const byOthers = new Map<string, string>()
  let copies = 0
  await letters.read(letters.requeueTopic, { ...span, views: true }, (record) => {
    const requeued = readRequeued(record)
    if (!requeued) return
    if (requeued.run === run) {
      if (byThisRun.has(requeued.delivery)) copies++
      byThisRun.add(requeued.delivery)
    } else if (requeued.letter !== null) byOthers.set(requeued.letter, requeued.run)
  })
  return { byThisRun, byOthers, copies }
}
