// Which letters are put back, and in which order. Pure. Enter: candidates in the order of the dead-letter topic, what lies in
// the requeue topic already, what is out of date. Leave: a plan that accounts for every candidate once.
// Never: two versions of a lane in another order than the source's; one delivery twice.
import { versionOf } from '../../shared/kafka/version-base.ts'
import { deliveryOf, laneOf, placeOf, type Candidate } from './judge-letter.ts'
import { comparePlaces } from './letter.ts'

/** What is read back from the requeue topic. */
export type PutBack = {
  /** Deliveries of this run: they are there, whoever was killed since. */
  readonly byThisRun: ReadonlySet<string>
  /** Letters that another run put back → that run. */
  readonly byOthers: ReadonlyMap<string, string>
}

export type Superseded = { readonly candidate: Candidate; readonly by: number }
export type PutBackBefore = { readonly candidate: Candidate; readonly run: string }

export type RequeuePlan = {
  /** In the order in which they are appended: as they died, and within a lane by source offset. */
  readonly append: readonly Candidate[]
  readonly superseded: readonly Superseded[]
  readonly alreadyThere: readonly Candidate[]
  readonly before: readonly PutBackBefore[]
  /** Letters of a delivery that has a newer letter: it died again. */
  readonly copies: number
}

/**
 * @param supersedes see `NewerVersions.supersedes`; for a forced run, one that answers null
 * @param holds whether a delivery (see `deliveryOf`) holds its lane: the newer versions wait for it, and it is not out of date
 */
export function planRequeue(
  candidates: readonly Candidate[],
  putBack: PutBack,
  supersedes: (candidate: Candidate, planned: ReadonlySet<string>) => number | null,
  holds: (delivery: string) => boolean = () => false,
): RequeuePlan {
  const newest = new Map<string, Candidate>()
  for (const candidate of candidates) {
    const delivery = deliveryOf(candidate.repeater.id, candidate.source)
    // Taken out first, so that it stands where its newest letter does.
    newest.delete(delivery)
    newest.set(delivery, candidate)
  }
  const alreadyThere: Candidate[] = []
  const before: PutBackBefore[] = []
  const left = new Map<string, Candidate>()
  for (const [delivery, candidate] of newest) {
    const run = putBack.byOthers.get(placeOf(candidate))
    if (putBack.byThisRun.has(delivery)) alreadyThere.push(candidate)
    else if (run !== undefined) before.push({ candidate, run })
    else left.set(delivery, candidate)
  }
  // What this run put back before it was killed counts as planned: a close that is there comes behind what is appended now,
  // or the state before it is there as well.
  const planned = new Set([
    ...left.keys(),
    ...alreadyThere.map(({ repeater, source }) => deliveryOf(repeater.id, source)),
  ])
  const superseded: Superseded[] = []
  const append: Candidate[] = []
  for (const candidate of left.values()) {
    const by = supersedes(candidate, planned)
    if (by === null) append.push(candidate)
    else if (holds(deliveryOf(candidate.repeater.id, candidate.source))) append.push({ ...candidate, ifHeld: true })
    else superseded.push({ candidate, by })
  }
  return {
    append: inOrder(append),
    superseded,
    alreadyThere,
    before,
    copies: candidates.length - newest.size,
  }
}

/**
 * The places of a lane's candidates stay, and its candidates take them in the source's order: so the whole stays as close as can
 * be to the order of the dead-letter topic, from which the values are read again.
 */
function inOrder(candidates: readonly Candidate[]): readonly Candidate[] {
  const byPlace = candidates.toSorted((one, other) => comparePlaces(one.letter, other.letter))
  const lanes = Map.groupBy(byPlace, laneOf)
  const queues = new Map(
    [...lanes].map(([lane, ofLane]) => [
      lane,
      ofLane.toSorted((one, other) => versionOf(one.source) - versionOf(other.source))[Symbol.iterator](),
    ]),
  )
  return byPlace.map((candidate) => queues.get(laneOf(candidate))?.next().value ?? candidate)
}
