// Whether a payload says all there is of a case, so that it may take the place of older states that still wait.
// Enter: a change and its repeater. Leave: yes or no. Never: yes for a form or an app change, which are events.
import type { Change } from '../change.ts'
import type { Repeater } from './repeater.ts'

/** A closed case sent as just a close block is no full state: what changed before the close would be lost with it. */
export const isFullState = (change: Change, repeater: Repeater): boolean =>
  change.kind === 'case' && !(change.closed && repeater.format === 'xml' && repeater.closedCase === 'close-only')
