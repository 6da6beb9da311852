// One try of one connection, step by step; it ends with the first step that fails. Enter: a job and the rooms.
// Leave: the steps. Never: a throw for what is wrong with a connection.
import { readConfigRecord } from '../../shared/forwarding/config-record.ts'
import type { Connection } from '../../shared/forwarding/connection.ts'
import type { Repeater } from '../../shared/forwarding/repeater.ts'
import { resolveSecret, secretsOf, type SecretSource } from '../../shared/forwarding/secret.ts'
import type { Clock } from '../../shared/clock.ts'
import type { AddressGuard } from '../../shared/address-guard.ts'
import type { Proof } from '../credentials.ts'
import { openDial } from '../dial.ts'
import type { Conceal } from '../exchange.ts'
import { resolveHost } from '../../shared/guarded-lookup.ts'
import type { ProvenRemotes } from '../proven-remotes.ts'
import type { Proxy } from '../proxy.ts'
import { readChange } from '../../shared/read-change/read-change.ts'
import { readFailure } from '../read-failure.ts'
import { renderPayload } from '../render-payload/render-payload.ts'
import { renderRequest, type Request } from '../render-request.ts'
import { safeText } from '../../shared/safe-text.ts'
import type { TlsDesk } from '../tls-material.ts'
import { advise } from './advise.ts'
import { renderRequestLines, type Recorder } from './recorder.ts'
import type { Step, Tried, TryJob } from '../../shared/connection-try.ts'

export type TryRooms = {
  readonly remotes: ProvenRemotes
  readonly recorder: Recorder
  readonly conceal: Conceal
  readonly secrets: SecretSource
  readonly credentials: (connection: Connection) => Proof
  readonly guard: AddressGuard
  readonly tls: TlsDesk
  readonly proxy: Proxy | null
  readonly clock: Clock
  readonly requestId: string
}

type Found = { readonly ok: boolean; readonly text: string; readonly lines?: readonly string[] }

export async function tryJob(job: TryJob, rooms: TryRooms): Promise<Tried> {
  const { connection, repeater } = readDefinitions(job)
  const steps: Step[] = []
  const step = async (name: Step['name'], find: () => Found | Promise<Found>): Promise<boolean> => {
    const startedAt = rooms.clock.monotonic()
    const { ok, text, lines = [] } = await find()
    steps.push({ name, ok, text, lines, took: Math.round((rooms.clock.monotonic() - startedAt) * 10) / 10 })
    return ok
  }
  let request: Request | undefined
  const payload = (): Found => {
    const rendered = render(job, connection, repeater, rooms)
    if ('error' in rendered) return { ok: false, text: rendered.error }
    request = rendered.request
    const { method, path, body } = request
    const lines = renderRequestLines(request, 'request').map((line) => `> ${safeText(rooms.conceal(connection, line))}`)
    const text = `${method} ${rooms.conceal(connection, path)}, ${body.length} bytes for the repeater ${repeater.id}`
    return { ok: true, text, lines: job.mode === 'render' ? lines : [] }
  }
  const all: readonly (readonly [Step['name'], () => Found | Promise<Found>])[] = [
    ['secrets', () => lookAtSecrets(connection, rooms)],
    ...(connection.tls === null ? [] : [['tls files', () => lookAtTls(connection, rooms)] as const]),
    ['payload', payload],
    ...(job.mode === 'render'
      ? []
      : [
          ['address', () => lookAtAddress(connection, rooms)] as const,
          ['connect', () => dial(connection, rooms)] as const,
        ]),
    // A delivery asks for it by itself.
    ...(job.mode === 'look' && 'tokenUrl' in connection.auth
      ? [['token', () => lookAtToken(connection, rooms)] as const]
      : []),
  ]
  for (const [name, find] of all) if (!(await step(name, find))) return { id: connection.id, ok: false, steps }
  if (job.mode === 'send' && request) await send(connection, request, rooms, steps)
  return { id: connection.id, ok: steps.every(({ ok }) => ok), steps }
}

async function send(connection: Connection, request: Request, rooms: TryRooms, steps: Step[]): Promise<void> {
  const { outcome, duration } = await rooms.remotes.attempt(connection, request, new Set())
  for (const { what, attempted, lines } of rooms.recorder.recorded) {
    const shown = attempted.outcome
    const text = shown.kind === 'answered' ? `answered ${shown.status}` : 'error' in shown ? shown.error : shown.kind
    // A challenge is an answer that was wanted: the last exchange says how it ended.
    steps.push({ name: what, ok: true, took: Math.round(attempted.duration * 10) / 10, text, lines })
  }
  const headers = rooms.recorder.recorded.at(-1)?.headers ?? {}
  const ok = outcome.kind === 'answered' && outcome.status < 300
  const took = Math.round(duration * 10) / 10
  steps.push({ name: 'verdict', ok, took, text: advise(connection, outcome, headers), lines: [] })
}

