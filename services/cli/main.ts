#!/usr/bin/env node
// The command line's composition root: streams, signals, verbs. onward.mjs leads here on any Node.
import { systemClock, type Millis } from '../shared/clock.ts'
import { environment } from '../shared/settings.ts'
import { VERSION } from '../shared/version.ts'
import { verb as apply } from './apply.ts'
import { verb as check } from './check.ts'
import { verb as deadLetters } from './dead-letters.ts'
import { verb as get } from './get.ts'
import { verb as notices } from './notices.ts'
import { verb as plan } from './plan.ts'
import { verb as publish } from './publish.ts'
import { runCommandLine } from './run-command-line.ts'
import { openTerminal } from './terminal.ts'
import { verb as test } from './test.ts'
import { verb as topics } from './topics.ts'
import { EXIT } from './verb.ts'

/** How long a verb may take to end after Ctrl-C: what it waits for in the client cannot always be called off. */
const INTERRUPTED_GRACE: Millis = 2_000

const interrupted = new AbortController()
const interrupt = () => {
  // The second one does not wait.
  if (interrupted.signal.aborted) process.exit(EXIT.interrupted)
  interrupted.abort(new Error('interrupted'))
}
process.on('SIGINT', interrupt)
process.on('SIGTERM', interrupt)
// `onward get | head` closes the pipe when it has enough: that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT.done)
  throw error
})

const graceOver = new Promise<number>((resolve) => {
  interrupted.signal.addEventListener('abort', () => {
    systemClock.after(INTERRUPTED_GRACE, () => resolve(EXIT.interrupted))
  })
})
const terminal = openTerminal(process.stdout, process.stderr, environment())
const verbs = [topics, apply, get, check, test, publish, deadLetters, notices, plan]
const code = await Promise.race([
  runCommandLine(process.argv.slice(2), verbs, VERSION, terminal, interrupted.signal),
  graceOver,
])
// Exits rather than ends: the Kafka client keeps timers while it waits for a broker that a verb has given up on. Writes to a
// pipe are asynchronous, so what was said is flushed first.
process.stdout.write('', () => process.exit(code))
