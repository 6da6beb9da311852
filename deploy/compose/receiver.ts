// The remote API of docker-compose.yml: the receiver of `npm start`, which fails and heals by the same story.
// Enter: a port. Leave: a line for each request that a delivery made, until SIGTERM or SIGINT.
import { once } from 'node:events'
import { systemClock } from '../../services/shared/clock.ts'
import { openReceiver, type ReceivedRequest } from '../local/start/receiver.ts'
import { STORY_BEHAVIOURS } from '../local/start/story.ts'

const port = Number(process.argv[2])
if (!(port > 0)) {
  process.stderr.write('usage: node deploy/compose/receiver.ts PORT\n')
  process.exit(2)
}

const stop = new AbortController()
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop.abort())

// The container's own address is not known here.
await using receiver = await openReceiver(systemClock, tell, { host: '0.0.0.0', port })
for (const [path, behaviour] of Object.entries(STORY_BEHAVIOURS)) receiver.behave(path, behaviour)
if (!stop.signal.aborted) await once(stop.signal, 'abort')

function tell({ method, target, headers, body, status }: ReceivedRequest): void {
  const key = headers.get('idempotency-key')
  // Else it is the health check.
  if (key === undefined) return
  const said = [
    `← ${status}`,
    method,
    target,
    key,
    `attempt ${headers.get('onward-attempt') ?? ''}`,
    `${body.length} bytes`,
  ]
  process.stdout.write(`${said.join('  ')}\n`)
}