function readDefinitions(job: TryJob): { connection: Connection; repeater: Repeater } {
  const raw = ({ key, value }: TryJob['connection']) => ({ key: Buffer.from(key), value: Buffer.from(value) })
  const connection = readConfigRecord(raw(job.connection))
  const repeater = readConfigRecord(raw(job.repeater))
  if (connection.kind !== 'connection' || repeater.kind !== 'repeater') throw new Error('the job holds no definitions')
  return { connection: connection.connection, repeater: repeater.repeater }
}

function lookAtSecrets(connection: Connection, { secrets }: TryRooms): Found {
  const texts = secretsOf(connection)
  const missing = texts.flatMap((text) => {
    const resolved = resolveSecret(text, secrets)
    return resolved.kind === 'missing' ? [resolved.error] : []
  })
  const [first] = missing
  if (first !== undefined) return { ok: false, text: first, lines: missing.slice(1) }
  return { ok: true, text: texts.length === 0 ? 'none is referred to' : `${texts.length} found` }
}

function lookAtTls(connection: Connection, { tls }: TryRooms): Found {
  const material = tls(connection, false)
  if (material?.kind === 'missing') return { ok: false, text: material.error }
  const lines = (material?.certificates ?? []).map(
    ({ what, subject, validTo }) => `${what} ${subject}, until ${new Date(validTo).toISOString().slice(0, 10)}`,
  )
  return { ok: true, text: connection.tls?.verify === false ? 'readable; any certificate is taken' : 'readable', lines }
}

function lookAtAddress(connection: Connection, { guard }: TryRooms): Promise<Found> {
  const { hostname } = new URL(connection.url)
  return new Promise((resolve) => {
    resolveHost(hostname, guard, (error, address) => {
      if (error) return resolve({ ok: false, text: errorOf(error) })
      const judged = guard(address)
      if (judged.kind === 'allowed') return resolve({ ok: true, text: `${hostname} is at ${address}` })
      const text = `${hostname} is at ${address}, which is ${judged.why}: not allowed unless ONWARD_ALLOW_ADDRESSES lists it`
      resolve({ ok: false, text })
    })
  })
}

async function lookAtToken(connection: Connection, { remotes }: TryRooms): Promise<Found> {
  const { auth } = connection
  if (!('tokenUrl' in auth)) return { ok: true, text: 'none is needed' }
  const taken = await remotes.takeToken(connection, auth)
  return taken.kind === 'none' ? { ok: false, text: taken.outcome.error } : { ok: true, text: 'the endpoint gives one' }
}

/** Longer than any network takes; a forwarder waits as long. */
const DIAL_TIMEOUT = 10_000

function dial(connection: Connection, { guard, clock, tls, proxy }: TryRooms): Promise<Found> {
  const { protocol, hostname, host, port } = new URL(connection.url)
  const material = connection.tls === null ? undefined : () => tls(connection, false) ?? NO_TLS
  let ends = ''
  const onCertificate = (validTo: number) => {
    ends = `, its certificate until ${new Date(validTo).toISOString().slice(0, 10)}`
  }
  const connect = openDial({ guard, clock, timeout: DIAL_TIMEOUT, material, onCertificate, proxy })
  return new Promise((resolve) => {
    connect({ hostname, host, protocol, port }, (error, socket) => {
      if (error) return resolve({ ok: false, text: errorOf(error) })
      socket.destroy()
      resolve({ ok: true, text: `connected${protocol === 'https:' ? ' with TLS' : ''}${ends}` })
    })
  })
}

const NO_TLS = { kind: 'missing', error: 'tls: nothing reads its files here' } as const

function errorOf(error: Error): string {
  const outcome = readFailure(error)
  const text = 'error' in outcome ? outcome.error : error.message
  return /ECONNREFUSED/.test(text) ? `${text}: nothing listens there; check host and port of url` : text
}

/** A delivery of a record that is in no topic: its key is this try's own, so no receiver takes it for one it has seen. */
function render(
  job: TryJob,
  connection: Connection,
  repeater: Repeater,
  rooms: TryRooms,
): { request: Request } | { error: string } {
  const read = readChange(job.source, Buffer.from(job.value), new Map())
  if (read.kind !== 'read') return { error: 'the sample change cannot be read' }
  const payload = renderPayload(read.change, repeater)
  if (payload.kind === 'unrenderable') return { error: payload.error }
  const proof = rooms.credentials(connection)
  if (proof.kind === 'missing') return { error: proof.error }
  const topic = `test-${rooms.requestId}`
  const delivery = {
    record: { topic, partition: 0, offset: 0, base: 0, run: null, traceparent: null, tracestate: null },
    attempts: 0,
  }
  return { request: renderRequest(delivery, repeater, connection, payload, rooms.requestId, proof.lines) }
}
