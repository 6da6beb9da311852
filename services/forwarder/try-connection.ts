// The second composition root: tries connections with the forwarder's own rooms, for `onward test` and `onward check`.
// Enter: jobs as JSON on standard input. Leave: what was found as JSON on standard output. Never: a secret in it; a Kafka client.
import { randomBytes, randomUUID } from 'node:crypto'
import { text } from 'node:stream/consumers'
import { systemClock as clock } from '../shared/clock.ts'
import { openSecretSource } from '../shared/forwarding/secret-source.ts'
import { environment, readSettings } from '../shared/settings.ts'
import { openAddressGuard } from '../shared/address-guard.ts'
import { openRemotes } from './attempt.ts'
import { openConceal } from './conceal.ts'
import { openCredentials } from './credentials.ts'
import { openProvenRemotes } from './proven-remotes.ts'
import { readProxy } from './proxy.ts'
import { openTlsDesk } from './tls-material.ts'
import { openRecorder } from './try-connection/recorder.ts'
import { widenLookups } from './widen-lookups.ts'
import type { Tried, TryJob } from '../shared/connection-try.ts'
import { tryJob } from './try-connection/try-job.ts'

/** Looked at side by side: a hundred connections to places that do not answer must not take a hundred deadlines. */
const AT_ONCE = 8

widenLookups()
const jobs = JSON.parse(await text(process.stdin)) as readonly TryJob[]
// Tries need no brokers; everything else holds as it does for the forwarder.
const settings = readSettings({ KAFKA_BROKERS: 'none.invalid:1', ...environment() })
const secrets = openSecretSource(environment(), settings.secretsDir, clock)
const guard = openAddressGuard(settings.allowAddresses, settings.forbidPorts)
const tls = openTlsDesk(secrets, clock)
const { outboundProxy } = settings
const proxy = outboundProxy && readProxy(outboundProxy.url, outboundProxy.except)

async function tryOne(job: TryJob): Promise<Tried> {
  const conceal = openConceal(secrets, (id) => remotes.secretsOf(id))
  const recorder = openRecorder(openRemotes(guard, clock, { tls, proxy, conceal }), clock, conceal)
  const randomHex = (bytes: number) => randomBytes(bytes).toString('hex')
  await using remotes = openProvenRemotes({ remotes: recorder.remotes, secrets, conceal, clock, randomHex })
  const credentials = openCredentials(secrets)
  return await tryJob(job, {
    remotes,
    recorder,
    conceal,
    secrets,
    credentials,
    guard,
    tls,
    proxy,
    clock,
    requestId: randomUUID(),
  })
}

const tried: Tried[] = []
const left = jobs.entries()
const lane = async () => {
  for (const [index, job] of left) tried[index] = await tryOne(job)
}
await Promise.all(Array.from({ length: AT_ONCE }, lane))
process.stdout.write(JSON.stringify(tried), () => process.exit(0))
