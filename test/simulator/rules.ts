// The fifteen rules that order, retry and isolation stand on: for each, what is lost, overtaken or starved without it, and the shape
// of what breaks one on purpose (mutations.ts).
import type { PromiseName } from './promises.ts'

export type Edit = {
  /** Under services/. */
  readonly file: string
  /** It stands there exactly once. */
  readonly from: string
  readonly to: string
}

export type Mutation = {
  readonly rule: number
  /** What is done to the code. */
  readonly title: string
  readonly edits: readonly [Edit, ...Edit[]]
  readonly caughtBy: CaughtBy
}

export type CaughtBy =
  /** Any of these may be the first to be broken: which one, luck decides. */
  | {
      readonly kind: 'simulator'
      readonly promises: readonly [PromiseName, ...PromiseName[]]
    }
  /** A test file, the title of the test, and what it complains of; the first kind needs no broker. */
  | {
      readonly kind: 'test' | 'broker-test'
      readonly file: string
      readonly title: string
      readonly complaint: RegExp
    }

/** Why each rule is there: what is lost, overtaken or starved without it. */
export const RULES: Readonly<Record<number, string>> = {
  1: 'The client fetches nothing more while a batch is being handled: one endpoint that hangs would stop every case of every partition.',
  2: 'Two requests of one case on the wire arrive in whichever order the network likes.',
  3: 'An endpoint in trouble would otherwise take the slots, the time and the turns of those that are well.',
  4: 'A copy costs two Kafka records, so what is over in seconds must not be copied; and what waits for hours in memory is lost with it, and fills it.',
  5: 'A change that overtakes an older one of its case that is parked is the failure that everybody’s retry topics have. The exact set, and not the highest version, tells a copy from a change that was never sent.',
  6: 'One delay for all records of a topic is what lets its reader stop at the first that is not due. Read too early they would circle; put too far they would come too late.',
  7: 'An older state says nothing that the newer does not, but only a full one may replace others, and a case that changes all the time must still be sent now and then.',
  8: 'A committed offset is a promise that nothing below it is open: whoever comes next does not look there again.',
  9: 'Memory is gone after a restart. Until the retry topics say what is parked, and the sources were read as far as somebody may have been, nobody knows what may go.',
  10: 'What an owner still does after it gave a partition up is done by two at once.',
  11: 'A process that was stopped does not know that others own its partitions by now.',
  12: 'An append whose answer was lost may be there or not. Repeated without a mark it is there twice, and the second copy comes back after its successors were sent.',
  13: 'What is read and cannot be sent is held. Without a bound the process ends, and takes everybody’s deliveries with it.',
  14: 'Operators write at any time, and nobody counted their records when the partition was given. A copy that nobody counts is overtaken.',
  15: 'Where order matters more than going on, what comes after a dead letter must wait for somebody to look, also through a restart; and wherever a lane goes on, the letter must be there before it does.',
}
