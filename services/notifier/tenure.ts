// What the active notifier holds while the partition of failures is its own. State only; the hub (notifier.ts) acts on it.
import type { FetchedRecord } from '../shared/kafka/group.ts'
import type { StartPosition } from '../shared/kafka/start-position.ts'
import type { SendOutcome } from '../shared/mail/send-outcome.ts'
import type { PlannedMail } from '../shared/notices/notice.ts'
import type { Memory } from './memory.ts'

export type Tenure = {
  readonly memory: Memory
  readonly over: AbortController
  readonly topic: string
  readonly partition: number
  /** Addresses with a mail on its way. */
  readonly busy: Set<string>
  readonly finished: { readonly address: string; readonly mail: PlannedMail; readonly outcome: SendOutcome }[]
  arrived: FetchedRecord[]
  /** The next offset to read, when everything before is written down. */
  position: number
  /** Behind the last record that was handed over. */
  readTo: number
  restored: boolean
  /** Being given up: nothing new starts. */
  ending: boolean
  paused: boolean
}

export const openTenure = ({ topic, partition, offset }: StartPosition, memory: Memory): Tenure => ({
  memory,
  over: new AbortController(),
  topic,
  partition,
  busy: new Set(),
  finished: [],
  arrived: [],
  position: offset,
  readTo: offset,
  restored: false,
  ending: false,
  paused: false,
})
