// The broker and the registry that the tests of one run share.
// Enters: nothing. Leaves: addresses that answer. Never: a topic or group of another test, when names come from uniqueName.
import { randomBytes } from 'node:crypto'
import { startStack, type Stack } from '../../deploy/local/stack.ts'

let stack: Promise<Stack> | undefined

/**
 * Under `npm test` the one stack of that run; in a test file that is run alone, a stack of its own, which ends with the
 * file's process. Don't stop it, and don't kill its members: for that a test starts a stack for itself.
 */
export function sharedStack(): Promise<Stack> {
  stack ??= startStack().then((started) => {
    started.unref()
    return started
  })
  return stack
}

/** @returns a name for a topic, group or prefix that no other test, file or run has: `prefix-1f9c03ab` */
export const uniqueName = (prefix: string): string => `${prefix}-${randomBytes(4).toString('hex')}`
