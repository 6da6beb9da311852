// The notifier of `npm start`. Enter: the ground, where the mailbox listens. Leave: a process that is ready.
// Never: a mail that leaves this machine, whatever mail server the environment names.
import { randomBytes } from 'node:crypto'
import { systemClock as clock } from '../../../services/shared/clock.ts'
import { freePorts } from '../free-ports.ts'
import { startService, type ForwarderProcess } from './forwarder-process.ts'
import type { Ground } from './ground.ts'
import type { LogEvent } from './log-event.ts'
import { notifierEnvironment } from './settings.ts'

/** @throws Error with its last words when it ends or does not become ready */
export async function startNotifier(
  ground: Ground,
  smtpUrl: string,
  onEvent: (event: LogEvent) => void,
  signal: AbortSignal,
): Promise<ForwarderProcess> {
  const [port = 0] = await freePorts(1)
  const secret = randomBytes(32).toString('hex')
  const mark = ground.cluster.given ? ground.settings.groupId : undefined
  return startService(
    'notifier',
    notifierEnvironment(ground.environment, smtpUrl, port, secret, mark),
    onEvent,
    clock,
    signal,
  )
}
