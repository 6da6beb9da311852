// Everything the hub asks or tells. main.ts makes these; tests may put a double where a fault can't be had on demand.
import type { Clock } from '../shared/clock.ts'
import type { Connection } from '../shared/forwarding/connection.ts'
import type { Directory } from '../shared/forwarding/directory.ts'
import type { Remotes } from './attempt.ts'
import type { Proof } from './credentials.ts'
import type { DeadLetters } from './dead-letter.ts'
import type { Intake } from './intake.ts'
import type { Park } from './park.ts'
import type { Readers } from './reread-change.ts'
import type { Tell } from './tell.ts'
import type { Tiers } from './tiers.ts'

export type Rooms = {
  readonly clock: Clock
  /** The configuration in force, live. */
  readonly directory: Directory
  readonly readers: Readers
  readonly credentials: (connection: Connection) => Proof
  readonly remotes: Remotes
  readonly deadLetters: DeadLetters
  readonly park: Park
  readonly tiers: Tiers
  readonly intake: Intake
  readonly tell: Tell
  /** False while another process may own our partitions: then nothing starts. */
  readonly holdsLease: () => boolean
  /** 0 ≤ random < 1, for jitter. */
  readonly random: () => number
  readonly newRequestId: () => string
  /** A fault of ours: nothing that was acknowledged is lost by ending here. */
  readonly fail: (error: unknown) => void
}
